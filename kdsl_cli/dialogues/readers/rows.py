"""From a file to its rows, each with the line it begins on; a row that cannot be read is a problem itself."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kdsl_cli.errors import DatasetError, Problem, did_you_mean

_SPACE = re.compile(r"[ \t\r\n]*")  # JSON's own idea of white space


@dataclass(frozen=True, slots=True)
class Row:
    """One element of a file. `line` counts from 1; in Parquet, which has no lines, rows are counted."""

    line: int
    value: object


class RepeatedKeys(dict[str, object]):
    """A JSON object in which a key stood twice, so that one of the two values is lost."""


def read_bytes(path: Path) -> bytes:
    """Return the content of `path`.

    Raises
    ------
    DatasetError
        If there is no such file, or it is a folder, empty or not readable.
    """
    if path.is_dir():
        raise DatasetError("is a folder", where=str(path), fix="Name the data file in it.")
    if not path.exists():
        near = did_you_mean(path.name, _siblings(path))
        raise DatasetError("no such file", where=str(path), fix=near or "Check the path.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if not content.strip():
        raise DatasetError("is empty", where=str(path), allowed="at least one dialogue")
    return content


def read_text(path: Path) -> str:
    """Return the text of `path`; a UTF-8 byte order mark is taken off.

    Raises
    ------
    DatasetError
        As `read_bytes`, and if the file is not UTF-8, with the line of the first bad byte.
    """
    content = read_bytes(path)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DatasetError("is UTF-16", where=f"{path}:1", allowed="UTF-8", fix="Save it as UTF-8.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DatasetError(
            f"byte 0x{content[error.start]:02x} is not UTF-8",
            where=f"{path}:{line}",
            fix=f"If the file is GB18030: iconv -f GB18030 -t UTF-8 '{path}' > utf8-{path.name}",
        ) from error
    if not text.strip():
        raise DatasetError("is empty", where=str(path), allowed="at least one dialogue")
    return text


def json_rows(path: Path) -> Iterator[Row | Problem]:
    """Give the rows of a JSON list or of JSON Lines, in order.

    A broken line of JSON Lines is a problem and reading goes on. A broken JSON list cannot be read on, and
    how many rows are lost cannot be known: that is an error whatever number of bad rows is allowed.

    Raises
    ------
    DatasetError
        If the file cannot be read, or is a JSON list that breaks off.
    """
    text = read_text(path)
    return _listed(text, path) if text.lstrip().startswith("[") else _lines(text, path)


def csv_rows(
    path: Path, check: Callable[[Sequence[str]], None]
) -> Iterator[tuple[int, dict[str, str]] | Problem]:
    """Give the rows of a CSV file below its header: the line each begins on, and its cells by column.

    Parameters
    ----------
    check
        Is given the header before any row, and raises if it will not do.

    Raises
    ------
    DatasetError
        If the file cannot be read, or is no CSV.
    """
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        header = next(reader)
        check(header)
        while True:
            line = reader.line_num + 1  # a quoted field may hold line ends: where the row begins
            cells = next(reader, None)
            if cells is None:
                return
            if len(cells) == len(header):
                yield line, dict(zip(header, cells, strict=True))
            elif cells:
                yield Problem(
                    f"{path}:{line}", f"has {len(cells)} fields", f"{len(header)}, as the header has"
                )
    except csv.Error as error:
        raise DatasetError(f"is not CSV: {error}", where=f"{path}:{reader.line_num}") from error


def _lines(text: str, path: Path) -> Iterator[Row | Problem]:
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    for number, line in enumerate(text.split("\n"), start=1):  # not splitlines: JSON text may hold U+2028
        if not line.strip():
            continue
        try:
            yield Row(number, decoder.decode(line))
        except (ValueError, RecursionError) as error:
            if number == 1 and line.strip() in ("{", "{}"):
                raise DatasetError(
                    "is one JSON object over several lines",
                    where=f"{path}:1",
                    allowed="a JSON list, or JSON Lines with one whole object on each line",
                ) from error
            yield Problem(
                f"{path}:{number}", f"is not JSON: {_reason(error, number)}", "one JSON object a line"
            )


def _listed(text: str, path: Path) -> Iterator[Row | Problem]:
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    at = _skip(text, text.index("[") + 1)
    line, counted = 1, 0
    if text[at : at + 1] == "]":
        raise DatasetError("is an empty list", where=str(path), allowed="at least one dialogue")
    while True:
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise _broken(path, line, _reason(error, line)) from error
        yield Row(line, value)
        end = _skip(text, end)
        if text[end : end + 1] == "]":
            break
        if text[end : end + 1] != ",":
            raise _broken(path, line, "no ',' or ']' after it")
        at = _skip(text, end + 1)
    if text[_skip(text, end + 1) :]:
        raise _broken(path, line, "there is more text after the list's closing ']'")


def _broken(path: Path, line: int, reason: str) -> DatasetError:
    return DatasetError(
        f"the JSON list breaks in the element that begins here: {reason}",
        where=f"{path}:{line}",
        fix="Mend it there; the elements after it cannot be read. A file cut short must be fetched again.",
    )


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else RepeatedKeys(found)


def _reason(error: Exception, line: int) -> str:
    if isinstance(error, json.JSONDecodeError):
        # In a list the text goes on over many lines; a line of JSON Lines is a text of its own.
        place = f"line {error.lineno}, " if error.lineno > line else ""
        return f"{error.msg} ({place}character {error.colno})"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _siblings(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return []
