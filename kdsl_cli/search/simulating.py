"""Simulations of a batch: plan, expand, evaluate, back up, in this reading order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic

from kdsl_cli.search.asking import Asker
from kdsl_cli.search.backing_up import BackUp
from kdsl_cli.search.events import Event
from kdsl_cli.search.planning import Path, Planner
from kdsl_cli.search.problem import Problem, StateT
from kdsl_cli.search.stopping import Progress
from kdsl_cli.search.tree import UNEVALUATED, UNEXPANDED, Tree

Rewards = Callable[[Mapping[str, StateT]], dict[str, float]]
"""Returns the reward of each state, given and returned by key."""


class Simulator(Generic[StateT]):
    """Lets a tree grow, batch by batch.

    The paths of a batch are planned together. They can then be simulated in parts of any size with the same
    outcome: what a path needs of the tree is settled when it is planned, and paths count in that order. So a
    batch may be cut short by a budget, a failure or the end of a log, and go on later.

    Parameters
    ----------
    problem
        What is searched.
    tree
        Its root, not yet evaluated.
    planner, back_up
        Choose paths in the tree and count them.
    batch
        Paths planned together, at most.
    """

    def __init__(
        self,
        problem: Problem[StateT],
        tree: Tree[StateT],
        planner: Planner[StateT],
        back_up: BackUp[StateT],
        batch: int,
    ) -> None:
        self._problem = problem
        self._ask = Asker(problem)
        self._tree = tree
        self._planner = planner
        self._back_up = back_up
        self._batch = batch
        self._planned: list[Path[StateT]] = [Path(0, [])]
        self._simulations = 0
        self._evaluations = 0
        self._best_value = UNEVALUATED
        self._improved_at = 0

    @property
    def progress(self) -> Progress:
        """How far the search has come."""
        best = self._best_value if self._evaluations else None
        return Progress(self._simulations, self._evaluations, best, self._improved_at)

    def simulate(self, limit: int, rewards_of: Rewards[StateT] | None = None) -> tuple[Event, ...]:
        """Do what is left of the batch under way, or else the next one.

        Parameters
        ----------
        limit
            The most simulations to do, 1 or more.
        rewards_of
            Whom to ask for rewards; None asks the problem.

        Returns
        -------
        tuple of Event
            In order; empty if every reachable state was evaluated.

        Raises
        ------
        ValueError
            If the problem gives an answer no search can use, or its state graph has a cycle.
        """
        while not self._tree.root.exhausted:
            if not self._planned:
                self._planned = self._planner.plan(self._batch, self._simulations)
            paths = self._expand(self._planned[:limit])
            self._planned[:limit] = paths
            if paths:
                return self._evaluate(paths, rewards_of or self._ask.rewards)
        return ()

    def _expand(self, paths: list[Path[StateT]]) -> list[Path[StateT]]:
        """Ask for the actions that paths wait for; return the paths, now complete, without dead ends.

        Dead ends come to light late because a problem's actions are asked for only when a node is left.
        """
        nodes = [path.unexpanded for path in paths if path.unexpanded is not None]
        if not nodes:
            return paths
        # After a failed evaluation the actions are known already.
        nodes = [node for node in nodes if node.waiting is UNEXPANDED]
        if nodes:
            answers = self._ask.actions([node.state for node in nodes])
            for node, actions in zip(nodes, answers, strict=True):
                self._tree.expand(node, actions)
        return [path for path in paths if path.unexpanded is None or self._planner.complete(path)]

    def _evaluate(self, paths: Sequence[Path[StateT]], rewards_of: Rewards[StateT]) -> tuple[Event, ...]:
        """Ask for the rewards of states not met before, then count the paths."""
        keys: list[str] = []
        unknown: dict[str, StateT] = {}
        for path in paths:
            key, state = self._leaf(path)
            keys.append(key)
            if key not in self._tree.nodes or not self._simulations:
                unknown.setdefault(key, state)
        # Rewards come before any change of visits and plan, so that a failed evaluation leaves them whole.
        rewards = rewards_of(unknown) if unknown else {}
        for key, reward in rewards.items():
            if not 0 <= reward <= 1:
                raise ValueError(f"reward of {key!r} is {reward}; allowed: 0 to 1")
        del self._planned[: len(paths)]
        for key, state in unknown.items():
            self._tree.add(key, state, float(rewards[key]))
        return tuple(
            [
                self._count(path, key, new=rewards.pop(key, None) is not None)
                for path, key in zip(paths, keys, strict=True)
            ]
        )

    def _leaf(self, path: Path[StateT]) -> tuple[str, StateT]:
        """Return key and state at the end of a path."""
        if not path.edges:
            return self._tree.root.key, self._tree.root.state
        edge = path.edges[-1]
        state = self._problem.apply(edge.parent.state, edge.action)
        return self._problem.key(state), state

    def _count(self, path: Path[StateT], key: str, new: bool) -> Event:
        """Back up the reward at the end of a path."""
        node = self._tree.nodes[key]
        if path.edges:
            self._tree.link(path.edges[-1], node)
        self._back_up.count(path.edges, node.value)
        labels = tuple([edge.label for edge in path.edges])
        event = Event(self._simulations, labels, key, node.value, new)
        self._simulations += 1
        self._evaluations += new
        if node.value > self._best_value:
            self._best_value = node.value
            self._improved_at = self._simulations
        return event
