"""What is added to a model: where, the same for a seed, with gradients, and written to be read again."""

from __future__ import annotations

import json

import pytest

from kdsl_cli.backends.local.loading import load
from kdsl_cli.backends.local.quantising import outside_language_model
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from kdsl_cli.errors import BackendError
from kdsl_cli.training.lora.adapters.adapting import adapt, targets
from tests.training.lora.dialogues import TASK
from tests.training.lora.learning import Bench, opened, samples, settings

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.local

SIZES = {TASK.name: len(TASK.names)}


def test_additions_are_in_the_language_model_alone_unless_all_is_asked_for(checkpoint):
    model = opened(checkpoint).model
    outside = outside_language_model(model)
    language, everything = targets(model, "language"), targets(model, "all")
    assert len(language) == 14 and set(language) < set(everything)
    assert not any(f"{name}.".startswith(f"{top}.") for name in language for top in outside)
    assert "lm_head" not in everything


def test_equal_seeds_begin_alike_and_others_do_not(checkpoint):
    def begun(seed, **changes):
        return adapt(opened(checkpoint), settings(**changes), SIZES, seed).initial_hash

    torch.manual_seed(1)
    first = begun(7)
    torch.manual_seed(2)  # whatever was drawn before
    assert first == begun(7)
    assert len({first, begun(8), begun(7, rank=8)}) == 3


@pytest.mark.parametrize("quant", ["none", "nf4"])
@pytest.mark.parametrize("method", ["lora", "head", "prompt"])
def test_gradients_reach_what_is_learnt_and_nothing_else_after_judging_too(
    checkpoint, tmp_path, method, quant
):
    bench = Bench(checkpoint, tmp_path, settings(method=method, quant=quant, checkpointing=True))
    own = samples(1)
    with bench.adapted.judging():
        bench.model.told(TASK.name, [one.dialogue for one in own])
    if method == "head":  # at its zeros nothing goes back through it
        torch.nn.init.normal_(bench.adapted.head.weights[f"{TASK.name}.weight"])
    with bench.adapted.learning():
        bench.objective.loss(bench.adapted, bench.objective.batch(own)).backward()
    # The second factors of LoRA are zero at first, so the first ones get nothing yet.
    gradients = {name: weight.grad for name, weight in bench.adapted.learnt.items()}
    reached = {name for name, gradient in gradients.items() if gradient is not None and gradient.any()}
    assert reached == {name for name in bench.adapted.learnt if "lora_A" not in name}
    learnt = {id(weight) for weight in bench.adapted.learnt.values()}
    others = [weight for weight in bench.adapted.model.parameters() if id(weight) not in learnt]
    assert others and all(weight.grad is None for weight in others)


def test_quantised_weights_cannot_all_be_learnt(checkpoint):
    with pytest.raises(BackendError, match="quantised weights cannot be learnt"):
        adapt(opened(checkpoint, "nf4"), settings(method="full"), SIZES, 0)


def test_all_weights_are_those_of_the_language_model(checkpoint):
    learnt = adapt(opened(checkpoint), settings(method="full"), SIZES, 0).learnt
    assert len(learnt) > 20 and not any("visual" in name for name in learnt)


@pytest.mark.parametrize("method", ["lora", "head", "prompt"])
def test_what_is_written_is_the_same_bytes_each_time_and_tells_no_path(checkpoint, tmp_path, method):
    def written(name):
        adapt(opened(checkpoint), settings(method=method), SIZES, 3).save(tmp_path / name, "tiny")
        return {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}

    files = written("a")
    assert files == written("b")
    assert {"adapter_config.json", "adapter_model.safetensors"} <= set(files)
    assert ("head.safetensors" in files) == (method == "head")
    assert json.loads(files["adapter_config.json"])["base_model_name_or_path"] == "tiny"
    assert not any(str(checkpoint).encode() in content for content in files.values())


def test_the_adapter_that_was_written_is_what_prediction_loads(checkpoint, tmp_path):
    bench = Bench(checkpoint, tmp_path, settings())
    for weight in bench.adapted.learnt.values():
        torch.nn.init.normal_(weight, std=0.2)
    dialogues = [one.dialogue for one in samples(1)]
    with bench.adapted.judging():
        before = bench.model.scores(TASK.name, dialogues)
    bench.adapted.save(tmp_path / "adapter", "tiny")
    options = BackendOptions(quant="none", max_pixels=bench.settings.max_pixels)
    bench.loaded = load(LocalSpec(str(checkpoint), adapter=str(tmp_path / "adapter")), options)
    assert bench.model.scores(TASK.name, dialogues) == pytest.approx(before, abs=1e-6)


def test_state_can_be_taken_and_set_again(checkpoint):
    adapted = adapt(opened(checkpoint), settings(), SIZES, 0)
    state = adapted.state()
    for weight in adapted.learnt.values():
        torch.nn.init.ones_(weight)
    assert all(not torch.equal(adapted.learnt[name], state[name]) for name in state)
    adapted.set(state)
    assert all(torch.equal(adapted.learnt[name], state[name]) for name in state)
