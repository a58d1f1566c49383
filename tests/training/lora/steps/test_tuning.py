"""A whole tuning: no sample is scored by a model that learnt it, and what is done is not done again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kdsl_cli.runs.signals import Stop
from kdsl_cli.training.lora.samples.lengths import measure
from kdsl_cli.training.lora.samples.rationales import with_reasons
from kdsl_cli.training.lora.steps.tuning import ALL, Work, tune
from kdsl_cli.training.lora.steps.validating import VALIDATION
from tests.training.lora.dialogues import TASK
from tests.training.lora.learning import Bench, samples, settings

pytestmark = pytest.mark.local


def work(bench, folds=2, val=(), own=None):
    own = own or samples()
    return Work(own, [measure(sample, bench.collator) for sample in own], val, folds, bench.folder)


def test_parts_hold_out_everything_once_and_share_nothing(checkpoint, tmp_path):
    bench = Bench(checkpoint, tmp_path, settings())
    own = with_reasons(samples(), {"refund-0": "It names money."})
    parts = list(work(bench, folds=3, own=own).trainings(seed=1))
    assert [training.name for training, _ in parts] == ["fold-0", "fold-1", "fold-2", ALL]
    held = [sample.id for _, out in parts for sample in out]
    assert sorted(held) == sorted(sample.id for sample in samples())
    for training, out in parts:
        assert not {sample.id for sample in training.samples} & {sample.id for sample in out}
    assert len(parts[-1][0].samples) == len(own) and not parts[-1][1]


@pytest.mark.slow
def test_scores_out_of_fold_are_of_models_that_learnt_the_others(checkpoint, tmp_path):
    bench = Bench(checkpoint, tmp_path, settings(epochs=1))
    val = [replace(sample, dialogue=replace(sample.dialogue, id=f"v{sample.id}")) for sample in samples(1)]
    scored = []
    tuned = tune(bench.loop(), bench.model, work(bench, val=val), lambda what, n: scored.append((what, n)))
    assert {one.id for one in tuned.out_of_fold} == {sample.id for sample in samples()}
    assert {one.fold for one in tuned.out_of_fold} == {0, 1}
    assert {one.fold for one in tuned.val} == {VALIDATION} and len(tuned.val) == 3
    assert set(tuned.fitted) == {"fold-0", "fold-1", ALL}
    assert scored[0] == ("val", 3) and ("fold-0", 6) in scored
    # What is kept is the model of all samples: it says other things than those of the folds.
    kept = bench.model.told(TASK.name, [sample.dialogue for sample in samples()])
    of_fold = {one.id: one.logprobs for one in tuned.out_of_fold}
    assert all(told.logprobs != of_fold[s.id] for told, s in zip(kept, samples(), strict=True))


@pytest.mark.slow
def test_a_fold_that_is_done_is_not_done_again(checkpoint, tmp_path):
    own = settings(epochs=2)
    whole = Bench(checkpoint, tmp_path / "whole", own)
    expected = tune(whole.loop(), whole.model, work(whole))
    stop, seen = Stop(), []

    def tell(told):
        stop.signalled = told.training == "fold-1"

    first = Bench(checkpoint, tmp_path / "parts", own)
    with pytest.raises(KeyboardInterrupt):
        tune(first.loop(tell, stop=stop), first.model, work(first))
    again = Bench(checkpoint, tmp_path / "parts", own)
    tuned = tune(again.loop(lambda told: seen.append((told.training, told.step))), again.model, work(again))
    assert seen[0] == ("fold-1", 3) and ("fold-0", 1) not in seen
    assert tuned.out_of_fold == expected.out_of_fold
    assert whole.adapted.state().keys() == again.adapted.state().keys()
    left = again.adapted.state()
    assert all((weight == left[name]).all() for name, weight in whole.adapted.state().items())
