"""``kdsl data export --for-tuning``: through the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.runs.atomic import write_text
from tests.backends.local.conftest import checkpoint
from tests.commands.tuned_space import line, untuned_space

__all__ = ["checkpoint", "untuned_space"]

pytestmark = pytest.mark.usefixtures("quiet_environment")


@pytest.fixture
def parted(untuned_space: Path) -> Path:
    """Draw the splits by the program: the training split is known to leak nowhere."""
    text = (untuned_space / "data/test.jsonl").read_text(encoding="utf-8")
    text += "".join(line(f"more-{n}", "wish", f"where is number {n * 7919}", [], "hurry") for n in range(8))
    write_text(untuned_space / "data/dialogues.jsonl", text)
    assert run(["data", "split", "--fractions", "train=0.6,val=0.2,test=0.2", "-q"]) == 0
    return untuned_space


def rows(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_the_training_split_is_written_and_llama_factory_told(
    parted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_text(Path("out/dataset_info.json"), '{"mine": {"file_name": "mine.json"}}')
    capsys.readouterr()
    assert run(["data", "export", "--for-tuning", "--format", "messages", "--out", "out/shop.jsonl"]) == 0
    said = capsys.readouterr()
    train = rows("data/train.jsonl")
    assert [row["id"] for row in rows("out/shop.jsonl")] == [row["id"] for row in train if row["label"]]
    info = json.loads(Path("out/dataset_info.json").read_text(encoding="utf-8"))
    assert set(info) == {"mine", "shop"} and info["shop"]["file_name"] == "shop.jsonl"
    for row in rows("out/shop.jsonl"):
        assert all((Path("out") / name).is_file() for name in row["images"])
    if any(row["label"] is None for row in train):
        assert "without a label are left out: t-t5" in said.err


def test_a_file_of_ones_own_may_be_named(parted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write = ["data", "export", "data/test.jsonl", "--for-tuning", "--out", "out/own.jsonl", "--format"]
    assert run([*write, "sharegpt", "--catalogue", "intents.yaml"]) == 0
    assert rows("out/own.jsonl")
    assert run([*write, "canonical"]) == 2
    assert "messages, sharegpt" in capsys.readouterr().err


def test_a_split_that_leaks_is_not_written(parted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    splits = json.loads(Path("data/splits.json").read_text(encoding="utf-8"))
    home = {id: name for name, ids in splits["splits"].items() for id in ids}
    first = splits["splits"]["train"][0]
    other = next(id for id, name in home.items() if name != "train")
    splits["fingerprints"][other] = splits["fingerprints"][first]
    write_text(Path("data/splits.json"), json.dumps(splits))
    assert run(["data", "export", "--for-tuning", "--format", "messages", "--out", "out/shop.jsonl"]) == 1
    assert not Path("out/shop.jsonl").exists()


@pytest.mark.local
def test_chatting_trainers_see_the_tokens_that_are_tuned_on_here(parted: Path, checkpoint: Path) -> None:
    from transformers import AutoProcessor

    from kdsl_cli.backends.local.rendering import Renderer
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.dialogues.splits import load_split
    from kdsl_cli.training.lora.samples.samples import sample_of, view_of

    run(["data", "export", "--for-tuning", "--format", "messages", "--out", "data/shop.jsonl"])
    processor: Any = AutoProcessor.from_pretrained(checkpoint)
    renderer = Renderer(processor, None, 20_000)
    catalogue, dialogues = Catalogue.load(Path("intents.yaml")), load_split(Path("data"), "train")
    view = view_of(dialogues, Path("data"), described=True)
    exported = {row["id"]: row for row in rows("data/shop.jsonl")}
    for one in dialogues:
        if one.label is None:
            continue
        sample = sample_of(one, catalogue.task(one.task))
        said = exported[one.id]["messages"]
        here = renderer.text(sample.prompt(view)) + sample.completion
        there = processor.apply_chat_template(said, tokenize=False).replace(
            "<image>", "<|vision_start|><|image_pad|><|vision_end|>"
        )
        assert there.startswith(here)
        assert there[len(here) :].strip() == "<|im_end|>"
