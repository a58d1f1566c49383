"""Tables: one dialogue a row, its columns named by `Columns`; other columns are not read.

A row's text is what the customer wrote, its pictures what the customer sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from kdsl_cli.dialogues.readers.fields import Record, RowError, identifier, optional_text, picture_names, text
from kdsl_cli.dialogues.readers.marks import hand_out
from kdsl_cli.dialogues.readers.options import Columns, ReaderOptions
from kdsl_cli.dialogues.readers.rows import Row, csv_rows, read_bytes
from kdsl_cli.dialogues.schema import Dialogue
from kdsl_cli.errors import DatasetError, Problem, did_you_mean

_SEPARATOR = ";"


def rows(path: Path, columns: Columns) -> Iterator[Row | Problem]:
    """Give the rows of a CSV or Parquet file, their values under the names of `Columns`.

    Raises
    ------
    DatasetError
        If the file cannot be read as a table, or lacks a column that `columns` names.
    """
    named = {field: column for field, column in asdict(columns).items() if column is not None}
    if "text" not in named and "images" not in named:
        raise DatasetError("neither a text nor an images column is named", where=str(path))
    return _parquet(path, named) if path.suffix == ".parquet" else _csv(path, named)


def parse(row: Record, default_id: str, options: ReaderOptions) -> Dialogue:
    """Return the dialogue of one row; a table without id column has its rows numbered.

    Raises
    ------
    RowError
        Saying what is wrong with the row.
    """
    task = optional_text(row, "task") or options.task
    if task is None:
        raise RowError("has no task", fix="Name the task with --task, or its column with --columns task=...")
    said = text(row, "text") if row.get("text") is not None else ""
    turns = hand_out([("customer", said)], picture_names(row, "images"))
    name = identifier(row, None if "id" in row else default_id)
    return Dialogue(name, task, turns, optional_text(row, "group"), optional_text(row, "label"))


def _csv(path: Path, named: dict[str, str]) -> Iterator[Row | Problem]:
    for row in csv_rows(path, lambda header: _require(path, named, header)):
        yield row if isinstance(row, Problem) else Row(row[0], _csv_row(row[1], named))


def _csv_row(cells: dict[str, str], named: dict[str, str]) -> dict[str, object]:
    # CSV cannot tell empty from missing: an empty cell is a missing value, save for the text.
    row: dict[str, object] = {field: cells[column] or None for field, column in named.items()}
    if "images" in row:
        row["images"] = _split(row["images"])
    return row


def _parquet(path: Path, named: dict[str, str]) -> Iterator[Row | Problem]:
    import polars as pl

    if not read_bytes(path).startswith(b"PAR1"):
        raise DatasetError("is not Parquet", where=str(path), fix="Name a CSV file with the ending .csv.")
    try:
        header = list(pl.read_parquet_schema(path))
        _require(path, named, header)
        frame = pl.read_parquet(path, columns=list(dict.fromkeys(named.values())))
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).split("\n")[0]
        raise DatasetError(f"is not whole Parquet: {reason}", where=str(path), fix="Make it anew.") from error
    for number, values in enumerate(frame.iter_rows(named=True), start=1):
        row: dict[str, object] = {field: values[column] for field, column in named.items()}
        if isinstance(row.get("images"), str):
            row["images"] = _split(row["images"])
        yield Row(number, row)


def _split(value: object) -> list[str]:
    return [name.strip() for name in str(value or "").split(_SEPARATOR) if name.strip()]


def _require(path: Path, named: dict[str, str], header: Sequence[str]) -> None:
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise DatasetError(f"the column '{twice[0]}' stands twice", where=f"{path}:1")
    problems = [
        Problem(
            f"{path}:1",
            f"has no column '{column}' for the {field}",
            ", ".join(header),
            did_you_mean(column, header) or f"Name it with --columns {field}=...",
        )
        for field, column in named.items()
        if column not in header
    ]
    if problems:
        raise DatasetError(problems)
