"""When to stop: conditions asked before every batch of simulations, each with a reason to tell a person.

A condition is any callable from `Progress` to a reason, or None to go on. Only `Minutes` has a state of its
own (when it began); all else is read off the search, so a resumed one stops where an uninterrupted one would.
A condition may also be asked about progress that is yet to come (`simulations_until`); it must not mind,
and where it would stop at some progress, it would at any further one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search has come.

    Attributes
    ----------
    simulations
        Simulations done.
    evaluations
        States evaluated, at most `simulations`: a path that ends in a known state costs no evaluation.
    best_value
        Highest reward of any state so far, 0 to 1; None before the first simulation.
    improved_at
        Value of `simulations` right after `best_value` last rose; 0 before the first simulation.
    """

    simulations: int
    evaluations: int
    best_value: float | None
    improved_at: int


StopCondition = Callable[[Progress], str | None]
"""Returns why to stop now, or None to go on."""


def simulations_until(stop: StopCondition, progress: Progress, limit: int) -> int:
    """Return how many simulations may be done in one go, so that none is done that `stop` would forbid.

    Asks the condition about the simulations ahead as if each evaluated a state and none improved the best
    reward: the progress on which every condition of this module stops earliest.

    Parameters
    ----------
    stop
        Does not want to stop at `progress` itself.
    progress
        Where the search stands.
    limit
        The most to return, 1 or more.

    Examples
    --------
    >>> now = Progress(simulations=94, evaluations=90, best_value=0.7, improved_at=44)
    >>> simulations_until(Simulations(100), now, limit=8), simulations_until(Simulations(200), now, limit=8)
    (6, 8)
    """
    # Nearly always there is room for all of them: one question instead of one each.
    if limit == 1 or stop(_without_luck(progress, limit - 1)) is None:
        return limit
    early = (ahead for ahead in range(1, limit) if stop(_without_luck(progress, ahead)) is not None)
    return next(early, limit)


def _without_luck(progress: Progress, ahead: int) -> Progress:
    return replace(
        progress, simulations=progress.simulations + ahead, evaluations=progress.evaluations + ahead
    )


@dataclass(frozen=True, slots=True)
class Simulations:
    """Stop after so many simulations in all, replayed ones included.

    Examples
    --------
    >>> Simulations(200)(Progress(simulations=200, evaluations=180, best_value=0.7, improved_at=44))
    '200 simulations done'
    """

    limit: int

    def __call__(self, progress: Progress) -> str | None:
        """Return the reason once there are `limit` simulations."""
        return f"{self.limit} simulations done" if progress.simulations >= self.limit else None


@dataclass(frozen=True, slots=True)
class Evaluations:
    """Stop after so many evaluated states in all, replayed ones included."""

    limit: int

    def __call__(self, progress: Progress) -> str | None:
        """Return the reason once there are `limit` evaluated states."""
        return f"{self.limit} states evaluated" if progress.evaluations >= self.limit else None


@dataclass(frozen=True, slots=True)
class NoImprovement:
    """Stop when the best reward has not risen for so many simulations.

    Examples
    --------
    >>> NoImprovement(50)(Progress(simulations=94, evaluations=90, best_value=0.7, improved_at=44))
    'no improvement for 50 simulations'
    """

    limit: int

    def __call__(self, progress: Progress) -> str | None:
        """Return the reason once the best reward is `limit` simulations old."""
        idle = progress.simulations - progress.improved_at
        return f"no improvement for {self.limit} simulations" if idle >= self.limit else None


class Minutes:
    """Stop so many minutes after this condition was made; a resumed search gets its minutes anew.

    Parameters
    ----------
    limit
        Minutes, 0 or more.
    clock
        Seconds on any steady scale, such as `time.monotonic`.

    Examples
    --------
    >>> seconds = iter([100.0, 219.0, 220.0])
    >>> stop = Minutes(2, clock=lambda: next(seconds))
    >>> now = Progress(simulations=1, evaluations=1, best_value=0.5, improved_at=1)
    >>> stop(now), stop(now)
    (None, '2 minutes are over')
    """

    def __init__(self, limit: float, clock: Callable[[], float]) -> None:
        if not 0 <= limit < math.inf:
            raise ValueError(f"minutes are {limit}; allowed: 0 or more, finite")
        self._limit = limit
        self._clock = clock
        self._began = clock()

    def __call__(self, progress: Progress) -> str | None:
        """Return the reason once the time is over."""
        over = self._clock() - self._began >= self._limit * 60
        return f"{self._limit:g} minutes are over" if over else None


@dataclass(frozen=True, slots=True)
class StopFile:
    """Stop when a file of this name exists; it is left where it is."""

    path: Path

    def __call__(self, progress: Progress) -> str | None:
        """Return the reason once the file exists."""
        return f"the stop file {self.path} exists" if os.access(self.path, os.F_OK) else None


@dataclass(frozen=True, slots=True)
class Flag:
    """Stop when a function says so, such as one that a Ctrl-C handler turns true.

    Examples
    --------
    >>> Flag(lambda: True, "interrupted")(Progress(0, 0, None, 0))
    'interrupted'
    """

    raised: Callable[[], bool]
    reason: str

    def __call__(self, progress: Progress) -> str | None:
        """Return the reason once the function returns true."""
        return self.reason if self.raised() else None


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Stop as soon as one of several conditions does, with the reason of the first that did.

    Examples
    --------
    >>> stop = AnyOf((Simulations(200), NoImprovement(50)))
    >>> stop(Progress(simulations=94, evaluations=90, best_value=0.7, improved_at=44))
    'no improvement for 50 simulations'
    """

    conditions: tuple[StopCondition, ...]

    def __call__(self, progress: Progress) -> str | None:
        """Return the reason of the first condition that has one."""
        for condition in self.conditions:
            reason = condition(progress)
            if reason is not None:
                return reason
        return None
