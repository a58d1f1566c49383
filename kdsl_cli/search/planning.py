"""Choosing: the paths of a batch, each chosen as if those before it had been lost."""

from __future__ import annotations

import math
import random
from typing import Generic

from kdsl_cli.search.backing_up import LOSS, BackUp
from kdsl_cli.search.problem import StateT
from kdsl_cli.search.selection import Policy, Widening
from kdsl_cli.search.tree import UNEXPANDED, Edge, Node, Tree


class Path(Generic[StateT]):
    """A way from the root, chosen but not counted.

    Attributes
    ----------
    number
        The simulation it is meant to be, from 0; its ties are drawn by this number.
    edges
        From the root on. The last one was never followed before, unless the path is still to be completed.
    unexpanded
        The node whose actions must be known before the last edge can be chosen; None once it is.
    visits
        That node's visits when the path came by: what the choice goes by, however late it is made.
    """

    __slots__ = ("edges", "number", "unexpanded", "visits")

    def __init__(
        self,
        number: int,
        edges: list[Edge[StateT]],
        unexpanded: Node[StateT] | None = None,
        visits: int = 0,
    ) -> None:
        self.number = number
        self.edges = edges
        self.unexpanded = unexpanded
        self.visits = visits

    @property
    def end(self) -> Node[StateT] | Edge[StateT]:
        """What the path is on its way to find out: a node's actions or where an edge leads."""
        return self.unexpanded or self.edges[-1]


class Planner(Generic[StateT]):
    """Chooses paths in a tree.

    Parameters
    ----------
    tree
        Where; edges are admitted to it, its visits and rewards stay.
    policy
        Which edge to follow.
    widening
        How many children a node may have at a time; None admits all at once.
    back_up
        Counts paths under way.
    seed
        Breaks ties.
    """

    def __init__(
        self,
        tree: Tree[StateT],
        policy: Policy,
        widening: Widening | None,
        back_up: BackUp[StateT],
        seed: int,
    ) -> None:
        self._tree = tree
        self._policy = policy
        self._widening = widening
        self._back_up = back_up
        self._seed = seed

    def plan(self, size: int, number: int) -> list[Path[StateT]]:
        """Return 1 to `size` paths, the first of them for the simulation of this number.

        Each is chosen with virtual loss of those before. One that could only wait for what another is on its
        way to find out ends the plan: paths beyond it would be chosen for being free, not for being
        promising.

        Raises
        ------
        ValueError
            If the state graph has a cycle.
        """
        if size == 1:
            return [self._descend(number)]  # nobody to keep away from; a tenth of a quick simulation's time
        paths: list[Path[StateT]] = []
        lost: list[Path[StateT]] = []
        ends: set[Node[StateT] | Edge[StateT]] = set()
        try:
            while (path := self._descend(number + len(paths))).end not in ends:
                paths.append(path)
                if len(paths) == size:
                    break
                ends.add(path.end)
                self._back_up.lose(path.edges)
                lost.append(path)
        finally:
            for path in lost:
                self._back_up.take_back(path.edges)
        return paths

    def complete(self, path: Path[StateT]) -> bool:
        """Choose the last edge of a path, now that the actions are known; without any, close its dead end.

        Returns
        -------
        bool
            Whether there was an edge to choose.
        """
        node = path.unexpanded
        assert node is not None, "a complete path needs no other edge"
        self._admit(node, path.visits)
        if not node.open:
            self._tree.close(node)
            return False
        path.edges.append(self._choose(node, path.visits, path.number, depth=len(path.edges)))
        path.unexpanded = None
        return True

    def _descend(self, number: int) -> Path[StateT]:
        """Return a path from the root to an edge not followed before or a node not expanded before."""
        node = self._tree.root
        edges: list[Edge[StateT]] = []
        while node.waiting is not UNEXPANDED:
            if node.waiting:
                self._admit(node, node.visits)
            edge = self._choose(node, node.visits, number, depth=len(edges))
            edges.append(edge)
            if edge.child is UNEXPANDED:
                return Path(number, edges)
            node = edge.child
            if len(edges) >= len(self._tree.nodes):
                raise ValueError(f"the state graph has a cycle through {node.key!r}; an action must lead on")
        return Path(number, edges, node, node.visits)

    def _admit(self, node: Node[StateT], visits: int) -> None:
        """Admit as many of a node's actions as its visits allow."""
        limit = math.inf if self._widening is None else self._widening.admitted(visits)
        known = len(node.edges)
        self._tree.admit(node, limit)
        for edge in node.edges[known:]:
            edge.bonus = self._policy.bonus(0, edge.action.prior)

    def _choose(self, node: Node[StateT], visits: int, number: int, depth: int) -> Edge[StateT]:
        """Return the open edge of highest score; ties as `selection` tells."""
        scale = self._policy.scale(visits)
        top, tied = -math.inf, node.open[:1]
        for edge in node.open:
            if edge.child is not UNEXPANDED:
                score = edge.child.worth
            elif edge.visits:  # another path of the batch is on its way there
                score = LOSS
            else:
                score = node.value
            score += scale * edge.bonus
            if score > top:
                top, tied = score, [edge]
            elif score == top:
                tied.append(edge)
        return tied[0] if len(tied) == 1 else self._draw(tied, number, depth)

    def _draw(self, tied: list[Edge[StateT]], number: int, depth: int) -> Edge[StateT]:
        """Return one of several equal edges: of those with the highest prior one drawn by seed."""
        top = max(edge.action.prior for edge in tied)
        tied = [edge for edge in tied if edge.action.prior == top]
        if len(tied) == 1:
            return tied[0]
        # What `random()` gives for a seed is fixed for all versions of Python; `choice` is not.
        noise = random.Random(f"{self._seed}/{number}/{depth}").random()
        return tied[int(noise * len(tied))]
