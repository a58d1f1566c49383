"""Answers of a model as a Parquet file: one row a dialogue and question.

Columns: id, question, answer (null: undecided or failed), log_odds (null: not told), method, error (null
unless it failed). Rows stand by id, then question. The file's metadata hold ``schema`` and, as JSON,
``model``: the identity of who answered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from kdsl_cli.errors import EvidenceError
from kdsl_cli.evidence.questions import Answer
from kdsl_cli.logic.facts import Facts
from kdsl_cli.runs.atomic import write_parquet

SCHEMA: Final = "kdsl.answers/1"

COLUMNS: Final = pl.Schema(
    {
        "id": pl.String(),
        "question": pl.String(),
        "answer": pl.Boolean(),
        "log_odds": pl.Float64(),
        "method": pl.String(),
        "error": pl.String(),
    }
)

Row = tuple[str, str, Answer]
"""Dialogue id, question, answer."""


def write_answers(path: Path, rows: Iterable[Row], model: Mapping[str, str]) -> None:
    """Write answers to `path`, whole or not at all.

    Parameters
    ----------
    model
        `Backend.identity` of who gave them.
    """
    values = [
        (id, question, answer.value, answer.log_odds, answer.method, answer.error)
        for id, question, answer in rows
    ]
    frame = pl.DataFrame(values, schema=COLUMNS, orient="row").sort("id", "question")
    note = json.dumps(dict(model), ensure_ascii=False, sort_keys=True)
    write_parquet(path, frame, metadata={"schema": SCHEMA, "model": note})


def read_answers(paths: Sequence[Path]) -> dict[str, dict[str, bool]]:
    """Return the answers in some files by dialogue id and question; where two files differ, the later counts.

    Undecided and failed ones are left out: they are unknown, which is not "no".

    Raises
    ------
    EvidenceError
        If a file is not there or holds something else.
    """
    files = (_read(path).select("id", "question", "answer") for path in paths)
    return decided(row for told in files for row in told.iter_rows())


def decided(told: Iterable[tuple[str, str, bool | None]]) -> dict[str, dict[str, bool]]:
    """Return answers by dialogue id and question, without those that are unknown; of two the later counts.

    Examples
    --------
    >>> decided([("a", "Red?", True), ("a", "New?", None)])
    {'a': {'Red?': True}}
    """
    found: dict[str, dict[str, bool]] = {}
    for id, question, answer in told:
        if answer is not None:
            found.setdefault(id, {})[question] = answer
    return found


def answered_by(path: Path) -> dict[str, str]:
    """Return the identity of the model whose answers a file holds.

    Raises
    ------
    EvidenceError
        If the file is not there or holds something else.
    """
    _read(path)
    model: dict[str, str] = json.loads(pl.read_parquet_metadata(path)["model"])
    return model


def with_answers(facts: Mapping[str, Facts], answers: Mapping[str, Mapping[str, bool]]) -> dict[str, Facts]:
    """Return facts with the answers that are known of each dialogue, beside those it has.

    Examples
    --------
    >>> with_answers({"a": Facts("a"), "b": Facts("b")}, {"a": {"Red?": True}})["a"].answers
    {'Red?': True}
    """
    return {
        id: replace(fact, answers={**fact.answers, **answers[id]}) if id in answers else fact
        for id, fact in facts.items()
    }


def _read(path: Path) -> pl.DataFrame:
    fix = "Run: kdsl extract --force"
    if not path.is_file():
        raise EvidenceError("no such file of answers", where=str(path), fix="Run: kdsl extract")
    try:
        frame, note = pl.read_parquet(path), pl.read_parquet_metadata(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise EvidenceError(f"not a Parquet file: {error}", where=str(path), fix=fix) from error
    if note.get("schema") != SCHEMA or frame.schema != COLUMNS:
        raise EvidenceError(
            "not answers of this version", where=str(path), allowed=", ".join(COLUMNS.names()), fix=fix
        )
    return frame
