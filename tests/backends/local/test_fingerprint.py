"""Processors that make the same tensors are the same; any other is another."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kdsl_cli.backends.local.fingerprint import fingerprint
from kdsl_cli.backends.local.local import LocalBackend
from kdsl_cli.backends.local.rendering import Renderer

pytestmark = pytest.mark.local


@pytest.fixture
def processor(checkpoint: Path, tmp_path: Path) -> Callable[..., Any]:
    """Load the checkpoint's processor, one of its files changed."""
    from transformers import AutoProcessor

    def load(name: str = "", change: Callable[[str], str] = str) -> Any:
        folder = tmp_path / "model"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(checkpoint, folder)
        if name:
            (folder / name).write_text(change((folder / name).read_text(encoding="utf-8")), encoding="utf-8")
        return AutoProcessor.from_pretrained(folder)

    return load


def printed(processor: Any, max_pixels: int = 50_000) -> str:
    token = processor.tokenizer.convert_tokens_to_ids("<|image_pad|>")
    return fingerprint(Renderer(processor, token, max_pixels))


def test_it_is_part_of_a_models_identity(opened: LocalBackend, processor: Callable[..., Any]) -> None:
    assert opened.identity["processor"] == printed(processor())


def test_the_budget_of_pictures_is_not_the_processors(processor: Callable[..., Any]) -> None:
    assert printed(processor(), 50_000) == printed(processor(), 400_000)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("chat_template.jinja", lambda text: text.replace("helpful", "sulky")),
        ("tokenizer.json", lambda text: text.replace('"type": "ByteLevel"', '"type": "ByteLevel" ', 1)),
        ("processor_config.json", lambda text: text.replace("0.48145466", "0.5")),
    ],
)
def test_what_changes_a_tensor_changes_it_and_nothing_else_does(
    processor: Callable[..., Any], name: str, change: Callable[[str], str]
) -> None:
    before, after = printed(processor()), printed(processor(name, change))
    assert (before == after) is (name == "tokenizer.json")  # a blank in JSON is no other tokenizer


def test_words_that_are_cut_in_another_way_change_it(processor: Callable[..., Any]) -> None:
    def forget(text: str) -> str:
        content = json.loads(text)
        content["model"]["merges"] = content["model"]["merges"][:50]
        return json.dumps(content)

    assert printed(processor("tokenizer.json", forget)) != printed(processor())
