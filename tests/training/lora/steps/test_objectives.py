"""Losses: what a whole pass over prompt and answer gives, wherever a batch was padded or parted."""

from __future__ import annotations

import pytest

from kdsl_cli.backends.local.rendering import IGNORED
from kdsl_cli.backends.local.scoring import positions
from kdsl_cli.dialogues.schema import Turn
from kdsl_cli.training.lora.samples.augmenting import reordered
from kdsl_cli.training.lora.samples.samples import sample_of
from tests.training.lora.dialogues import TASK, said
from tests.training.lora.learning import Bench, samples, settings

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.local


@pytest.fixture(scope="module")
def bench(checkpoint, tmp_path_factory):
    made = Bench(checkpoint, tmp_path_factory.mktemp("bench"), settings())
    made.adapted.model.eval()
    return made


def uneven():
    long = said("long", "parcel", Turn("customer", "where is it " * 20), Turn("service", "亲"))
    return [*samples(1), sample_of(long, TASK)]


def test_the_loss_is_that_of_the_answers_tokens_in_a_pass_over_everything(bench):
    batch = bench.objective.batch(uneven())
    with torch.no_grad():
        loss = bench.objective.loss(bench.adapted, batch)
        logits = bench.loaded.model(**batch.inputs, use_cache=False).logits
    told = logits[:, :-1].log_softmax(-1)
    labels = batch.labels[:, 1:]
    kept = labels != IGNORED
    expected = -told.gather(-1, labels.clamp(min=0)[..., None])[..., 0][kept].sum()
    assert kept.sum() == batch.n_learnt
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-4)


def test_the_loss_is_minus_the_score_that_prediction_gives_the_right_intent(bench):
    own = uneven()
    told = bench.model.told(TASK.name, [sample.dialogue for sample in own])
    with torch.no_grad():
        loss = float(bench.objective.loss(bench.adapted, bench.objective.batch(own)))
    right = [one.logprobs[sample.label] for one, sample in zip(told, own, strict=True)]
    assert loss == pytest.approx(-sum(right), rel=1e-4)


def test_padding_changes_no_loss(bench):
    together = bench.objective.batch(uneven())
    with torch.no_grad():
        alone = sum(bench.objective.loss(bench.adapted, bench.objective.batch([one])) for one in uneven())
        loss = bench.objective.loss(bench.adapted, together)
    assert (together.inputs["attention_mask"] == 0).any()
    assert together.n_tokens == int(together.inputs["attention_mask"].sum())
    torch.testing.assert_close(loss, alone, rtol=1e-5, atol=1e-4)


def test_batches_carry_the_positions_that_scoring_asks_for(bench):
    batch = bench.objective.batch(uneven())
    told = dict(batch.inputs)
    where = told.pop("position_ids")
    assert torch.equal(where, positions(bench.loaded.model, told))


def test_a_head_learns_the_place_in_the_catalogue_whatever_the_order_in_the_prompt(checkpoint, tmp_path):
    import random

    bench = Bench(checkpoint, tmp_path, settings(method="head"))
    own = [reordered(sample, random.Random(n)) for n, sample in enumerate(samples(2))]
    batch = bench.objective.batch(own)
    assert batch.labels.tolist() == [TASK.names.index(sample.right.name) for sample in own]
    assert [sample.label for sample in own] != batch.labels.tolist()
    with torch.no_grad():
        loss = bench.objective.loss(bench.adapted, batch)
    # At its zeros all four intents are equally likely.
    assert float(loss) == pytest.approx(len(own) * torch.tensor(4.0).log().item(), rel=1e-5)


def test_a_head_out_of_memory_answers_in_smaller_batches(checkpoint, tmp_path, monkeypatch):
    from kdsl_cli.training.lora.answers import head_backend

    model = Bench(checkpoint, tmp_path, settings(method="head")).model
    dialogues = [sample.dialogue for sample in samples(2)]
    whole, ran, pooled = model.scores(TASK.name, dialogues), [], head_backend.pooled

    def full(network, batch):
        rows = batch["input_ids"].shape[0]
        if rows > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        ran.append(rows)
        return pooled(network, batch)

    monkeypatch.setattr(head_backend, "pooled", full)
    assert model.scores(TASK.name, dialogues) == pytest.approx(whole, abs=1e-5)
    assert len(ran) == len(dialogues)
