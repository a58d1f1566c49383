"""How two rule bases of a task differ, rule by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Literal, TypeVar

from kdsl_cli.logic.rule import BaseRate, Rule, RuleBase

Kind = Literal["added", "removed", "edited"]

_T = TypeVar("_T", bound=Rule | BaseRate)


@dataclass(frozen=True, slots=True)
class Revision:
    """One rule, or one intent's base rate, that is not as it was.

    Attributes
    ----------
    name
        The rule's id; of a base rate, its intent.
    kind
        What happened to it.
    keys
        What was edited of it: names of `Rule` or `BaseRate`.
    base_rate
        Whether it is a base rate.
    """

    name: str
    kind: Kind
    keys: tuple[str, ...] = ()
    base_rate: bool = False


def revisions(before: RuleBase, after: RuleBase) -> tuple[Revision, ...]:
    """Return what differs, in the order of `after`, removed ones last; a rule is known by its id.

    Examples
    --------
    >>> from kdsl_cli.logic.predicates import CountPredicate
    >>> rule = Rule("r", "refund", CountPredicate("images", "gte", 1))
    >>> other = Rule("r", "refund", CountPredicate("images", "gte", 2), note="two")
    >>> revisions(RuleBase("scene", (rule,)), RuleBase("scene", (other,)))
    (Revision(name='r', kind='edited', keys=('when', 'note'), base_rate=False),)
    """
    rules = _differ({one.id: one for one in before.rules}, {one.id: one for one in after.rules})
    rates = _differ(
        {one.intent: one for one in before.base_rates}, {one.intent: one for one in after.base_rates}
    )
    return (
        *(Revision(name, kind, keys) for name, kind, keys in rules),
        *(Revision(name, kind, keys, base_rate=True) for name, kind, keys in rates),
    )


def _differ(then: Mapping[str, _T], now: Mapping[str, _T]) -> Iterator[tuple[str, Kind, tuple[str, ...]]]:
    for name, one in now.items():
        if name not in then:
            yield name, "added", ()
        elif one != then[name]:
            keys = (field.name for field in fields(one))
            yield name, "edited", tuple(key for key in keys if getattr(one, key) != getattr(then[name], key))
    yield from ((name, "removed", ()) for name in then if name not in now)
