"""What a path leaves behind: visits and rewards of nodes and edges, for good or until it has returned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Generic

from kdsl_cli.search.problem import StateT
from kdsl_cli.search.selection import Policy
from kdsl_cli.search.tree import UNEXPANDED, Edge, Node

LOSS: Final = 0.0
"""The lowest reward, which a path under way is taken to bring back."""


class BackUp(Generic[StateT]):
    """Counts paths.

    A path under way counts as a virtual loss: a visit that brought back the lowest reward, so that the paths
    chosen meanwhile go elsewhere (Chaslot, Winands & van den Herik 2008, "Parallel Monte-Carlo tree search",
    section 4). Taken back, it leaves no trace: the lowest reward adds nothing to a sum of rewards, and all
    that is kept beside visits and sum is computed from them.

    Parameters
    ----------
    root
        Where every path starts.
    policy
        Gives the bonus of an edge, kept there.
    max_share
        Share of the maximum, as opposed to the mean, in the worth of a node.
    """

    def __init__(self, root: Node[StateT], policy: Policy, max_share: float) -> None:
        self._root = root
        self._policy = policy
        self._max_share = max_share

    def count(self, edges: Iterable[Edge[StateT]], reward: float) -> None:
        """Count one simulation and its reward at the root and along the path."""
        self._pass(edges, 1, reward)

    def lose(self, edges: Iterable[Edge[StateT]]) -> None:
        """Count a path under way; its last edge need not lead anywhere yet."""
        self._pass(edges, 1, LOSS)

    def take_back(self, edges: Iterable[Edge[StateT]]) -> None:
        """Undo `lose`."""
        self._pass(edges, -1, LOSS)

    def _pass(self, edges: Iterable[Edge[StateT]], times: int, reward: float) -> None:
        self._visit(self._root, times, reward)
        for edge in edges:
            edge.visits += times
            edge.bonus = self._policy.bonus(edge.visits, edge.action.prior)
            if edge.child is not UNEXPANDED:
                self._visit(edge.child, times, reward)

    def _visit(self, node: Node[StateT], times: int, reward: float) -> None:
        node.visits += times
        node.value_sum += reward
        if reward > node.max:
            node.max = reward
        node.worth = (1 - self._max_share) * node.mean + self._max_share * node.max
