"""Append-only JSON lines: work that is done stays done, whatever happens to the process.

A line counts once its line end stands. So a writer that was killed in the middle of a line leaves a torn
last line, which readers pass over and the next writer cuts off; a broken line anywhere else means that
somebody else wrote the file, and is an error with its place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kdsl_cli.errors import Problem, StageError


class AppendLog:
    """A log open for appending; one writer at a time (a stage's lock sees to it).

    Parameters
    ----------
    path
        Made when missing; a torn last line is cut off.
    sync
        Whether each append waits for the disk, so that it outlives a power cut too. Without, it outlives
        a kill of the process only: enough for logs of many small lines that can be made again.
    """

    def __init__(self, path: Path, *, sync: bool = True) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._sync = sync
        self._file = path.open("a+b")
        self._cut_torn_line()

    def append(self, record: Mapping[str, Any]) -> None:
        """Add one record; it is kept when this returns."""
        self.extend([record])

    def extend(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Add records in order, with a single wait for the disk."""
        self._file.write(b"".join(_line(record) for record in records))
        self._file.flush()
        if self._sync:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; appending afterwards is an error."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _cut_torn_line(self) -> None:
        position = self._file.seek(0, os.SEEK_END)
        while position:
            start = max(0, position - 65536)
            self._file.seek(start)
            end = self._file.read(position - start).rfind(b"\n")
            if end >= 0:
                position = start + end + 1
                break
            position = start
        self._file.truncate(position)


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return all whole records of a log, in order; none if there is no such file.

    Raises
    ------
    StageError
        If a line other than a torn last one is not a JSON object; all such lines are named.
    """
    if not path.exists():
        return []
    *lines, _torn = path.read_bytes().split(b"\n")
    records: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if isinstance(record, dict):
            records.append(record)
        else:
            problems.append(_broken(path, number, line))
    if problems:
        raise StageError(problems)
    return records


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n"


def _broken(path: Path, number: int, line: bytes) -> Problem:
    shown = line[:60].decode("utf-8", "backslashreplace")
    return Problem(
        f"{path}:{number}",
        f"not a record of this log: {shown!r}",
        allowed="one JSON object a line",
        fix="Delete that line, or the file: it is made again",
    )
