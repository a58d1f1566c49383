"""The loop: stopped and gone on with it ends in the same bits; how a step is parted does not matter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kdsl_cli.errors import BackendError, StageError
from kdsl_cli.runs.appendlog import read_log
from kdsl_cli.runs.signals import Stop
from kdsl_cli.training.lora.samples.augmenting import Augmentation
from tests.training.lora.learning import Bench, samples, settings

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.local

EVERYTHING = {"dropout": 0.2, "augmentation": Augmentation(choices=True), "balanced": True}
"""Whatever is drawn."""


def fitted(bench, judge=None, tell=lambda told: None, **more):
    fit = bench.loop(tell, **more).fit(bench.training(samples()), judge)
    return fit, bench.adapted.state()


def same(left, right):
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.slow
@pytest.mark.parametrize("quant", ["none", "nf4"])
def test_stopped_anywhere_and_begun_again_it_ends_in_the_same_bits(checkpoint, tmp_path, quant):
    own = settings(quant=quant, checkpoint_steps=2, **EVERYTHING)
    scores = iter([(0.5, 1.0), (0.4, 1.0)] * 2)
    _, whole = fitted(Bench(checkpoint, tmp_path / "whole", own), lambda: next(scores))
    for after in (1, 3, 5):
        stop, folder = Stop(), tmp_path / f"after-{after}"

        def tell(told, after=after, stop=stop):
            stop.signalled = told.step == after

        scored = iter([(0.5, 1.0), (0.4, 1.0)])
        with pytest.raises(KeyboardInterrupt):
            fitted(Bench(checkpoint, folder, own), lambda s=scored: next(s), tell, stop=stop)
        fit, state = fitted(Bench(checkpoint, folder, own), lambda s=scored: next(s))
        assert same(state, whole) and fit.steps == 6
        assert (folder / "metrics.jsonl").read_bytes() == (tmp_path / "whole/metrics.jsonl").read_bytes()


@pytest.mark.slow
def test_killed_between_checkpoints_it_goes_on_from_the_last_one(checkpoint, tmp_path):
    class KilledError(BaseException):
        pass

    def tell(told):
        if told.step == 5:
            raise KilledError

    own = settings(checkpoint_steps=2, **EVERYTHING)
    _, whole = fitted(Bench(checkpoint, tmp_path / "whole", own))
    with pytest.raises(KilledError):
        fitted(Bench(checkpoint, tmp_path / "killed", own), None, tell)
    assert [row["step"] for row in read_log(tmp_path / "killed/metrics.jsonl")] == [1, 2, 3, 4, 5]
    seen = []
    _, state = fitted(Bench(checkpoint, tmp_path / "killed", own), None, lambda told: seen.append(told.step))
    assert seen == [5, 6] and same(state, whole)
    files = [(tmp_path / name / "metrics.jsonl").read_bytes() for name in ("whole", "killed")]
    assert files[0] == files[1]


@pytest.mark.slow
def test_how_many_samples_are_on_the_device_at_once_does_not_matter(checkpoint, tmp_path):
    states = [
        fitted(Bench(checkpoint, tmp_path / str(size), settings(micro_batch=size, batch=6)))[1]
        for size in (1, 4, 6)
    ]
    for state in states[1:]:
        for name, weight in states[0].items():
            torch.testing.assert_close(state[name], weight, rtol=1e-3, atol=1e-5)


def test_another_beginning_does_not_go_on_from_a_checkpoint(checkpoint, tmp_path):
    own = settings(epochs=1)
    fitted(Bench(checkpoint, tmp_path, own))
    seen = []
    fitted(Bench(checkpoint, tmp_path, own, seed=1), None, lambda told: seen.append(told.step))
    assert seen == [1, 2, 3]


def test_a_file_that_is_no_checkpoint_is_told(checkpoint, tmp_path):
    (tmp_path / "all.pt").write_bytes(b"torn")
    with pytest.raises(StageError, match="is no checkpoint of a tuning"):
        fitted(Bench(checkpoint, tmp_path, settings()))


@pytest.mark.slow
def test_the_best_weights_are_kept_and_patience_ends_it(checkpoint, tmp_path):
    told = [(0.2, 2.0), (0.7, 1.0), (0.7, 1.5), (0.6, 0.1), (0.9, 0.1)]
    states, bench = [], Bench(checkpoint, tmp_path, settings(epochs=5, patience=2))

    def judge():
        states.append(bench.adapted.state())
        return told[len(states) - 1]

    fit, state = fitted(bench, judge)
    assert len(states) == 4 and fit.steps == 12
    assert fit.best is not None and (fit.best.step, fit.best.score) == (6, (0.7, -1.0))
    assert same(state, states[1])
    scored = [row["val_weighted_f1"] for row in read_log(tmp_path / "metrics.jsonl")]
    assert [score for score in scored if score is not None] == [0.2, 0.7, 0.7, 0.6]


@pytest.mark.slow
def test_it_learns(checkpoint, tmp_path):
    losses = []
    bench = Bench(checkpoint, tmp_path, settings(quant="nf4", epochs=12))
    fitted(bench, None, lambda told: losses.append(told.loss))
    assert sum(losses[-3:]) < 0.3 * sum(losses[:3])


def test_too_little_memory_says_what_to_lower(checkpoint, tmp_path):
    bench = Bench(checkpoint, tmp_path, settings())

    class Full:
        def batch(self, some):
            return bench.objective.batch(some)

        def loss(self, adapted, batch):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB\nmore")

    with pytest.raises(BackendError) as raised:
        replace(bench.loop(), objective=Full()).fit(bench.training(samples()), None)
    problem = raised.value.problems[0]
    assert "Tried to allocate 9.00 GiB" in problem.what
    assert problem.fix and "--micro-batch (4)" in problem.fix and "--quant nf4" in problem.fix
