"""Every error a user can meet: where it is, what is wrong, what is allowed, and the fix.

The library raises these; only ``commands/app.py`` prints them and chooses the exit code.
``Invalid input`` (exit code 2) is kept apart from ``a check that ran and failed`` (exit code 1).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, told so that the reader can mend it.

    Attributes
    ----------
    where
        ``path``, ``path:line`` or ``path:line:id``; empty if the problem has no place.
    what
        What was found there.
    allowed
        What may stand there instead.
    fix
        The next thing to do, as a sentence or a command.
    """

    where: str
    what: str
    allowed: str | None = None
    fix: str | None = None

    def render(self) -> str:
        """Return the problem as one paragraph.

        Examples
        --------
        >>> Problem("rules/a.yaml:3", "unknown key 'ocrr'", "text, ocr", "Did you mean 'ocr'?").render()
        "rules/a.yaml:3: unknown key 'ocrr'. Allowed: text, ocr. Did you mean 'ocr'?"
        """
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.allowed:
            parts.append(f"Allowed: {self.allowed}")
        if self.fix:
            parts.append(self.fix)
        sentences = [part if part.endswith((".", "?", "!")) else f"{part}." for part in parts]
        return " ".join([*sentences[:-1], sentences[-1]])


class KdslError(Exception):
    """Something the user can mend; carries one or more `Problem`."""

    exit_code = 2

    def __init__(
        self,
        what: str | Sequence[Problem],
        *,
        where: str = "",
        allowed: str | None = None,
        fix: str | None = None,
    ) -> None:
        if isinstance(what, str):
            self.problems: tuple[Problem, ...] = (Problem(where, what, allowed, fix),)
        else:
            self.problems = tuple(what)
        super().__init__("\n".join(problem.render() for problem in self.problems))


class ConfigError(KdslError):
    """``kdsl.yaml`` or a command-line option is wrong."""


class DatasetError(KdslError):
    """A file of dialogues, a catalogue or a split cannot be used as it is."""


class RuleFileError(KdslError):
    """A rule file cannot be read; all problems of the file are in `problems`."""


class EvidenceError(KdslError):
    """Evidence is missing, stale or cannot be made."""


class StageError(KdslError):
    """A stage's folder holds another run, or an input of it is not there or not whole."""


class BackendError(KdslError):
    """A model cannot be loaded or reached, or refuses everything it is asked.

    `retryable` says whether the same call may succeed later as it is.
    """

    retryable = False

    def __init__(
        self,
        what: str | Sequence[Problem],
        *,
        where: str = "",
        allowed: str | None = None,
        fix: str | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(what, where=where, allowed=allowed, fix=fix)
        self.retryable = retryable


class MissingExtra(KdslError):
    """A feature needs an optional part of the installation."""


class CheckFailed(KdslError):
    """The input was valid, the check ran, and its answer is no (exit code 1)."""

    exit_code = 1


class LeakError(CheckFailed):
    """The same content stands in two splits."""


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return a "Did you mean" sentence for the nearest known word, or None.

    Examples
    --------
    >>> did_you_mean("contians", ["contains", "regex"])
    "Did you mean 'contains'?"
    >>> did_you_mean("zebra", ["contains", "regex"]) is None
    True
    """
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"Did you mean '{near[0]}'?" if near else None
