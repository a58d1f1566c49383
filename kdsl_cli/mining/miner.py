"""The miner: one search per intent, in rounds, each round for what the rules kept so far leave uncovered."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from heapq import heapify, heappop, heappush
from itertools import islice
from operator import or_
from typing import Any, Final

from kdsl_cli.logic.conditions import Condition
from kdsl_cli.mining.candidates import Candidate, Source
from kdsl_cli.mining.drafts import MIN_FOUND, Draft, Workbench
from kdsl_cli.mining.objective import Objective
from kdsl_cli.mining.problem import RuleProblem
from kdsl_cli.mining.proposers.proposer import MakeProposer
from kdsl_cli.mining.proposers.statistical import make_statistical
from kdsl_cli.mining.sample import Mask, Sample
from kdsl_cli.mining.search_settings import SearchSettings
from kdsl_cli.runs.seeds import child_seed
from kdsl_cli.search.mcts import Mcts
from kdsl_cli.search.selection import Puct, Widening
from kdsl_cli.search.stopping import AnyOf, NoImprovement, Simulations, StopCondition

EventSink = Callable[[dict[str, Any]], object]

WIDENING: Final = Widening(k0=4, k=2, alpha=0.5)
"""The proposer's best four moves at once, then more as a draft proves worth it."""

SHORTLIST: Final = 60
"""Drafts of a tree that are looked at again as those before them take their coverage."""


@dataclass(frozen=True, slots=True)
class Found:
    """A draft that was kept.

    Attributes
    ----------
    intent, condition
        What it says.
    fires
        Dialogues of the sample in which it is true.
    standing
        Those of `fires` that count out of fold (`drafts.Workbench`).
    worth
        What it is worth alone, 0 to 1.
    value
        What it was worth when it was kept, given the rules kept before it.
    round, node, visits
        Where in the search it stood.
    source, why
        Who thought of it, and in what words (`drafts.Draft`).
    """

    intent: str
    condition: Condition
    fires: Mask
    standing: Mask
    worth: float
    value: float
    round: int
    node: int
    visits: int
    source: Source = "statistical"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Mined:
    """Rules of one intent in the order they were kept, and whether the search came to its end."""

    found: tuple[Found, ...]
    simulations: int
    complete: bool


def workbench_for(sample: Sample, intent: str) -> Workbench:
    """Return what makes the drafts of an intent."""
    return Workbench(sample.positives(intent), sample.seen, sample.folds, (1 << len(sample.labels)) - 1)


class IntentMiner:
    """Searches rules for one intent.

    Parameters
    ----------
    sample, pool
        The training dialogues and the predicates that rules are made of.
    intent
        Whose rules.
    settings
        Budget and shape of the search.
    threshold
        What noise would reach (`kdsl_cli.mining.noise`): a draft is kept if its own worth is above.
    known
        Out-of-fold firings of rules that are there already (seed rules); what they hold is discounted.
    proposers
        Makes who suggests the moves.
    leaves
        Drafts looked at together, at most: more than one pays where the proposer is slow.
    """

    def __init__(
        self,
        sample: Sample,
        pool: Sequence[Candidate],
        intent: str,
        settings: SearchSettings,
        *,
        threshold: float = 0.0,
        known: Sequence[Mask] = (),
        proposers: MakeProposer = make_statistical,
        leaves: int = 1,
    ) -> None:
        self._workbench = workbench_for(sample, intent)
        self._objective = Objective(self._workbench.positives)
        self._proposer = proposers(sample, intent, pool)
        self._intent = intent
        self._settings = settings
        self._threshold = threshold
        self._known = tuple(known)
        self._leaves = leaves

    def mine(
        self,
        *,
        stop: StopCondition = lambda _: None,
        sink: EventSink | None = None,
        log: Sequence[Mapping[str, Any]] = (),
    ) -> Mined:
        """Search in rounds until the budget is spent, nothing new is worth keeping, or `stop` says so.

        Parameters
        ----------
        stop
            Asked before every simulation beside the budget, for example about Ctrl-C.
        sink
            Given every new simulation as a dict, with `round`.
        log
            What `sink` was given by an earlier call that was stopped: its simulations are redone from the
            logged rewards, and the search goes on as if it had never been stopped.
        """
        settings = self._settings
        found: list[Found] = []
        spent = 0
        for number in range(settings.rounds):
            budget = min(settings.round_simulations, settings.simulations - spent)
            room = settings.max_rules - len(found)
            if budget <= 0 or room <= 0 or self._workbench.positives.bit_count() < MIN_FOUND:
                break
            search = self.search(number, found, sink)
            search.replay(_without_round(event) for event in log if event["round"] == number)
            search.run(AnyOf((Simulations(budget), NoImprovement(settings.patience), stop)))
            spent += search.progress.simulations
            if stop(search.progress) is not None:
                return Mined(tuple(found), spent, complete=False)
            kept = list(islice(self._harvest(search, found, number), min(room, settings.keep_per_round)))
            found += kept
            if not kept:
                break
        return Mined(tuple(found), spent, complete=True)

    def search(self, number: int, found: Sequence[Found] = (), sink: EventSink | None = None) -> Mcts[Draft]:
        """Return the search of one round, not yet begun, for what the rules found so far leave uncovered."""
        settings, held = self._settings, self._held(found)
        problem = RuleProblem(
            self._proposer.for_round(number, reduce(or_, held, 0)),
            self._objective.with_kept(held),
            self._workbench,
            max_length=settings.max_length,
            branching=settings.branching,
        )
        return Mcts(
            problem,
            Puct(settings.exploration),
            random.Random(child_seed(settings.seed, self._intent, str(number))),
            widening=WIDENING,
            max_share=settings.max_share,
            batch=self._leaves,
            sink=None if sink is None else lambda event: sink({"round": number, **event}),
        )

    def _held(self, found: Sequence[Found]) -> list[Mask]:
        return [*self._known, *(f.standing for f in found)]

    def _harvest(self, search: Mcts[Draft], found: Sequence[Found], number: int) -> Iterator[Found]:
        """Yield the best drafts of a tree one by one, each for what those before it leave uncovered."""
        held = self._held(found)
        firings = {f.fires for f in found}
        objective = self._objective.with_kept(held)
        # What a draft adds only falls as more is held: what it was before is a bound, so that hardly any but
        # the best are weighed anew (lazy greedy: Minoux 1978).
        heap = [
            (-objective.value(node.state.standing, node.state.length), node.index, len(held), node)
            for node in search.best(SHORTLIST)
            if node.state.clauses and self._worth(node.state) > self._threshold
        ]
        heapify(heap)
        while heap:
            loss, index, known, node = heappop(heap)
            draft = node.state
            if draft.fires in firings:
                continue
            if known < len(held):
                value = objective.value(draft.standing, draft.length)
                heappush(heap, (-value, index, len(held), node))
                continue
            if -loss <= self._settings.gain:
                return
            firings.add(draft.fires)
            held.append(draft.standing)
            objective = self._objective.with_kept(held)
            yield Found(
                self._intent,
                draft.condition(),
                draft.fires,
                draft.standing,
                self._worth(draft),
                -loss,
                number,
                node.index,
                node.visits,
                draft.source,
                draft.why,
            )

    def _worth(self, draft: Draft) -> float:
        return self._objective.value(draft.standing, draft.length)


def _without_round(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "round"}
