"""Monte-Carlo tree search: one search as a whole, from its settings to its best states."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Mapping
from typing import Any, Final, Generic

from kdsl_cli.search.backing_up import BackUp
from kdsl_cli.search.events import Event, EventSink
from kdsl_cli.search.planning import Planner
from kdsl_cli.search.problem import Problem, StateT
from kdsl_cli.search.selection import Policy, Widening
from kdsl_cli.search.simulating import Simulator
from kdsl_cli.search.stopping import Progress, StopCondition, simulations_until
from kdsl_cli.search.tree import UNEVALUATED, Node, Tree

EXHAUSTED: Final = "every reachable state was evaluated"
"""Why `Mcts.run` stopped when no condition asked for it."""


class Mcts(Generic[StateT]):
    """A search over one problem, batch of simulations by batch.

    The first simulation evaluates the root. Every other one follows a path until it takes an edge for the
    first time: the state behind it is evaluated, or, if another path found it before, its known reward is
    used again. Exhausted edges are never followed, so no simulation is without news.

    The paths of a batch are planned together (`Planner.plan`), then the problem is asked once for all actions
    they need and once for all rewards, and they are counted in the order they were planned in, whatever part
    of them is asked about at a time. A batch of one is the sequential search.

    Deterministic: one number is drawn from `rng` at the start, and the ties of a simulation are broken from
    that number and the simulation's own, so a search resumed from its log needs no saved generator.

    Parameters
    ----------
    problem
        What to search; a `BatchProblem` is asked for many states at once.
    policy
        Which edge to follow, `Uct` or `Puct`.
    rng
        Source of the seed for ties; used once, here.
    widening
        How many children a node may have at a time; None admits all at once.
    max_share
        What an edge is worth to the policy: ``(1 - max_share) * mean + max_share * max`` of the rewards
        brought back through its child. 0 is the mean of the textbook; towards 1 suits a search for one best
        state.
    batch
        Paths planned together, at most. Larger batches ask less often, but choose from older knowledge: the
        size changes what is found, like any other setting.
    sink
        Is given every event as a dict, once the tree has changed.

    Examples
    --------
    >>> from kdsl_cli.search.problem import Named
    >>> from kdsl_cli.search.selection import Uct
    >>> from kdsl_cli.search.stopping import Simulations
    >>> class Letters:
    ...     def root(self): return ""
    ...     def actions(self, state): return [Named(x, 1.0) for x in "abc"] if len(state) < 2 else []
    ...     def apply(self, state, action): return "".join(sorted(state + action.label))
    ...     def key(self, state): return state
    ...     def evaluate(self, state): return state.count("b") / 2
    >>> search = Mcts(Letters(), Uct(c=0.5), random.Random(0))
    >>> search.run(Simulations(100))
    'every reachable state was evaluated'
    >>> [(node.key, node.value) for node in search.best(2)]
    [('bb', 1.0), ('b', 0.5)]
    >>> search.progress.evaluations  # "", a, b, c, and the six pairs in any order
    10
    """

    def __init__(
        self,
        problem: Problem[StateT],
        policy: Policy,
        rng: random.Random,
        *,
        widening: Widening | None = None,
        max_share: float = 0.0,
        batch: int = 1,
        sink: EventSink | None = None,
    ) -> None:
        if not 0 <= max_share <= 1:
            raise ValueError(f"max_share is {max_share}; allowed: 0 (mean) to 1 (maximum)")
        if batch < 1:
            raise ValueError(f"batch is {batch}; allowed: 1 or more")
        self._batch = batch
        self._sink = sink
        root = problem.root()
        self._tree: Tree[StateT] = Tree(problem.key(root), root)
        back_up = BackUp(self._tree.root, policy, max_share)
        planner = Planner(self._tree, policy, widening, back_up, seed=rng.getrandbits(64))
        self._simulator = Simulator(problem, self._tree, planner, back_up, batch)

    @property
    def root(self) -> Node[StateT]:
        """The node where every path starts."""
        return self._tree.root

    @property
    def progress(self) -> Progress:
        """How far the search has come."""
        return self._simulator.progress

    def nodes(self) -> tuple[Node[StateT], ...]:
        """Return all nodes in order of discovery, the root first."""
        return tuple(self._tree.nodes.values())

    def best(self, n: int) -> tuple[Node[StateT], ...]:
        """Return the `n` evaluated nodes of highest own reward, best first, of equals the earlier found."""
        evaluated = (node for node in self._tree.nodes.values() if node.value != UNEVALUATED)
        return tuple(heapq.nsmallest(n, evaluated, key=lambda node: (-node.value, node.index)))

    def run(self, stop: StopCondition) -> str:
        """Simulate until a condition, asked before every batch, or an exhausted tree ends it.

        A batch that the condition would end in its midst is done in parts, so that a budget is met exactly
        and the search stops where it would have stopped asking path by path.

        Parameters
        ----------
        stop
            When to stop.

        Returns
        -------
        str
            Why it stopped: the condition's reason or `EXHAUSTED`.
        """
        while (reason := stop(progress := self.progress)) is None:
            if not self.step_batch(simulations_until(stop, progress, self._batch)):
                return EXHAUSTED
        return reason

    def step(self) -> Event | None:
        """Do one simulation and return it, or None if every reachable state was evaluated."""
        events = self.step_batch(1)
        return events[0] if events else None

    def step_batch(self, limit: int) -> tuple[Event, ...]:
        """Do what is left of the batch under way, or else the next one, but at most `limit` simulations.

        An exception of the problem passes through and leaves the search as if nothing had been asked: the
        same paths stay planned, and only what is known already is not asked for again.

        Parameters
        ----------
        limit
            The most simulations to do, 1 or more.

        Returns
        -------
        tuple of Event
            What was done, in order; empty if every reachable state was evaluated.

        Raises
        ------
        ValueError
            If a reward is outside [0, 1], a prior negative, an answer missing, or the state graph has a
            cycle.
        """
        events = self._simulator.simulate(limit)
        if self._sink is not None:
            for event in events:
                self._sink(event.to_dict())
        return events

    def replay(self, events: Iterable[Mapping[str, Any]]) -> int:
        """Redo logged simulations with the rewards of the log; the search can then go on as if never stopped.

        Neither the problem's rewards nor the sink are asked. Paths are chosen anew and compared with the log,
        so the log of another problem, policy, seed, batch size or setting is refused at the first line that
        differs. A log may end in the midst of a batch.

        Parameters
        ----------
        events
            Entries as the sink got them, from the first simulation on.

        Returns
        -------
        int
            Simulations redone.

        Raises
        ------
        ValueError
            If this search has begun already; or at a foreign entry: the message starts with its line number,
            from 1, and the search is then of no more use.
        """
        if self.progress.simulations:
            raise ValueError("only a search that has not begun can replay a log")
        for line, entry in enumerate(events, start=1):
            try:
                self._replay_one(Event.from_dict(entry))
            except ValueError as error:
                raise ValueError(f"line {line}: {error}") from error
        return self.progress.simulations

    def _replay_one(self, logged: Event) -> None:
        events = self._simulator.simulate(1, lambda states: dict.fromkeys(states, logged.value))
        if not events:
            raise ValueError("the log goes on although every reachable state was evaluated")
        if events[0] != logged:
            raise ValueError(f"not of this search: logged {logged}, but the search did {events[0]}")
