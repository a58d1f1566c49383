"""Memory: a layer keeps what the estimate says, and the presets fit by it at the shape of 7 billion."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kdsl_cli.backends.local.tiny import QWEN2_VL_7B, SPECIAL, TINY, build, config_of, random_model
from kdsl_cli.training.lora.adapters.adapting import targets
from kdsl_cli.training.lora.adapters.memory import GIB, estimate, left_gib, weights_of
from kdsl_cli.training.lora.adapters.presets import PRESETS, resolve
from tests.training.lora.learning import Bench, samples, settings

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.local


@pytest.fixture(scope="module")
def deeper(tmp_path_factory):
    """The tiny model, and one with two layers more: what they differ by is what two layers keep."""
    folder = tmp_path_factory.mktemp("deeper")
    return [build(folder / str(n), ["refund 退款"], shape=replace(TINY, layers=n)) for n in (1, 3)]


def kept(bench):
    """Return the bytes that autograd keeps for one batch, weights left out, and what is estimated."""
    weights = {weight.untyped_storage().data_ptr() for weight in bench.adapted.model.parameters()}
    storages = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            storages[storage.data_ptr()] = storage
        return tensor

    batch = bench.objective.batch(samples(1))
    with bench.adapted.learning(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = bench.objective.loss(bench.adapted, batch)
    n_bytes = sum(storage.nbytes() for storage in storages.values())
    del loss
    rows, tokens = batch.labels.shape
    config = bench.loaded.model.config.get_text_config()
    told = estimate(config, bench.settings, size=4, weights=0, learnt=0, rows=rows, tokens=tokens)
    return n_bytes, told.kept * GIB


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"dropout": 0.1}, {"checkpointing": True}])
def test_two_layers_keep_what_is_estimated(deeper, tmp_path, changes):
    own = settings(quant="nf4", rank=16, **changes)
    (few, told_of_few), (many, told_of_many) = (kept(Bench(model, tmp_path, own)) for model in deeper)
    assert many - few == pytest.approx(told_of_many - told_of_few, rel=0.15)


class Words:
    """As much of a tokenizer as a configuration needs."""

    def convert_tokens_to_ids(self, token):
        return SPECIAL.index(token)

    def __len__(self):
        return 1000


@pytest.fixture(scope="module")
def large():
    """The shape of Qwen2-VL-7B without its numbers."""
    with torch.device("meta"):
        return random_model(config_of(QWEN2_VL_7B, Words())).to(torch.bfloat16).requires_grad_(False)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_batch_of_the_longest_samples_takes_three_quarters_of_a_presets_memory_at_most(large, preset):
    own = resolve(preset, {})
    layers = [large.get_submodule(name) for name in targets(large, "language")]
    inside = sum(layer.weight.numel() for layer in layers)
    weights = weights_of(large)
    assert weights == pytest.approx(16.6e9, rel=0.01)
    if own.quant == "nf4":  # half a byte a number, and a byte and a little for each 64
        weights += round(inside * (0.5 + 1.02 / 64 - 2))
    told = estimate(
        large.config.get_text_config(),
        own,
        size=2,
        weights=weights,
        learnt=sum(own.rank * (layer.in_features + layer.out_features) for layer in layers),
        rows=own.micro_batch,
        tokens=own.max_length,
    )
    assert told.total <= 0.75 * float(preset.removesuffix("g"))


def test_some_memory_is_left():
    assert 0 < left_gib(torch.device("cpu")) < 10_000
