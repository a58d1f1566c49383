"""What is amiss between the rules of a file, seen from the file alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from kdsl_cli.logic.conditions import canonical, condition_key, leaves
from kdsl_cli.logic.linting import finding as f
from kdsl_cli.logic.linting.worlds import implies, satisfiable, tautology
from kdsl_cli.logic.rule import Rule

Placed = tuple[int, Rule]
"""A rule with its place in the file."""


def found_among(rules: Sequence[Rule]) -> Iterator[f.Finding]:
    """Yield what is amiss between rules; each pair is told of once, at the rule that should go.

    A rule without a weight says nothing that another could say too.
    """
    active = [(place, rule) for place, rule in enumerate(rules) if rule.active and rule.weight]
    alike = list(_alike(active))
    yield from (finding for pair in alike for finding in _same_condition(*pair))
    same = {(one[0], other[0]) for one, other in alike}
    yield from _subsumed(active, same)
    yield from _leftovers(rules, active)


def _alike(placed: Sequence[Placed]) -> Iterator[tuple[Placed, Placed]]:
    """Yield the pairs of rules whose conditions mean the same.

    Conditions that mean the same name the same predicates, save in contrived cases, which are passed over.
    """
    by_leaves: dict[frozenset[str], list[Placed]] = defaultdict(list)
    for one in placed:
        by_leaves[frozenset(condition_key(leaf) for leaf in leaves(one[1].when))].append(one)
    for group in by_leaves.values():
        for one, other in combinations(group, 2):
            first, second = one[1].when, other[1].when
            if canonical(first) == canonical(second) or (implies(first, second) and implies(second, first)):
                yield one, other


def _same_condition(one: Placed, other: Placed) -> Iterator[f.Finding]:
    (_, first), (place, second) = one, other
    same_sign = (first.weight > 0) == (second.weight > 0)
    if first.intent == second.intent and same_sign:
        what = f"it means the same as {first.id}, for the same intent"
        yield f.Finding(f.DUPLICATE, place, "when", what)
    elif first.intent == second.intent:
        what = f"it means the same as {first.id}, which weighs {first.weight:g} for the same intent"
        yield f.Finding(f.CONTRADICTORY, place, "weight", what)
    elif first.weight > 0 and second.weight > 0 and _claims_most(first) and _claims_most(second):
        what = f"it means the same as {first.id}, which is for {first.intent}: both cannot be right"
        yield f.Finding(f.CONTRADICTORY, place, "intent", what)


def _claims_most(rule: Rule) -> bool:
    """Tell whether a rule is said to be right more often than not; one without evidence says so."""
    return rule.evidence is None or 2 * rule.evidence.correct > rule.evidence.fired


def _subsumed(active: Sequence[Placed], same: set[tuple[int, int]]) -> Iterator[f.Finding]:
    by_side: dict[tuple[str, bool], list[Placed]] = defaultdict(list)
    for one in active:
        if satisfiable(one[1].when) and not tautology(one[1].when):
            by_side[one[1].intent, one[1].weight > 0].append(one)
    for group in by_side.values():
        for place, narrow in group:
            for other, wide in group:
                if place == other or (min(place, other), max(place, other)) in same:
                    continue
                if not _more_precise(narrow, wide) and implies(narrow.when, wide.when):
                    what = f"wherever it fires {wide.id} fires too, and nothing says that it is more precise"
                    yield f.Finding(f.SUBSUMED, place, "when", what)
                    break


def _more_precise(narrow: Rule, wide: Rule) -> bool:
    """Tell whether the evidence says that the narrower rule is right more often: then it adds something."""
    if narrow.evidence is None or wide.evidence is None:
        return False
    first, second = narrow.evidence, wide.evidence
    if not first.fired or not second.fired:
        return False
    more = first.correct / first.fired > second.correct / second.fired
    return more if narrow.weight > 0 else not more


def _leftovers(rules: Sequence[Rule], active: Sequence[Placed]) -> Iterator[f.Finding]:
    used = {(rule.intent, condition_key(rule.when)): rule.id for _, rule in active}
    for place, rule in enumerate(rules):
        if rule.active:
            continue
        twin = used.get((rule.intent, condition_key(rule.when)))
        if twin is not None:
            what = f"it is disabled, and {twin} says the same and is not"
            yield f.Finding(f.LEFTOVER, place, "status", what)
        elif rule.provenance is None:
            yield f.Finding(f.LEFTOVER, place, "status", "it is disabled, and was not found by mining")
