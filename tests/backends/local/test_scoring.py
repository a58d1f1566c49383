"""Choices scored in one pass get what a pass of their own would give them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsl_cli.backends.backend import Scored
from kdsl_cli.backends.local import scoring
from kdsl_cli.backends.local.loading import Loaded
from kdsl_cli.backends.local.local import LocalBackend
from kdsl_cli.backends.local.quantising import outside_language_model
from kdsl_cli.backends.local.rendering import Renderer, batched
from kdsl_cli.backends.local.scoring import ROOT, grow
from kdsl_cli.backends.spec import BackendOptions
from kdsl_cli.dialogues.prompting import Prompt
from tests.backends.local.conftest import ShownPicture
from tests.backends.local.families import later_qwen, llava

pytestmark = pytest.mark.local

LABELS = ("refund-progress", "refund-only", "return-goods", "home", "home-popup", "退款进度", "退款", "")


@given(st.lists(st.lists(st.integers(0, 3), max_size=4), min_size=1, max_size=8))
def test_a_path_down_the_trie_spells_its_choice(choices: list[list[int]]) -> None:
    trie = grow(choices, end=9)
    for choice, path in zip(choices, trie.paths, strict=True):
        assert [token for _, token in path] == [*choice, 9]
        for depth, (at, _) in enumerate(path):
            assert (at == ROOT) == (depth == 0)
            if at != ROOT:
                assert trie.tokens[at] == choice[depth - 1]
                assert trie.depths[at] == depth - 1
                assert trie.parents[at] == path[depth - 1][0]
    # Nothing is computed twice, and nothing that no choice asks for.
    beginnings = {tuple(choice[: length + 1]) for choice in choices for length in range(len(choice))}
    assert len(trie.tokens) == len(beginnings)


def prompts(noise: ShownPicture) -> list[Prompt]:
    return [
        Prompt("", (noise(200, 100), "这是什么页面？")),
        Prompt("Answer with an intent.", ("我要退款", "Which intent is it? " * 8)),
        Prompt("", ("看", noise(60, 90), "和", noise(100, 100), "哪个？")),
        Prompt("", ("?",)),
    ]


def both_ways(model: Any, renderer: Renderer, asked: list[Prompt]) -> tuple[Any, Any]:
    import torch

    trie = grow([renderer.tokens(label) for label in LABELS], renderer.end)
    with torch.inference_mode():
        batch = batched([renderer.row(prompt) for prompt in asked], 0, "cpu")
        return scoring.in_one_pass(model, batch, trie), scoring.one_by_one(model, batch, trie)


@pytest.mark.slow
def test_one_pass_scores_as_a_pass_each_on_quantised_weights(
    opened: LocalBackend, checkpoint: Path, noise: ShownPicture
) -> None:
    one, each = both_ways(opened._model, opened._renderer, prompts(noise))
    for left, right in zip(one, each, strict=True):
        assert left == pytest.approx(right, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Qwen2_5_VLConfig", "Qwen3VLConfig"])
def test_so_it_does_for_the_later_families(name: str, checkpoint: Path, noise: ShownPicture) -> None:
    model, processor = later_qwen(name, checkpoint)
    one, each = both_ways(model, Renderer(processor, model.config.image_token_id, 30_000), prompts(noise))
    assert one is not None
    for left, right in zip(one, each, strict=True):
        assert left == pytest.approx(right, abs=1e-4)


def test_a_score_is_that_of_the_model_asked_plainly(opened: LocalBackend, noise: ShownPicture) -> None:
    """Of prompt, choice and end in one row without padding, positions left to the model."""
    import torch

    prompt = Prompt("", (noise(84, 56), "这是什么页面？"))
    [told] = opened.score([prompt], ["退款进度"])
    inputs = opened._renderer.row(prompt).inputs
    answer = torch.tensor([[*opened._renderer.tokens("退款进度"), opened._renderer.end]])
    for name, more in (
        ("input_ids", answer),
        ("attention_mask", answer * 0 + 1),
        ("mm_token_type_ids", answer * 0),
    ):
        inputs[name] = torch.cat([inputs[name], more], dim=1)
    with torch.inference_mode():
        logits = opened._model(**inputs).logits[0, -answer.shape[1] - 1 : -1].log_softmax(-1)
    assert isinstance(told, Scored)
    assert told.logprobs[0] == pytest.approx(float(logits.gather(1, answer.T).sum()), abs=1e-4)


@pytest.mark.slow
def test_a_family_that_cannot_share_a_pass_takes_one_each_and_says_so(
    checkpoint: Path, noise: ShownPicture, caplog: pytest.LogCaptureFixture
) -> None:
    model, processor = llava(checkpoint)
    assert outside_language_model(model) == ("lm_head", "model.multi_modal_projector", "model.vision_tower")
    options = BackendOptions(max_pixels=30_000, batch_size=4)
    backend = LocalBackend(
        "local:llava", Loaded(model, processor, {"kind": "local", "model": "llava"}), options
    )
    asked = prompts(noise)
    with caplog.at_level("WARNING"):
        together = backend.score(asked, LABELS)
    assert "cannot share" in caplog.text
    for prompt, told in zip(asked, together, strict=True):
        [alone] = backend.score([prompt], LABELS)
        assert isinstance(told, Scored)
        assert isinstance(alone, Scored)
        assert told.logprobs == pytest.approx(alone.logprobs, abs=1e-4)
        assert told.usage.image_tokens == 16 * len(prompt.pictures)
