"""Reads the log of calls: what was asked of which model for what, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kdsl_cli.backends.database import reading


@dataclass(frozen=True, slots=True)
class Totals:
    """All that one model was asked for one purpose.

    Attributes
    ----------
    purpose, model
        What for, and whom as the user named it.
    calls
        Prompts the model was really asked.
    failed
        Those of them without an answer.
    cached
        Answers that cost no call.
    prompt_tokens, completion_tokens
        Of the calls; 0 where a server does not tell.
    seconds
        Of the calls.
    """

    purpose: str
    model: str
    calls: int
    failed: int
    cached: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float

    @property
    def answers(self) -> int:
        """How many answers were given, cached or not."""
        return self.calls - self.failed + self.cached

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens read and written in a second; None where no time was taken."""
        return (self.prompt_tokens + self.completion_tokens) / self.seconds if self.seconds else None


@dataclass(frozen=True, slots=True)
class Call:
    """One prompt that a model was really asked; `error` None: it answered. `time` is UTC."""

    time: str
    purpose: str
    operation: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    image_tokens: int
    seconds: float
    error: str | None


@dataclass(frozen=True, slots=True)
class Pace:
    """What one answered call took on average.

    Attributes
    ----------
    calls
        Over how many it was measured.
    tokens
        Read and written; 0 where a server does not tell.
    seconds
        Its share of the time that its batch took.
    """

    calls: int
    tokens: float
    seconds: float


_TOTALS: Final = """
SELECT purpose, spec, sum(calls), sum(failed), sum(hits), sum(prompt), sum(completion), sum(seconds)
FROM (
    SELECT purpose, spec, 1 AS calls, error IS NOT NULL AS failed, 0 AS hits,
           prompt_tokens AS prompt, completion_tokens AS completion, seconds
    FROM calls
    UNION ALL
    SELECT purpose, spec, 0, 0, number, 0, 0, 0.0 FROM hits
)
GROUP BY purpose, spec ORDER BY purpose, spec
"""
_LAST: Final = """
SELECT time, purpose, operation, spec, prompt_tokens, completion_tokens, image_tokens, seconds, error
FROM calls ORDER BY number DESC LIMIT ?
"""
_PACE: Final = """
SELECT operation, count(*), avg(prompt_tokens + completion_tokens), avg(seconds)
FROM calls WHERE spec = ? AND error IS NULL GROUP BY operation
"""


def read_totals(path: Path) -> list[Totals]:
    """Return what was asked, one row a purpose and model; nothing is written.

    Raises
    ------
    BackendError
        If the file is there and cannot be used. If it is not, no model was asked.
    """
    if not path.exists():
        return []
    with reading(path) as log:
        return [Totals(*row) for row in log.execute(_TOTALS)]


def read_last(path: Path, number: int) -> list[Call]:
    """Return the last calls, the latest last; raises as `read_totals`."""
    if not path.exists():
        return []
    with reading(path) as log:
        return [Call(*row) for row in log.execute(_LAST, (number,))][::-1]


def read_pace(path: Path, spec: str) -> dict[str, Pace]:
    """Return how fast a model was so far, by operation ("generate", "score"); raises as `read_totals`.

    Parameters
    ----------
    spec
        The model as the user named it.
    """
    if not path.exists():
        return {}
    with reading(path) as log:
        return {operation: Pace(*row) for operation, *row in log.execute(_PACE, (spec,))}
