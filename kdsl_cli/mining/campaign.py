"""A campaign: every intent of a task, once on the whole sample and once without each fold, on all cores.

The runs without a fold are there to be honest with: what they find is judged on the fold they did not see,
and from that the joint decision learns how far rules can be trusted. A unit of work is one intent of one run;
it is done or not, so a kill loses at most the units in work.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kdsl_cli.errors import StageError
from kdsl_cli.evidence.workers import Lost, answers
from kdsl_cli.mining.candidates import Candidate
from kdsl_cli.mining.miner import IntentMiner, Mined
from kdsl_cli.mining.noise import Noise
from kdsl_cli.mining.proposers.proposer import MakeProposer
from kdsl_cli.mining.proposers.statistical import make_statistical
from kdsl_cli.mining.sample import Mask, Sample
from kdsl_cli.mining.search_settings import SearchSettings
from kdsl_cli.search.stopping import AnyOf, Minutes, StopCondition, StopFile

WHOLE = -1
"""Number of the run that sees every fold."""

UNIT_SECONDS = 3600.0

_YOUNG = 20_000
"""Objects made between two looks for garbage; Python's own 700 are for programs that hold few."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One intent of one run: `fold` is the fold that does not count, or `WHOLE`."""

    fold: int
    intent: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """What every worker needs to know; it is sent to each of them once.

    Attributes
    ----------
    sample, pool, settings, noise
        See `IntentMiner`.
    known
        Firings of seed rules by intent.
    deadline
        Monotonic time at which searches stop; None: no limit.
    stop_file
        Searches stop once it is there.
    proposers
        Makes who suggests moves. None: the statistical proposer, of which every process can have its own;
        any other stays in this process, and meets the units in their order.
    leaves
        As for `IntentMiner`.
    """

    sample: Sample
    pool: tuple[Candidate, ...]
    settings: SearchSettings
    noise: Noise
    known: Mapping[str, tuple[Mask, ...]]
    deadline: float | None = None
    stop_file: Path | None = None
    proposers: MakeProposer | None = None
    leaves: int = 1

    @property
    def late(self) -> bool:
        """Whether the deadline is over."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def units(self) -> tuple[Unit, ...]:
        """Return all units of work, the run on the whole sample first."""
        runs = (WHOLE, *range(len(self.sample.folds)))
        return tuple(Unit(fold, intent) for fold in runs for intent in self.sample.intents)

    def sample_of(self, unit: Unit) -> Sample:
        """Return the sample as a unit's run sees it."""
        return self.sample if unit.fold == WHOLE else self.sample.without(unit.fold)

    def mine(self, unit: Unit, log: Sequence[Mapping[str, Any]] = ()) -> tuple[Mined, list[dict[str, Any]]]:
        """Do one unit; return what was found and the new events of its search.

        Events are kept for the run on the whole sample only: it is the one whose tree people look at. A
        search with a proposer of its own does not go on from a log but begins anew, with all that its model
        answered before; so it logs nothing until it is complete.
        """
        sample = self.sample_of(unit)
        threshold = self.noise.threshold
        known = tuple(fires & sample.seen for fires in self.known.get(unit.intent, ()))
        miner = IntentMiner(
            sample,
            self.pool,
            unit.intent,
            self.settings,
            threshold=threshold,
            known=known,
            proposers=self.proposers or make_statistical,
            leaves=self.leaves,
        )
        events: list[dict[str, Any]] = []
        sink = events.append if unit.fold == WHOLE else None
        anew = self.proposers is not None
        mined = miner.mine(stop=self._stop(), sink=sink, log=() if anew else log)
        return mined, events if mined.complete or not anew else []

    def _stop(self) -> StopCondition:
        conditions: list[StopCondition] = []
        if self.deadline is not None:
            left = max(0.0, self.deadline - time.monotonic()) / 60
            conditions.append(Minutes(left, time.monotonic))
        if self.stop_file is not None:
            conditions.append(StopFile(self.stop_file))
        return AnyOf(tuple(conditions)) if conditions else lambda _: None


@dataclass(frozen=True, slots=True)
class Done:
    """A unit that came back."""

    unit: Unit
    mined: Mined
    events: tuple[dict[str, Any], ...]


def run_campaign(
    campaign: Campaign,
    todo: Sequence[Unit],
    *,
    workers: int,
    logs: Mapping[Unit, Sequence[Mapping[str, Any]]] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Done]:
    """Do units on several processes and yield each as it comes back.

    Parameters
    ----------
    todo
        Units to do.
    workers
        Processes at once; one if the campaign has proposers of its own.
    logs
        Events of units that were stopped half-way, to go on from.
    stop
        Once it says yes, or the deadline is over, no unit is begun any more; those in work are finished.

    Raises
    ------
    StageError
        If a unit's process died.
    """
    names = [str(place) for place in range(len(todo))]
    given = campaign, tuple(todo), dict(logs or {})
    if workers == 1 or campaign.proposers is not None:
        usual, task = gc.get_threshold(), _make_task(*given)
        _collect_seldom()
        try:
            for name in names:
                if stop() or campaign.late:
                    return
                yield task(name)
        finally:
            gc.set_threshold(*usual)
            gc.unfreeze()
        return
    make = partial(_make_worker, *given)
    every = answers(names, make, workers=workers, seconds=UNIT_SECONDS, stop=lambda: stop() or campaign.late)
    for place, answer in every:
        if isinstance(answer, Lost):
            raise StageError(
                f"mining '{todo[place].intent}' ended without a result: {answer.reason}",
                fix="Run the command again, it goes on from where it was; --workers 1 shows the error",
            )
        yield answer


def _collect_seldom() -> None:
    """Have garbage looked for less often, and not in what is there already: a sixth of a search's time.

    A tree is garbage that only the collector finds, so it must look. The sample and all that is loaded are
    none, and it would go through them again each time.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])


def _make_worker(
    campaign: Campaign, todo: tuple[Unit, ...], logs: Mapping[Unit, Sequence[Mapping[str, Any]]]
) -> Callable[[str], Done]:
    _collect_seldom()
    return _make_task(campaign, todo, logs)


def _make_task(
    campaign: Campaign, todo: tuple[Unit, ...], logs: Mapping[Unit, Sequence[Mapping[str, Any]]]
) -> Callable[[str], Done]:
    def task(name: str) -> Done:
        unit = todo[int(name)]
        mined, events = campaign.mine(unit, logs.get(unit, ()))
        return Done(unit, mined, tuple(events))

    return task
