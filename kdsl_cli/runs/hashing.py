"""What a file or a configuration was, in 64 hexadecimal digits."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file, or one folder, as it was when it was recorded.

    Attributes
    ----------
    path
        With forward slashes; relative to the folder of the manifest that holds the record, so that a
        workspace can be moved.
    sha256
        Of the bytes; of a folder: of the names and hashes of all files below it.
    bytes
        Size; of a folder: of all files below it.
    rows
        Lines of a JSONL file, rows of a Parquet file, files of a folder. None: not counted, or not countable.
    editable
        Whether it is a person's to edit once written. Such a file is never "changed since".
    """

    path: str
    sha256: str
    bytes: int
    rows: int | None = None
    editable: bool = False


def sha256_bytes(content: bytes) -> str:
    """Return the SHA-256 of `content` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in constant memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_json(value: Any) -> str:
    """Return the SHA-256 of `value` as canonical JSON: the order of keys does not matter, that of lists does.

    Paths count as their text. NaN and infinity are refused: they are not JSON, and NaN is not itself.

    Raises
    ------
    TypeError, ValueError
        If `value` cannot be said in JSON.

    Examples
    --------
    >>> sha256_json({"a": 1, "b": (2, 3)}) == sha256_json({"b": [2, 3], "a": 1})
    True
    """
    text = json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain
    )
    return sha256_bytes(text.encode("utf-8"))


def sha256_path(path: Path) -> str:
    """Return the hash of a file's bytes, or of the names and hashes of all files below a folder.

    Hidden files of a folder are left out: they are nobody's data.
    """
    if path.is_file():
        return sha256_file(path)
    return sha256_json([[file.relative_to(path).as_posix(), sha256_file(file)] for file in _files(path)])


def file_record(path: Path, *, base: Path | None = None, editable: bool = False) -> FileRecord:
    """Record a file or a folder; `path` is told relative to `base` if one is given."""
    name = PurePath(os.path.relpath(path, base) if base else path).as_posix()
    if path.is_file():
        return FileRecord(name, sha256_path(path), path.stat().st_size, _rows(path), editable)
    files = _files(path)
    size = sum(file.stat().st_size for file in files)
    return FileRecord(name, sha256_path(path), size, len(files), editable)


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))


def _rows(path: Path) -> int | None:
    if path.suffix == ".jsonl":
        with path.open("rb") as file:
            return sum(1 for line in file if line.strip())
    if path.suffix == ".parquet":
        import polars as pl

        try:
            return int(pl.scan_parquet(path).select(pl.len()).collect().item())
        except (
            pl.exceptions.PolarsError
        ):  # no Parquet file after all: whoever reads it says so, with its place
            return None
    return None


def _plain(value: Any) -> Any:
    if isinstance(value, PurePath):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} cannot be said in JSON: {value!r}")
