"""Which edge to follow: formulas over plain numbers, so that they can be checked by hand.

Every policy has the form ``score = q + scale(N) * bonus(n, prior)``, where q is what the child is worth so
far, N the visits of the parent and n those of the edge. The two factors are apart because `bonus` changes
only with the edge's own visits: the search keeps it, and a choice costs one multiplication an edge.

Ties are broken in two steps, written down here because they decide what a search finds: of the edges with
exactly the same score the ones with the highest prior stay; of these one is drawn with the search's seed.

A policy sees counts, not the tree. Visits still under way (virtual loss, Chaslot et al. 2008, "Parallel
Monte-Carlo tree search") can therefore be added to them by a caller without any change here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

UNTRIED: Final = 1e12
"""UCT's bonus of an edge never followed: outweighs everything, yet times a scale of 0 it is not NaN."""


class Policy(Protocol):
    """The exploration term of a score, in two factors."""

    def scale(self, parent_visits: int) -> float:
        """Return the factor common to all edges of a node visited so often, from 1."""
        ...

    def bonus(self, visits: int, prior: float) -> float:
        """Return the factor of one edge followed so often, from 0, whose action has this prior."""
        ...


def score(policy: Policy, *, q: float, parent_visits: int, visits: int, prior: float) -> float:
    """Return what an edge scores; the edge with the highest score is followed.

    Parameters
    ----------
    policy
        The formula.
    q
        Worth of the child, 0 to 1; of an edge never followed, its parent's own reward.
    parent_visits
        How often the parent was visited, from 1.
    visits
        How often the edge was followed, from 0.
    prior
        `Action.prior` as the problem gave it.

    Examples
    --------
    >>> round(score(Uct(c=1.0), q=0.5, parent_visits=10, visits=4, prior=0.1), 4)
    1.2587
    >>> score(Puct(c=2.0), q=0.5, parent_visits=16, visits=3, prior=0.25)
    1.0
    """
    return q + policy.scale(parent_visits) * policy.bonus(visits, prior)


@dataclass(frozen=True, slots=True)
class Uct:
    """UCB1 applied to trees: ``q + c * sqrt(ln(N) / n)``, every admitted edge once first.

    Kocsis & Szepesvári 2006, "Bandit based Monte-Carlo planning", section 2.3; the bound is UCB1 of Auer,
    Cesa-Bianchi & Fischer 2002, figure 1, where c = sqrt(2). Priors play no part but in ties.

    Parameters
    ----------
    c
        Weight of exploration, more than 0.

    Raises
    ------
    ValueError
        If `c` is out of its range.
    """

    c: float = math.sqrt(2)

    def __post_init__(self) -> None:
        if not 0 < self.c < math.inf:
            raise ValueError(f"c is {self.c}; allowed: more than 0, finite")

    def scale(self, parent_visits: int) -> float:
        """Return ``c * sqrt(ln(N))``."""
        return self.c * math.sqrt(math.log(parent_visits))

    def bonus(self, visits: int, prior: float) -> float:
        """Return ``1 / sqrt(n)``, or `UNTRIED`."""
        return 1 / math.sqrt(visits) if visits else UNTRIED


@dataclass(frozen=True, slots=True)
class Puct:
    """Exploration by prior: ``q + c * prior * sqrt(N) / (1 + n)``.

    Silver et al. 2017, "Mastering the game of Go without human knowledge", Methods, "Select". There N sums
    the visits of a node's edges; here it also counts the visits that ended at the node, so that priors
    already speak at the first choice.

    Parameters
    ----------
    c
        Weight of exploration, 0 (greedy) or more.

    Raises
    ------
    ValueError
        If `c` is out of its range.
    """

    c: float = 1.25

    def __post_init__(self) -> None:
        _refuse_negative("c", self.c)

    def scale(self, parent_visits: int) -> float:
        """Return ``c * sqrt(N)``."""
        return self.c * math.sqrt(parent_visits)

    def bonus(self, visits: int, prior: float) -> float:
        """Return ``prior / (1 + n)``."""
        return prior / (1 + visits)


@dataclass(frozen=True, slots=True)
class Widening:
    """How many children a node may have: ``floor(k0 + k * N ** alpha)``, N its visits.

    Progressive widening: Coulom 2007, "Computing Elo ratings of move patterns in the game of Go"; the
    polynomial form is Couëtoux et al. 2011, "Continuous upper confidence trees", section 2. A node whose
    admitted children are all exhausted gets one more regardless, so that no budget is lost to the limit.

    Parameters
    ----------
    k0
        Children before any growth.
    k
        Scale of the growth, 0 or more.
    alpha
        Exponent of the growth, 0 (none) to 1 (linear).

    Raises
    ------
    ValueError
        If a parameter is out of its range, or a node at its first visit would get no child.

    Examples
    --------
    >>> [Widening(k0=1, k=1, alpha=0.5).admitted(n) for n in (1, 3, 4, 9)]
    [2, 2, 3, 4]
    """

    k0: float = 1.0
    k: float = 1.0
    alpha: float = 0.5

    def __post_init__(self) -> None:
        _refuse_negative("k0", self.k0)
        _refuse_negative("k", self.k)
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha is {self.alpha}; allowed: 0 to 1")
        if self.k0 + self.k < 1:
            raise ValueError(f"k0 + k is {self.k0 + self.k}; allowed: 1 or more, else no child is admitted")

    def admitted(self, visits: int) -> int:
        """Return how many children a node with so many visits may have."""
        return int(self.k0 + self.k * visits**self.alpha)


def _refuse_negative(name: str, value: float) -> None:
    if not 0 <= value < math.inf:
        raise ValueError(f"{name} is {value}; allowed: 0 or more, finite")
