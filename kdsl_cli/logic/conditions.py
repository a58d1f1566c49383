"""Conditions: all, any, not and at_least over predicates, and their canonical form."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any as TAny
from typing import Final

from kdsl_cli.dialogues.normalise import normalise
from kdsl_cli.errors import StageError
from kdsl_cli.logic.predicates import (
    AnswerPredicate,
    CountPredicate,
    ImagePredicate,
    OcrPredicate,
    Predicate,
    TextPredicate,
    Verb,
)

MAX_DEPTH: Final = 8
"""Deepest nesting of a condition in a rule file: a person cannot follow more."""


@dataclass(frozen=True, slots=True)
class All:
    """True if every child is."""

    children: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if not self.children:
            raise ValueError("all needs at least one condition")


@dataclass(frozen=True, slots=True)
class Any:
    """True if some child is."""

    children: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if not self.children:
            raise ValueError("any needs at least one condition")


@dataclass(frozen=True, slots=True)
class Not:
    """True if the child is false; unknown stays unknown."""

    child: Condition


@dataclass(frozen=True, slots=True)
class AtLeast:
    """True if at least `n` children are, 1 <= n <= number of children."""

    n: int
    children: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.n <= len(self.children):
            raise ValueError(
                f"at_least {self.n} of {len(self.children)} conditions cannot be met or is empty"
            )


Condition = All | Any | Not | AtLeast | Predicate


def leaves(condition: Condition) -> tuple[Predicate, ...]:
    """Return the predicates of a condition in reading order, repeated ones included.

    Examples
    --------
    >>> [leaf.values for leaf in leaves(Not(OcrPredicate("contains", ("退货",))))]
    [('退货',)]
    """
    match condition:
        case All(children) | Any(children) | AtLeast(_, children):
            return tuple(leaf for child in children for leaf in leaves(child))
        case Not(child):
            return leaves(child)
        case _:
            return (condition,)


@lru_cache(maxsize=65_536)
def canonical(condition: Condition) -> Condition:
    """Return the one form that conditions of the same build share.

    Nested all in all and any in any are flattened, children sorted and their duplicates dropped, double
    negation removed, phrases normalised and sorted. The meaning does not change: both forms match alike.

    Examples
    --------
    >>> a, b = OcrPredicate("contains", ("Ａ",)), OcrPredicate("contains_any", ("b", "a"))
    >>> canonical(All((b, All((a, b))))) == canonical(All((a, Not(Not(b)))))
    True
    """
    match condition:
        case All() | Any():
            return _canonical_group(condition)
        case Not(child):
            inner = canonical(child)
            return inner.child if isinstance(inner, Not) else Not(inner)
        case AtLeast(n, children):
            if n == 1:
                return canonical(Any(children))
            if n == len(children):
                return canonical(All(children))
            # A child given twice counts twice, so duplicates stay.
            return AtLeast(n, tuple(sorted(map(canonical, children), key=_key)))
        case TextPredicate() | OcrPredicate():
            return _canonical_phrases(condition)
        case _:
            return condition


def condition_key(condition: Condition) -> str:
    """Return the canonical form as text: equal for equal forms, so it serves as a key in tables and hashes.

    Examples
    --------
    >>> condition_key(OcrPredicate("contains", ("退款",)))
    '["ocr","contains_any",["退款"],"all"]'
    """
    return _key(canonical(condition))


def _canonical_group(group: All | Any) -> Condition:
    flat: dict[str, Condition] = {}
    for child in map(canonical, group.children):
        inner = child.children if type(child) is type(group) and isinstance(child, All | Any) else (child,)
        flat.update((_key(part), part) for part in inner)
    if len(flat) == 1:
        return next(iter(flat.values()))
    return type(group)(tuple(flat[key] for key in sorted(flat)))


def _canonical_phrases(predicate: TextPredicate | OcrPredicate) -> TextPredicate | OcrPredicate:
    if predicate.op == "regex":
        return predicate
    phrases = tuple(sorted({normalise(value) for value in predicate.values}))
    same_meaning: dict[Verb, Verb] = {"contains": "contains_any", "equals": "equals_any"}
    op = same_meaning.get(predicate.op, predicate.op)
    if op == "contains_all" and len(phrases) == 1:
        op = "contains_any"
    return replace(predicate, op=op, values=phrases)


@lru_cache(maxsize=65_536)
def _key(condition: Condition) -> str:
    """Return an already canonical condition as compact JSON."""
    return json.dumps(_as_list(condition), ensure_ascii=False, separators=(",", ":"))


def _as_list(condition: Condition) -> list[object]:
    match condition:
        case All(children):
            return ["all", *map(_as_list, children)]
        case Any(children):
            return ["any", *map(_as_list, children)]
        case Not(child):
            return ["not", _as_list(child)]
        case AtLeast(n, children):
            return ["at_least", n, *map(_as_list, children)]
        case TextPredicate(field, op, values):
            return ["text", field, op, list(values)]
        case OcrPredicate(op, values, region):
            return ["ocr", op, list(values), region]
        case ImagePredicate("kind", _, value):
            return ["image", "kind", value]
        case ImagePredicate(feature, op, value):
            # Equal predicates must get equal keys, and 3 equals 3.0, and 0.0 equals -0.0.
            numbers = value if isinstance(value, tuple) else (value,)
            return ["image", feature, op, *(float(number) + 0.0 for number in numbers)]
        case CountPredicate(of, op, value):
            return ["count", of, op, value]
        case AnswerPredicate(question, is_):
            return ["answer", question, is_]


def parse_key(key: str) -> Condition:
    """Return the canonical condition that a key stands for: the inverse of `condition_key`.

    Examples
    --------
    >>> parse_key('["not",["ocr","contains_any",["退款"],"all"]]')
    Not(child=OcrPredicate(op='contains_any', values=('退款',), region='all'))

    Raises
    ------
    StageError
        If `key` is not one that `condition_key` makes; keys stand in files that stages leave.
    """
    try:
        return _from_list(json.loads(key))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise StageError(
            f"no condition has the key {key} ({error})",
            fix="Run the stage that wrote it again, with --force",
        ) from error


def _from_list(parts: list[TAny]) -> Condition:
    match parts:
        case ["all", *children]:
            return All(tuple(map(_from_list, children)))
        case ["any", *children]:
            return Any(tuple(map(_from_list, children)))
        case ["not", child]:
            return Not(_from_list(child))
        case ["at_least", n, *children]:
            return AtLeast(n, tuple(map(_from_list, children)))
        case ["text", field, op, values]:
            return TextPredicate(field, op, tuple(values))
        case ["ocr", op, values, region]:
            return OcrPredicate(op, tuple(values), region)
        case ["image", "kind", kind]:
            return ImagePredicate("kind", "is", kind)
        case ["image", feature, op, *numbers]:
            return ImagePredicate(feature, op, tuple(numbers) if op == "between" else numbers[0])
        case ["count", of, op, value]:
            return CountPredicate(of, op, tuple(value) if isinstance(value, list) else value)
        case ["answer", question, is_]:
            return AnswerPredicate(question, is_)
        case _:
            raise ValueError(f"not a part of any: {json.dumps(parts, ensure_ascii=False)}")
