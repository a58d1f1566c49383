"""What a tuned model writes of itself, and what it finds out by it. Needs no torch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kdsl_cli.errors import StageError
from kdsl_cli.training.lora.record import (
    ADAPTER,
    MODEL,
    TunedIntent,
    TunedRecord,
    TunedTask,
    adapter_hash,
    load,
    save,
)

IDENTITY = {
    "kind": "local",
    "model": "tiny",
    "revision": "sha256:ab",
    "adapter": "sha256:cd",
    "quant": "nf4",
    "max_pixels": "50176",
    "processor": "ef",
    "dtype": "bfloat16",
}


def record(adapter: str = "sha256:cd") -> TunedRecord:
    scene = TunedTask(name="scene", choices=(TunedIntent(name="退款", description="wants money"),))
    wish = TunedTask(name="wish", choices=(TunedIntent(name="hurry"), TunedIntent(name="return")))
    return TunedRecord(
        kind="lora",
        base="local:models/tiny",
        revision="sha256:ab",
        quant="nf4",
        max_pixels=50_176,
        processor="ef",
        prompts="1",
        described=True,
        tasks=(scene, wish),
        adapter=adapter,
        settings={"rank": 16},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ADAPTER).mkdir()
    (tmp_path / ADAPTER / "adapter_config.json").write_text("{}")
    save(tmp_path, record(adapter_hash(tmp_path / ADAPTER)))
    return tmp_path


def test_what_was_saved_is_read_and_saved_again_as_the_same_bytes(folder: Path) -> None:
    first = (folder / MODEL).read_bytes()
    found = load(folder)
    assert found == record(found.adapter)
    save(folder, found)
    assert (folder / MODEL).read_bytes() == first
    assert json.loads(first)["schema"] == "kdsl.lora/1"
    assert "退款" in first.decode()


def test_an_adapter_that_was_changed_is_found_out(folder: Path) -> None:
    (folder / ADAPTER / "adapter_model.safetensors").write_bytes(b"other")
    with pytest.raises(StageError, match="not the adapter"):
        load(folder)


def test_a_folder_without_model_or_adapter_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="kdsl train-large"):
        load(tmp_path)
    save(tmp_path, record())
    with pytest.raises(StageError, match="no adapter"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "where"),
    [("kind", "magic", "kind"), ("tasks", [], "tasks"), ("surprise", 1, "surprise")],
)
def test_a_record_that_is_none_is_told_by_its_place(
    folder: Path, key: str, value: object, where: str
) -> None:
    content = json.loads((folder / MODEL).read_text(encoding="utf-8"))
    (folder / MODEL).write_text(json.dumps(content | {key: value}))
    with pytest.raises(StageError, match=f"{MODEL}:{where}"):
        load(folder)


@pytest.mark.parametrize("name", ["revision", "adapter", "quant", "max_pixels", "processor"])
def test_whatever_shapes_an_answer_must_be_as_in_training(name: str) -> None:
    assert record().differences(IDENTITY) == []
    [told] = record().differences(IDENTITY | {name: "other"})
    assert name in told and "other" in told and str(getattr(record(), name)) in told
    [told] = record().differences({key: value for key, value in IDENTITY.items() if key != name})
    assert "not told" in told


def test_device_and_precision_may_differ() -> None:
    assert record().differences(IDENTITY | {"dtype": "float32", "device": "cpu", "model": "moved"}) == []


def test_temperatures_are_set_by_task() -> None:
    hot = record().at({"wish": 1.5})
    assert (hot.task("scene").temperature, hot.task("wish").temperature) == (1.0, 1.5)
    assert hot.intents == {"scene": ("退款",), "wish": ("hurry", "return")}
