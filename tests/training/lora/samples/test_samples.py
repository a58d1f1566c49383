"""What a model is asked, and what it is to answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kdsl_cli.dialogues.prompting import Choice, Picture, intent_prompt
from kdsl_cli.dialogues.schema import Turn
from kdsl_cli.errors import DatasetError
from kdsl_cli.training.lora.samples.samples import sample_of, view_of
from tests.training.lora.dialogues import TASK, blind_view, said


def test_what_all_dialogues_of_a_task_share_stands_first() -> None:
    view = blind_view("1.png")
    asked = [
        sample_of(said("a", "refund", Turn("customer", "", ("1.png",))), TASK),
        sample_of(said("b", "退货", Turn("customer", "我的钱呢")), TASK),
    ]
    one, other = (sample.prompt(view) for sample in asked)
    assert one.system == other.system
    assert one.parts[-1] == other.parts[-1]
    assert isinstance(one.parts[1], Picture)


def test_an_intent_is_told_in_one_line() -> None:
    prompt = sample_of(said("a", "refund"), TASK).prompt(blind_view())
    lines = prompt.system.splitlines()
    assert lines[2:-1] == [
        "- refund: 退款 · wants money back",
        "- parcel: asks where the parcel is。",
        "- 退货",
        "- a/b (c): odd name",
    ]
    bare = sample_of(said("a", "refund"), TASK).prompt(blind_view(described=False))
    assert bare.system.splitlines()[2:-1] == ["- refund", "- parcel", "- 退货", "- a/b (c)"]


def test_no_prompt_tells_the_label() -> None:
    view = blind_view()
    labelled = sample_of(said("a", "refund"), TASK)
    assert labelled.prompt(view) == sample_of(said("a", None), TASK).prompt(view)
    assert labelled.prompt(view) == sample_of(said("a", "退货"), TASK).prompt(view)


def test_notes_stand_behind_the_dialogue() -> None:
    sample = sample_of(said("a", "refund"), TASK, notes=("it rains", "it pours"))
    assert sample.prompt(blind_view()).parts[-2] == "Known about it:\n- it rains\n- it pours"


def test_a_reason_is_asked_for_and_stands_before_the_name() -> None:
    sample = sample_of(said("a", "退货"), TASK)
    reasoned = replace(sample, reason="因为要寄回")
    assert sample.completion == "退货"
    assert reasoned.completion == "因为要寄回\n退货"
    assert reasoned.prompt(blind_view()).parts[:-1] == sample.prompt(blind_view()).parts[:-1]
    assert "why" in str(reasoned.prompt(blind_view()).parts[-1])


def test_an_unlabelled_sample_can_be_asked_and_not_learnt() -> None:
    sample = sample_of(said("a", None), TASK)
    assert sample.prompt(blind_view())
    with pytest.raises(ValueError, match="a has no label"):
        _ = sample.completion


def test_a_label_that_is_no_intent_is_told() -> None:
    with pytest.raises(DatasetError, match="Did you mean 'refund'"):
        sample_of(said("a", "refunds"), TASK)


def test_prediction_asks_the_same() -> None:
    """A tuned model is asked from what its record keeps: names and descriptions, and no `Task`."""
    view = blind_view("1.png", "2.png")
    dialogue = said("a", "refund", Turn("customer", "看<image>和<image>", ("1.png", "2.png")))
    choices = [Choice(intent.name, intent.description) for intent in TASK.intents]
    asked = intent_prompt(dialogue, choices, view.pictures.__getitem__, described=True)
    assert sample_of(dialogue, TASK).prompt(view).content() == asked.content()


def test_pictures_are_named_by_content_and_a_missing_one_waits_for_its_showing(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"1")
    view = view_of([said("a", None, Turn("customer", "", ("1.png", "2.png")))], tmp_path, described=True)
    assert view.pictures["1.png"].path == tmp_path / "1.png"
    assert len(view.pictures["1.png"].sha256) == 64
    assert view.pictures["2.png"] == Picture(tmp_path / "2.png", "")
