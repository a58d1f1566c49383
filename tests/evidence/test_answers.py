"""Answers keep their file, and what is not known is never a no."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from kdsl_cli.errors import EvidenceError
from kdsl_cli.evidence.answers import answered_by, read_answers, with_answers, write_answers
from kdsl_cli.evidence.questions import Answer
from kdsl_cli.logic.facts import Facts

RED, BLUE = "画面是红色吗?", "Is it blue?"
ROWS = [
    ("b", RED, Answer(False, -1.5, "likelihood")),
    ("a", RED, Answer(True, 2.0, "likelihood")),
    ("a", BLUE, Answer(None, 0.01, "likelihood")),
    ("b", BLUE, Answer(None, error="too slow")),
]


def test_rows_come_back_and_the_unknown_ones_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "answers.parquet"
    write_answers(path, ROWS, {"kind": "scripted", "model": "某模型"})
    assert read_answers([path]) == {"a": {RED: True}, "b": {RED: False}}
    assert answered_by(path) == {"kind": "scripted", "model": "某模型"}
    errors = pl.read_parquet(path).drop_nulls("error")
    assert errors.select("id", "question", "error").rows() == [("b", BLUE, "too slow")]


def test_the_order_of_answering_does_not_show(tmp_path: Path) -> None:
    for name, rows in (("one", ROWS), ("two", ROWS[::-1])):
        write_answers(tmp_path / name, rows, {"a": "b"})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_of_two_files_the_later_counts(tmp_path: Path) -> None:
    for name, value in (("one", True), ("two", False), ("three", None)):
        write_answers(tmp_path / name, [("a", RED, Answer(value))], {})
    assert read_answers([tmp_path / "one", tmp_path / "two", tmp_path / "three"]) == {"a": {RED: False}}


def test_facts_take_answers_beside_those_they_have() -> None:
    facts = {"a": Facts("a", answers={BLUE: True}), "c": Facts("c")}
    known = with_answers(facts, {"a": {RED: False}, "b": {RED: True}})
    assert known == {"a": Facts("a", answers={BLUE: True, RED: False}), "c": Facts("c")}


@pytest.mark.parametrize("content", [None, b"hello", "other"])
def test_another_file_is_told(tmp_path: Path, content: bytes | str | None) -> None:
    path = tmp_path / "answers.parquet"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        pl.DataFrame({"id": ["a"]}).write_parquet(path)
    with pytest.raises(EvidenceError, match=r"answers\.parquet.*kdsl extract"):
        read_answers([path])
