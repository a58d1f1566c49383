"""Logic with three values: True, False, and None for unknown (Kleene's strong logic).

Unknown means that the fact could not be observed, so an answer is given only where every way the unknown
could turn out leads to the same one.
"""

from __future__ import annotations

from collections.abc import Sequence

Truth = bool | None


def not_(value: Truth) -> Truth:
    """Return the negation; the negation of unknown is unknown.

    Examples
    --------
    >>> [not_(value) for value in (True, False, None)]
    [False, True, None]
    """
    return None if value is None else not value


def at_least(n: int, values: Sequence[Truth]) -> Truth:
    """Tell whether at least `n` values are true.

    Examples
    --------
    >>> at_least(2, [True, None, True]), at_least(2, [True, None, False]), at_least(2, [True, False, False])
    (True, None, False)
    """
    true = sum(value is True for value in values)
    if true >= n:
        return True
    unknown = sum(value is None for value in values)
    return None if true + unknown >= n else False


def all_of(values: Sequence[Truth]) -> Truth:
    """Return the conjunction: false if one is false, else unknown if one is unknown.

    Examples
    --------
    >>> all_of([True, None]), all_of([False, None]), all_of([True, True])
    (None, False, True)
    """
    return at_least(len(values), values)


def any_of(values: Sequence[Truth]) -> Truth:
    """Return the disjunction: true if one is true, else unknown if one is unknown.

    Examples
    --------
    >>> any_of([True, None]), any_of([False, None]), any_of([False, False])
    (True, None, False)
    """
    return at_least(1, values)
