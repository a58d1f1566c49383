"""What is amiss in one rule, seen from the file alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import combinations
from typing import Final

from kdsl_cli.errors import did_you_mean
from kdsl_cli.logic.conditions import All, Any, Condition, leaves
from kdsl_cli.logic.describing import describe
from kdsl_cli.logic.linting import finding as f
from kdsl_cli.logic.linting.entailment import covered
from kdsl_cli.logic.linting.pattern_cost import slowness
from kdsl_cli.logic.linting.worlds import implies, satisfiable, tautology
from kdsl_cli.logic.predicates import LIST_VERBS, OcrPredicate, TextPredicate
from kdsl_cli.logic.rule import Rule

LONGEST: Final = 24
"""Characters of a phrase, at most, that other customers may be expected to write as well."""

_NUMBER: Final = re.compile(r"\d{5,}")

Found = tuple[f.Lint, str, str]
"""Lint, key, what."""


def found_in(rule: Rule, intents: Collection[str] | None) -> Iterator[Found]:
    """Yield what is amiss in a rule; `intents` are those of the catalogue, None if there is none."""
    if unknown := unknown_intent(rule.intent, intents):
        yield f.UNKNOWN_INTENT, "intent", unknown
    if not rule.active:
        return
    yield from _condition(rule.when)
    for leaf in leaves(rule.when):
        if isinstance(leaf, TextPredicate | OcrPredicate):
            yield from _phrases(leaf)
    if rule.weight == 0:
        yield f.NO_WEIGHT, "weight", "its weight is 0: it fires and changes nothing"
    if rule.status == "reviewed" and not rule.why.strip():
        yield f.NO_WHY, "", "it is reviewed, and no sentence says why it holds"
    if rule.examples and (torn := sorted({*rule.examples.match} & {*rule.examples.no_match})):
        yield f.TORN_EXAMPLE, "examples", f"it must match and must not match {', '.join(torn)}"


def unknown_intent(intent: str, intents: Collection[str] | None) -> str | None:
    """Say that the catalogue does not have an intent; None if it does, or there is no catalogue."""
    if intents is None or intent in intents:
        return None
    return f"the catalogue has no intent '{intent}'. {did_you_mean(intent, intents) or ''}".strip()


def _condition(condition: Condition) -> Iterator[Found]:
    if not satisfiable(condition):
        yield f.UNREACHABLE, "when", f"it can never be true{_clash(condition)}"
    elif tautology(condition):
        yield f.ALWAYS_TRUE, "when", "it is true of every dialogue"
    else:
        yield from _redundant(condition)


def _clash(condition: Condition) -> str:
    """Name two parts that cannot be true together, if it is as simple as that."""
    parts = condition.children if isinstance(condition, All) else ()
    for one in parts:
        if not satisfiable(one):
            return f": {describe(one)}"
    for one, other in combinations(parts, 2):
        if not satisfiable(All((one, other))):
            return f": {describe(one)}; and {describe(other)}"
    return ""


def _redundant(condition: Condition) -> Iterator[Found]:
    """Yield the first part of each group that can be left out."""
    match condition:
        case All(children) | Any(children) if len(children) > 1:
            for place, child in enumerate(children):
                rest = children[:place] + children[place + 1 :]
                others = type(condition)(rest)
                if implies(others, child) if isinstance(condition, All) else implies(child, others):
                    yield (
                        f.REDUNDANT,
                        "when",
                        f"this part changes nothing beside the others: {describe(child)}",
                    )
                    break
            for child in children:
                yield from _redundant(child)
        case _:
            return


def _phrases(leaf: TextPredicate | OcrPredicate) -> Iterator[Found]:
    if leaf.op == "regex":
        if reason := slowness(leaf.values[0]):
            yield f.SLOW_PATTERN, "when", f"the pattern /{leaf.values[0]}/ is slow: {reason}"
        return
    if leaf.op in LIST_VERBS and (dropped := covered(leaf)):
        named = ", ".join(f'"{value}"' for value in dropped)
        yield f.REDUNDANT, "when", f"{named} changes nothing beside the other phrases of {leaf.op}"
    for value in leaf.values:
        if _NUMBER.search(value):
            yield f.ACCIDENTAL, "when", f'"{value}" holds a long number: an order, a parcel or a telephone'
        elif len(value) > LONGEST:
            yield f.ACCIDENTAL, "when", f'"{value}" is {len(value)} characters long: who else writes that?'
