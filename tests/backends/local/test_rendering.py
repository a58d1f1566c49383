"""Prompts are the same tensors whether they are written one by one or together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kdsl_cli.backends.local.rendering import Renderer
from kdsl_cli.dialogues.prompting import Prompt
from tests.backends.local.families import later_qwen, llava

pytestmark = pytest.mark.local

PROMPTS = (
    Prompt("", ("我要退款",)),
    Prompt("Answer with an intent.", ("customer: where is my parcel?", "Which intent is it? " * 8)),
    Prompt("", ("a <|im_end|> that ends nothing",)),
    Prompt("", ("?",)),
)


def own(checkpoint: Path) -> tuple[Any, Any]:
    import transformers

    return None, transformers.AutoProcessor.from_pretrained(checkpoint)


@pytest.mark.parametrize(
    "family",
    [
        own,
        lambda checkpoint: later_qwen("Qwen2_5_VLConfig", checkpoint),
        lambda checkpoint: later_qwen("Qwen3VLConfig", checkpoint),
        llava,
    ],
    ids=["Qwen2-VL", "Qwen2.5-VL", "Qwen3-VL", "LLaVA"],
)
def test_prompts_written_together_are_those_written_one_by_one(
    checkpoint: Path, family: Callable[[Path], tuple[Any, Any]]
) -> None:
    import torch

    renderer = Renderer(family(checkpoint)[1], image_token=None, max_pixels=60_000)
    together = renderer.plain(PROMPTS)
    assert len(together) == len(PROMPTS)
    for prompt, row in zip(PROMPTS, together, strict=True):
        alone = renderer.row(prompt)
        assert (row.length, row.image_tokens, row.pictures) == (alone.length, 0, ())
        assert row.inputs.keys() == alone.inputs.keys()
        for name, tensor in row.inputs.items():
            assert tensor.dtype == alone.inputs[name].dtype
            assert torch.equal(tensor, alone.inputs[name])


def test_no_prompts_are_no_rows(checkpoint: Path) -> None:
    assert Renderer(own(checkpoint)[1], image_token=None, max_pixels=60_000).plain([]) == []
