"""Conditions in words: one line a person can read aloud."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kdsl_cli.logic.conditions import All, Any, AtLeast, Condition, Not
from kdsl_cli.logic.predicates import (
    AnswerPredicate,
    CountPredicate,
    ImagePredicate,
    OcrPredicate,
    Region,
    TextField,
    TextPredicate,
    Verb,
)

_FIELDS: Final[dict[TextField, str]] = {
    "last_customer": "the customer's last message",
    "first_customer": "the customer's first message",
    "customer": "a customer's message",
    "service": "a message of the service",
    "any": "a message",
}
_REGIONS: Final[dict[Region, str]] = {
    "all": "a line on the screen",
    "top": "a line at the top of the screen",
    "middle": "a line between top and bottom of the screen",
    "bottom": "a line at the bottom of the screen",
    "upper": "a line in the upper half of the screen",
    "lower": "a line in the lower half of the screen",
    "left": "a line on the left of the screen",
    "right": "a line on the right of the screen",
    "center": "a line in the middle column of the screen",
}
_VERBS: Final[dict[Verb, str]] = {
    "contains": "contains",
    "contains_any": "contains",
    "contains_all": "contains",
    "equals": "is",
    "equals_any": "is",
    "startswith": "starts with",
    "endswith": "ends with",
    "regex": "matches",
}


def describe(condition: Condition) -> str:
    """Return a condition as one line of words.

    Examples
    --------
    >>> refund = OcrPredicate("contains_any", ("退款", "退钱"), "top")
    >>> describe(All((refund, Not(ImagePredicate("kind", "is", "photo")))))
    'a line at the top of the screen contains "退款" or "退钱", and not (a picture is a photo)'
    """
    match condition:
        case All(children):
            return ", and ".join(_parts(children))
        case Any(children):
            return ", or ".join(_parts(children))
        case Not(child):
            return f"not ({describe(child)})"
        case AtLeast(n, children):
            return f"at least {n} of: {'; '.join(_parts(children))}"
        case TextPredicate(field, op, values):
            return f"{_FIELDS[field]} {_phrases(op, values)}"
        case OcrPredicate(op, values, region):
            return f"{_REGIONS[region]} {_phrases(op, values)}"
        case ImagePredicate("kind", _, kind):
            return f"a picture is a {kind}"
        case ImagePredicate(feature, _, _):
            return f"a picture has {feature} {_range(condition)}"
        case CountPredicate(of, _, _):
            return f"the number of {of.replace('_', ' ')} is {_range(condition)}"
        case AnswerPredicate(question, is_):
            return f'the answer to "{question}" is {"yes" if is_ else "no"}'


def _parts(children: Iterable[Condition]) -> list[str]:
    return [f"({describe(c)})" if isinstance(c, All | Any | AtLeast) else describe(c) for c in children]


def _phrases(op: Verb, values: tuple[str, ...]) -> str:
    joint = " and " if op == "contains_all" else " or "
    marks = "/" if op == "regex" else '"'
    return f"{_VERBS[op]} {joint.join(f'{marks}{value}{marks}' for value in values)}"


def _range(predicate: ImagePredicate | CountPredicate) -> str:
    low, high = predicate.bounds
    if predicate.op == "between":
        return f"{low:g} to {high:g}"
    return f"at least {low:g}" if predicate.op == "gte" else f"at most {high:g}"
