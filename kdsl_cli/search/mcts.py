"""Monte-Carlo tree search: select, expand, evaluate, back up, in this reading order."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Generic

from kdsl_cli.search.events import Event, EventSink
from kdsl_cli.search.problem import Problem, StateT
from kdsl_cli.search.selection import Policy, Widening
from kdsl_cli.search.stopping import Progress, StopCondition
from kdsl_cli.search.tree import UNEVALUATED, UNEXPANDED, Edge, Node, Tree

EXHAUSTED: Final = "every reachable state was evaluated"
"""Why `Mcts.run` stopped when no condition asked for it."""


class Mcts(Generic[StateT]):
    """A search over one problem, simulation by simulation.

    The first simulation evaluates the root. Every other one follows a path until it takes an edge for the
    first time: the state behind it is evaluated, or, if another path found it before, its known reward is
    used again. Exhausted edges are never followed, so no simulation is without news.

    Deterministic: one number is drawn from `rng` at the start, and the ties of a simulation are broken from
    that number and the simulation's own, so a search resumed from its log needs no saved generator.

    Parameters
    ----------
    problem
        What to search.
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
    sink
        Is given every event as a dict, once the tree has changed.

    Examples
    --------
    >>> from kdsl_cli.search.problem import Action
    >>> from kdsl_cli.search.selection import Uct
    >>> from kdsl_cli.search.stopping import Simulations
    >>> class Letters:
    ...     def root(self): return ""
    ...     def actions(self, state): return [Action(x, 1.0) for x in "abc"] if len(state) < 2 else []
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
        sink: EventSink | None = None,
    ) -> None:
        if not 0 <= max_share <= 1:
            raise ValueError(f"max_share is {max_share}; allowed: 0 (mean) to 1 (maximum)")
        self._problem = problem
        self._policy = policy
        self._seed = rng.getrandbits(64)
        self._widening = widening
        self._max_share = max_share
        self._sink = sink
        root = problem.root()
        self._tree: Tree[StateT] = Tree(problem.key(root), root)
        self._simulations = 0
        self._evaluations = 0
        self._best_value = UNEVALUATED
        self._improved_at = 0

    @property
    def root(self) -> Node[StateT]:
        """The node where every path starts."""
        return self._tree.root

    @property
    def progress(self) -> Progress:
        """How far the search has come."""
        best = self._best_value if self._evaluations else None
        return Progress(self._simulations, self._evaluations, best, self._improved_at)

    def nodes(self) -> tuple[Node[StateT], ...]:
        """Return all nodes in order of discovery, the root first."""
        return tuple(self._tree.nodes.values())

    def best(self, n: int) -> tuple[Node[StateT], ...]:
        """Return the `n` evaluated nodes of highest own reward, best first, of equals the earlier found."""
        evaluated = (node for node in self._tree.nodes.values() if node.value != UNEVALUATED)
        return tuple(heapq.nsmallest(n, evaluated, key=lambda node: (-node.value, node.index)))

    def run(self, stop: StopCondition) -> str:
        """Simulate until a condition, asked before every simulation, or an exhausted tree ends it.

        Parameters
        ----------
        stop
            When to stop.

        Returns
        -------
        str
            Why it stopped: the condition's reason or `EXHAUSTED`.
        """
        while (reason := stop(self.progress)) is None:
            if self.step() is None:
                return EXHAUSTED
        return reason

    def step(self) -> Event | None:
        """Do one simulation and return it, or None if every reachable state was evaluated.

        An exception of the problem passes through and leaves the search as if the step had not been tried.

        Raises
        ------
        ValueError
            If a reward is outside [0, 1], a prior negative, or the state graph has a cycle.
        """
        event = self._simulate(self._problem.evaluate)
        if event is not None and self._sink is not None:
            self._sink(event.to_dict())
        return event

    def replay(self, events: Iterable[Mapping[str, Any]]) -> int:
        """Redo logged simulations with the rewards of the log; the search can then go on as if never stopped.

        Neither `Problem.evaluate` nor the sink is called. Paths are chosen anew and compared with the log, so
        the log of another problem, policy, seed or setting is refused at the first line that differs.

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
        if self._simulations:
            raise ValueError("only a search that has not begun can replay a log")
        for line, entry in enumerate(events, start=1):
            try:
                self._replay_one(Event.from_dict(entry))
            except ValueError as error:
                raise ValueError(f"line {line}: {error}") from error
        return self._simulations

    def _replay_one(self, logged: Event) -> None:
        event = self._simulate(lambda _: logged.value)
        if event is None:
            raise ValueError("the log goes on although every reachable state was evaluated")
        if event != logged:
            raise ValueError(f"not of this search: logged {logged}, but the search did {event}")

    def _simulate(self, evaluate: Callable[[StateT], float]) -> Event | None:
        """Do one simulation with the given source of rewards."""
        path = self._select()
        if path is None:
            return None
        node, new = self._expand(path[-1], evaluate) if path else (self._evaluate_root(evaluate), True)
        self._back_up(path, node.value)
        event = Event(
            self._simulations, tuple([edge.action.label for edge in path]), node.key, node.value, new
        )
        self._simulations += 1
        self._evaluations += new
        if node.value > self._best_value:
            self._best_value = node.value
            self._improved_at = self._simulations
        return event

    def _select(self) -> list[Edge[StateT]] | None:
        """Return the next path: empty at first, None if every reachable state was evaluated."""
        root = self._tree.root
        if root.value == UNEVALUATED:
            return []
        while not root.exhausted:
            path = self._descend()
            if path is not None:
                return path
        return None

    def _descend(self) -> list[Edge[StateT]] | None:
        """Return a path from the root to an edge not followed before, or None after closing a dead end.

        Dead ends come to light late because a problem's actions are asked for only when a node is left.
        """
        tree = self._tree
        node = tree.root
        path: list[Edge[StateT]] = []
        while True:
            self._admit(node)
            if not node.open:
                tree.close(node)
                return None
            edge = self._choose(node, depth=len(path))
            path.append(edge)
            if edge.child is UNEXPANDED:
                return path
            node = edge.child
            if len(path) >= len(tree.nodes):
                raise ValueError(f"the state graph has a cycle through {node.key!r}; an action must lead on")

    def _admit(self, node: Node[StateT]) -> None:
        """Ask for a node's actions if it was not done, and admit as many as its visits allow."""
        if node.waiting is UNEXPANDED:
            self._tree.expand(node, self._problem.actions(node.state))
        if node.waiting:
            limit = math.inf if self._widening is None else self._widening.admitted(node.visits)
            self._tree.admit(node, limit)

    def _choose(self, node: Node[StateT], depth: int) -> Edge[StateT]:
        """Return the open edge of highest score; ties as `selection` tells."""
        scale = self._policy.scale(node.visits)
        top, tied = -math.inf, node.open[:1]
        for edge in node.open:
            child = edge.child
            if child is UNEXPANDED:
                score = node.value + scale * self._policy.bonus(0, edge.action.prior)
            else:
                score = child.worth + scale * edge.bonus
            if score > top:
                top, tied = score, [edge]
            elif score == top:
                tied.append(edge)
        return tied[0] if len(tied) == 1 else self._draw(tied, depth)

    def _draw(self, tied: list[Edge[StateT]], depth: int) -> Edge[StateT]:
        """Return one of several equal edges: of those with the highest prior one drawn by seed."""
        top = max(edge.action.prior for edge in tied)
        tied = [edge for edge in tied if edge.action.prior == top]
        if len(tied) == 1:
            return tied[0]
        # What `random()` gives for a seed is fixed for all versions of Python; `choice` is not.
        noise = random.Random(f"{self._seed}/{self._simulations}/{depth}").random()
        return tied[int(noise * len(tied))]

    def _expand(self, edge: Edge[StateT], evaluate: Callable[[StateT], float]) -> tuple[Node[StateT], bool]:
        """Follow an edge for the first time; return the node behind it and whether it is new."""
        state = self._problem.apply(edge.parent.state, edge.action)
        key = self._problem.key(state)
        node = self._tree.nodes.get(key)
        new = node is None
        if node is None:
            # The reward comes before any change of the tree, so that a failed evaluation leaves it whole.
            node = self._tree.add(key, state, _reward(evaluate, state, key))
        self._tree.link(edge, node)
        return node, new

    def _evaluate_root(self, evaluate: Callable[[StateT], float]) -> Node[StateT]:
        root = self._tree.root
        root.value = _reward(evaluate, root.state, root.key)
        return root

    def _back_up(self, path: list[Edge[StateT]], value: float) -> None:
        """Count one simulation and its reward at the root and along the path."""
        self._count(self._tree.root, value)
        for edge in path:
            edge.visits += 1
            edge.bonus = self._policy.bonus(edge.visits, edge.action.prior)
            assert edge.child is not None, "a path is backed up after its last edge is linked"
            self._count(edge.child, value)

    def _count(self, node: Node[StateT], value: float) -> None:
        node.visits += 1
        node.value_sum += value
        node.max = max(node.max, value)
        node.worth = (1 - self._max_share) * node.mean + self._max_share * node.max


def _reward(evaluate: Callable[[StateT], float], state: StateT, key: str) -> float:
    value = float(evaluate(state))
    if not 0 <= value <= 1:
        raise ValueError(f"reward of {key!r} is {value}; allowed: 0 to 1")
    return value
