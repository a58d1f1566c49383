"""Conditions compared by meaning: over every combination of truths that their predicates may have together.

A truth table over the distinct predicates, less the rows that `entailment` rules out. With n predicates it
has 2ⁿ rows, so conditions with more than `MOST` are not judged: nothing is claimed of them.

The table is two-valued. Where a fact is unknown, what holds here holds of whatever the fact may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from kdsl_cli.logic.conditions import All, Any, AtLeast, Condition, Not, canonical, leaves
from kdsl_cli.logic.linting.entailment import always, entails, excludes, exhausts, never
from kdsl_cli.logic.predicates import Predicate

MOST: Final = 12
"""Distinct predicates that are looked at together, at most: 4096 rows."""

Bools = npt.NDArray[np.bool_]


def implies(first: Condition, second: Condition) -> bool:
    """Tell whether `second` is true wherever `first` is.

    Examples
    --------
    >>> from kdsl_cli.logic.predicates import OcrPredicate
    >>> refund, amount = OcrPredicate("contains", ("退款",)), OcrPredicate("contains", ("退款金额",))
    >>> implies(amount, Any((refund, Not(amount)))), implies(refund, amount)
    (True, False)
    """
    one, other = canonical(first), canonical(second)
    if _strange(other, leaves(one)):
        return False
    table = _table(one, other)
    return table is not None and not (table[0] & ~table[1]).any()


def satisfiable(condition: Condition) -> bool:
    """Tell whether a condition can be true at all; True if it is too large to be judged.

    Examples
    --------
    >>> from kdsl_cli.logic.predicates import CountPredicate
    >>> satisfiable(All((CountPredicate("images", "gte", 2), CountPredicate("images", "lte", 1))))
    False
    """
    table = _table(canonical(condition))
    return table is None or bool(table[0].any())


def tautology(condition: Condition) -> bool:
    """Tell whether a condition is true of every dialogue, as far as its facts are known.

    Examples
    --------
    >>> from kdsl_cli.logic.predicates import CountPredicate
    >>> tautology(CountPredicate("turns", "gte", 1))
    True
    """
    table = _table(canonical(condition))
    return table is not None and bool(table[0].all())


def _strange(condition: Condition, known: tuple[Predicate, ...]) -> bool:
    """Tell whether a part that must be true has nothing to do with what is known: so of most pairs."""
    parts = condition.children if isinstance(condition, All) else (condition,)
    return any(not any(_related(leaf, one) for leaf in leaves(part) for one in known) for part in parts)


@lru_cache(maxsize=65_536)
def _related(first: Predicate, second: Predicate) -> bool:
    return (
        entails(first, second) or entails(second, first) or excludes(first, second) or exhausts(first, second)
    )


def _table(*conditions: Condition) -> tuple[Bools, ...] | None:
    """Return the truth of each condition in every world; None if there are too many."""
    atoms = tuple(dict.fromkeys(leaf for condition in conditions for leaf in leaves(condition)))
    if len(atoms) > MOST:
        return None
    worlds = _worlds(atoms)
    columns = dict(zip(atoms, worlds.T, strict=True))
    return tuple(_truth(condition, columns) for condition in conditions)


@lru_cache(maxsize=4096)
def _worlds(atoms: tuple[Predicate, ...]) -> Bools:
    """Return (n_worlds, n_atoms): the combinations of truths that nothing rules out."""
    worlds = (np.arange(2 ** len(atoms))[:, None] >> np.arange(len(atoms)) & 1).astype(bool)
    allowed = np.ones(len(worlds), dtype=bool)
    for column, atom in enumerate(atoms):
        one = worlds[:, column]
        if always(atom):
            allowed &= one
        if never(atom):
            allowed &= ~one
        for other_column, other in enumerate(atoms):
            if other_column == column:
                continue
            two = worlds[:, other_column]
            if entails(atom, other):
                allowed &= ~one | two
            if excludes(atom, other):
                allowed &= ~(one & two)
            if exhausts(atom, other):
                allowed &= one | two
    return worlds[allowed]


def _truth(condition: Condition, columns: Mapping[Predicate, Bools]) -> Bools:
    match condition:
        case All(children):
            return np.asarray(np.all([_truth(child, columns) for child in children], axis=0))
        case Any(children):
            return np.asarray(np.any([_truth(child, columns) for child in children], axis=0))
        case AtLeast(n, children):
            true = np.sum([_truth(child, columns) for child in children], axis=0)
            return np.asarray(true >= n)
        case Not(child):
            return ~_truth(child, columns)
        case _:
            return columns[condition]
