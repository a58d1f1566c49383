"""Which format a file has: by its ending, else by the keys of its first row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kdsl_cli.dialogues.readers.options import Format
from kdsl_cli.dialogues.readers.rows import Row
from kdsl_cli.errors import DatasetError, Problem

TABLES = (".csv", ".parquet")

_TELLING_KEYS: tuple[tuple[str, Format], ...] = (
    ("turns", "canonical"),
    ("conversations", "sharegpt"),
    ("messages", "messages"),
    ("instruction", "challenge"),
)


def is_table(path: Path) -> bool:
    """Return whether `path` ends as a table does."""
    return path.suffix.lower() in TABLES


def detect(path: Path, rows: Sequence[Row | Problem]) -> Format:
    """Return the format of a JSON file by the first of its rows that is an object.

    Raises
    ------
    DatasetError
        If no row is one, or it has none of the keys that tell the formats apart.
    """
    first = next((row for row in rows if isinstance(row, Row) and isinstance(row.value, Mapping)), None)
    if first is None:
        broken = [row for row in rows if isinstance(row, Problem)]
        raise DatasetError(broken[:1] or f"{path}: no row is a JSON object")
    keys = list(first.value) if isinstance(first.value, Mapping) else []
    for key, format in _TELLING_KEYS:
        if key in keys:
            return format
    raise DatasetError(
        f"cannot tell the format from the keys {', '.join(map(str, keys)) or '(none)'}",
        where=f"{path}:{first.line}",
        allowed=", ".join(f"'{key}' ({format})" for key, format in _TELLING_KEYS),
        fix="Name it with --format.",
    )
