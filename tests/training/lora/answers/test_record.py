"""What a tuned model writes of itself, and what it finds out by it. Needs no torch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kdsl_cli.dialogues.prompting import INTENT_VERSION, Choice
from kdsl_cli.errors import StageError
from kdsl_cli.training.lora.answers.record import (
    ADAPTER,
    MODEL,
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
    scene = TunedTask(name="scene", choices=(Choice(name="退款", description="wants money"),))
    wish = TunedTask(name="wish", choices=(Choice(name="hurry"), Choice(name="return")))
    return TunedRecord(
        kind="lora",
        base="local:models/tiny",
        revision="sha256:ab",
        quant="nf4",
        max_pixels=50_176,
        processor="ef",
        prompts=INTENT_VERSION,
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


def refusal(found: TunedRecord, identity: dict[str, str]) -> str:
    with pytest.raises(StageError) as told:
        found.check(identity, "the model")
    return str(told.value)


@pytest.mark.parametrize("name", ["revision", "adapter", "quant", "max_pixels", "processor"])
def test_whatever_shapes_an_answer_must_be_as_in_training(name: str) -> None:
    record().check(IDENTITY, "the model")
    told = refusal(record(), IDENTITY | {name: "other"})
    assert f"the model: {name} is other, in training it was {getattr(record(), name)}" in told
    assert "not told" in refusal(record(), {key: value for key, value in IDENTITY.items() if key != name})


def test_device_and_precision_may_differ() -> None:
    record().check(IDENTITY | {"dtype": "float32", "device": "cpu", "model": "moved"}, "the model")


def test_where_all_weights_were_learnt_they_are_the_ones_that_must_be_there() -> None:
    full = record().model_copy(update={"kind": "full"})
    full.check(IDENTITY | {"revision": "sha256:cd", "adapter": "none"}, "the model")
    assert "revision is sha256:ab" in refusal(full, IDENTITY | {"adapter": "none"})


def test_other_prompts_are_refused_whoever_answers() -> None:
    old = record().model_copy(update={"prompts": "0"})
    for kind in ("local", "http", "scripted"):
        assert "prompts is 1, in training it was 0" in refusal(old, IDENTITY | {"kind": kind})


def test_of_a_server_the_size_of_pictures_is_checked() -> None:
    served = {"kind": "http", "max_pixels": "50176"}
    record().check(served, "the model")
    assert "max_pixels is 7" in refusal(record(), served | {"max_pixels": "7"})
    record().check({"kind": "scripted"}, "the model")


def test_temperatures_are_set_by_task() -> None:
    hot = record().at({"wish": 1.5})
    assert (hot.task("scene").temperature, hot.task("wish").temperature) == (1.0, 1.5)
    assert hot.intents == {"scene": ("退款",), "wish": ("hurry", "return")}
