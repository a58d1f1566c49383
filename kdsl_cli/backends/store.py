"""What a model answered, kept from run to run, beside a log of what asking cost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from kdsl_cli.backends.backend import Failed, Generated, Scored, Usage
from kdsl_cli.backends.database import mendable, open_database, transaction
from kdsl_cli.errors import BackendError

Answer = Generated | Scored


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks whom for what; calls are counted by it.

    Attributes
    ----------
    purpose
        What for ("mine-rules").
    operation
        "generate" or "score".
    spec
        The model as the user named it.
    """

    purpose: str
    operation: str
    spec: str


_KEEP: Final = "INSERT OR IGNORE INTO answers (key, answer) VALUES (?, ?)"
_LOG: Final = """
INSERT INTO calls (time, purpose, operation, spec, key,
                   prompt_tokens, completion_tokens, image_tokens, seconds, error)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_COUNT: Final = """
INSERT INTO hits (purpose, operation, spec, number) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET number = number + excluded.number
"""


class AnswerStore:
    """Answers by key; see `database` for what the file bears.

    Parameters
    ----------
    path
        Made when missing.
    wait_s
        How long to wait for another process that is writing.

    Raises
    ------
    BackendError
        If the file cannot be used; also by every method.
    """

    def __init__(self, path: Path, *, wait_s: float = 60.0) -> None:
        self._path = path
        self._connection = open_database(path, wait_s=wait_s)

    def get(self, keys: Iterable[str]) -> dict[str, Answer]:
        """Return the answers that are known, by key."""
        wanted = json.dumps(list(keys))
        query = "SELECT key, answer FROM answers WHERE key IN (SELECT value FROM json_each(?))"
        with mendable(self._path):
            rows = self._connection.execute(query, (wanted,)).fetchall()
        return {key: self._answer(key, text) for key, text in rows}

    def add(self, asker: Asker, keys: Sequence[str], answers: Sequence[Answer | Failed]) -> None:
        """Log calls and keep their answers, all at once; failures are logged and not kept."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        both = list(zip(keys, answers, strict=True))
        kept = [(key, _text(answer)) for key, answer in both if not isinstance(answer, Failed)]
        logged = [(time, *_called(asker), key, *_cost(answer)) for key, answer in both]
        with mendable(self._path), transaction(self._connection):
            self._connection.executemany(_KEEP, kept)
            self._connection.executemany(_LOG, logged)

    def count_hits(self, asker: Asker, number: int) -> None:
        """Log that so many answers cost no call."""
        with mendable(self._path), transaction(self._connection):
            self._connection.execute(_COUNT, (*_called(asker), number))

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _answer(self, key: str, text: str) -> Answer:
        try:
            return _from_record(json.loads(text))
        except (KeyError, TypeError, ValueError) as error:
            raise BackendError(
                f"the answer {key[:12]} is none of a model's",
                where=str(self._path),
                fix="Delete the file, or move it away: the model is asked again for what it held",
            ) from error


def _text(answer: Answer) -> str:
    # `asdict` copies all it meets, which took longer than all the rest of keeping an answer.
    return json.dumps(answer, default=_fields, ensure_ascii=False, allow_nan=False)


def _fields(value: Answer | Usage) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _from_record(record: dict[str, Any]) -> Answer:
    usage = Usage(**record["usage"])
    if "text" in record:
        return Generated(record["text"], record["logprob"], record["finish"], usage)
    return Scored(tuple(record["logprobs"]), record["method"], usage)


def _called(asker: Asker) -> tuple[str, str, str]:
    return asker.purpose, asker.operation, asker.spec


def _cost(answer: Answer | Failed) -> tuple[int, int, int, float, str | None]:
    usage = answer.usage
    error = answer.reason if isinstance(answer, Failed) else None
    return usage.prompt_tokens, usage.completion_tokens, usage.image_tokens, usage.seconds, error
