"""Which edge to follow: scores from plain numbers, so that a formula can be checked by hand.

Ties are broken in two steps, written down here because they decide what a search finds: of the edges with
exactly the same score the ones with the highest prior stay; of these one is drawn with the search's seed.

A policy sees counts, not the tree. Visits still under way (virtual loss, Chaslot et al. 2008, "Parallel
Monte-Carlo tree search") can therefore be added to `visits` by a caller without any change here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


class Policy(Protocol):
    """Scores one edge of a node; the edge with the highest score is followed."""

    def score(self, visits: int, parent_visits: int, q: float, prior: float) -> float:
        """Return the score of an edge.

        Parameters
        ----------
        visits
            How often this edge was followed, from 0.
        parent_visits
            How often its parent was visited, from 1.
        q
            Estimated worth of the child, 0 to 1; of an edge never followed, its parent's own reward.
        prior
            `Action.prior` as the problem gave it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Uct:
    """UCB1 applied to trees: ``q + c * sqrt(ln(N) / n)``, every admitted edge once first.

    N is `parent_visits`, n is `visits`. Kocsis & Szepesvári 2006, "Bandit based Monte-Carlo planning",
    section 2.3; the bound is UCB1 of Auer, Cesa-Bianchi & Fischer 2002, figure 1, where c = sqrt(2).
    Priors play no part but in ties.

    Parameters
    ----------
    c
        Weight of exploration, 0 or more.

    Examples
    --------
    >>> round(Uct(c=1.0).score(visits=4, parent_visits=10, q=0.5, prior=0.1), 4)
    1.2587
    >>> Uct(c=1.0).score(visits=0, parent_visits=10, q=0.0, prior=0.1)
    inf
    """

    c: float = math.sqrt(2)

    def __post_init__(self) -> None:
        _refuse_negative("c", self.c)

    def score(self, visits: int, parent_visits: int, q: float, prior: float) -> float:
        """Return the upper confidence bound, infinite for an edge never followed."""
        if visits == 0:
            return math.inf
        return q + self.c * math.sqrt(math.log(parent_visits) / visits)


@dataclass(frozen=True, slots=True)
class Puct:
    """Prior-weighted exploration: ``q + c * prior * sqrt(N) / (1 + n)``.

    N is `parent_visits`, n is `visits`. Silver et al. 2017, "Mastering the game of Go without human
    knowledge", Methods, "Select". There N sums the visits of a node's edges; here it also counts the visits
    that ended at the node, so that priors already speak at the first choice.

    Parameters
    ----------
    c
        Weight of exploration, 0 or more.

    Examples
    --------
    >>> Puct(c=2.0).score(visits=3, parent_visits=16, q=0.5, prior=0.25)
    1.0
    >>> Puct(c=2.0).score(visits=0, parent_visits=16, q=0.5, prior=0.25)
    2.5
    """

    c: float = 1.25

    def __post_init__(self) -> None:
        _refuse_negative("c", self.c)

    def score(self, visits: int, parent_visits: int, q: float, prior: float) -> float:
        """Return worth plus what the prior still promises."""
        return q + self.c * prior * math.sqrt(parent_visits) / (1 + visits)


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
