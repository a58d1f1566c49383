"""What a search has learnt: nodes by key, the edges between them, and which parts are done.

Because of transpositions the "tree" is a directed acyclic graph. Visits are counted on nodes and on edges,
rewards on nodes only, so that all parents of a state share what is known of it while each explores on its
own account (UCT2 of Childs, Brodeur & Kocsis 2008, "Transpositions and move groups in Monte Carlo tree
search"). Back-up touches the selected path alone: other parents learn of a reward when a path of theirs
comes by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Generic

from kdsl_cli.search.problem import Action, StateT

ROOT_INDEX: Final = 0
"""`Node.index` of the root."""

UNEVALUATED: Final = -1.0
"""`Node.value` and `Node.max` before any reward is known; below every reward."""

UNEXPANDED: Final = None
"""`Edge.child` before the edge is first followed, `Node.waiting` before the actions are asked for."""


class Edge(Generic[StateT]):
    """An admitted action of a node.

    Attributes
    ----------
    parent, child
        The nodes it joins; `child` is `UNEXPANDED` until it is first followed.
    action, label
        What it stands for, and what a log calls that.
    visits
        Simulations that followed it.
    bonus
        `Policy.bonus` at these visits, kept because a choice reads it far more often than it changes.
    """

    __slots__ = ("action", "bonus", "child", "label", "parent", "visits")

    def __init__(self, parent: Node[StateT], action: Action) -> None:
        self.parent = parent
        self.action = action
        self.label = action.label
        self.child: Node[StateT] | None = UNEXPANDED
        self.visits = 0
        self.bonus = 0.0


class Node(Generic[StateT]):
    """A state, seen once however many paths lead to it.

    Attributes
    ----------
    index
        Place in the order of discovery, `ROOT_INDEX` for the root.
    key, state
        The problem's canonical name and the opaque state itself.
    value
        The state's own reward, 0 to 1; `UNEVALUATED` for the root of a search that has not begun.
    visits
        Simulations that passed through or ended here, on any path.
    value_sum, max
        Sum and maximum of the rewards those simulations brought back.
    worth
        The search's mix of their mean and maximum, kept for the same reason as `Edge.bonus`.
    edges
        Every admitted edge, in order of admission.
    open
        Those of `edges` with something left to find.
    waiting
        Actions not admitted yet, the next one last; `UNEXPANDED` before the problem was asked.
    inbound
        Edges that lead here, in order of discovery.
    exhausted
        Whether everything reachable from here is evaluated.
    """

    __slots__ = (
        "edges",
        "exhausted",
        "inbound",
        "index",
        "key",
        "max",
        "open",
        "state",
        "value",
        "value_sum",
        "visits",
        "waiting",
        "worth",
    )

    def __init__(self, index: int, key: str, state: StateT, value: float) -> None:
        self.index = index
        self.key = key
        self.state = state
        self.value = value
        self.visits = 0
        self.value_sum = 0.0
        self.max = UNEVALUATED
        self.worth = UNEVALUATED
        self.edges: list[Edge[StateT]] = []
        self.open: list[Edge[StateT]] = []
        self.waiting: list[Action] | None = UNEXPANDED
        self.inbound: list[Edge[StateT]] = []
        self.exhausted = False

    @property
    def mean(self) -> float:
        """Mean of the rewards brought back, `UNEVALUATED` before the first."""
        return self.value_sum / self.visits if self.visits else UNEVALUATED


class Tree(Generic[StateT]):
    """All nodes by key, with the few changes a simulation makes.

    Examples
    --------
    >>> from kdsl_cli.search.problem import Named
    >>> tree = Tree("{}", frozenset())
    >>> tree.expand(tree.root, [Named("a", prior=0.2), Named("b", prior=0.8)])
    >>> tree.admit(tree.root, limit=1)
    >>> [edge.label for edge in tree.root.edges]
    ['b']
    """

    __slots__ = ("nodes", "root")

    def __init__(self, key: str, state: StateT) -> None:
        self.root: Node[StateT] = Node(ROOT_INDEX, key, state, UNEVALUATED)
        self.nodes: dict[str, Node[StateT]] = {key: self.root}

    def add(self, key: str, state: StateT, value: float) -> Node[StateT]:
        """Return the node of a state whose reward is known now: a new one, unless it is the root."""
        node = self.nodes.get(key)
        if node is None:
            node = self.nodes[key] = Node(len(self.nodes), key, state, value)
        node.value = value
        return node

    def expand(self, node: Node[StateT], actions: Sequence[Action]) -> None:
        """Queue a node's actions: highest prior first, the problem's order among equals.

        Raises
        ------
        ValueError
            If a prior is negative or not finite.
        """
        for action in actions:
            if not 0 <= action.prior < math.inf:
                raise ValueError(f"prior of {action.label!r} is {action.prior}; allowed: 0 or more, finite")
        # `admit` pops from the end; a stable sort keeps the problem's order among equals.
        node.waiting = sorted(actions, key=lambda action: -action.prior)[::-1]

    def admit(self, node: Node[StateT], limit: float) -> None:
        """Turn waiting actions into edges up to `limit`, and beyond it while no open edge is left."""
        waiting = node.waiting
        while waiting and (len(node.edges) < limit or not node.open):
            edge = Edge(node, waiting.pop())
            node.edges.append(edge)
            node.open.append(edge)

    def link(self, edge: Edge[StateT], child: Node[StateT]) -> None:
        """Let an edge lead to a node, new or known."""
        edge.child = child
        child.inbound.append(edge)
        if child.exhausted:
            self._close_edges([edge])

    def close(self, node: Node[StateT]) -> None:
        """Mark a node without open edges or waiting actions as exhausted, and tell all its parents."""
        node.exhausted = True
        self._close_edges(node.inbound)

    def _close_edges(self, edges: Sequence[Edge[StateT]]) -> None:
        # A list of what is left to close, not recursion: chains may be longer than Python's stack.
        closing = list(edges)
        while closing:
            edge = closing.pop()
            parent = edge.parent
            parent.open.remove(edge)
            if not parent.open and not parent.waiting:
                parent.exhausted = True
                closing.extend(parent.inbound)
