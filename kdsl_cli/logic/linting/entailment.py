"""What the truth of one predicate says of another, whatever the dialogue.

Sound, and not complete: what is claimed here holds of all facts, and much that holds is not claimed. Regular
expressions are opaque: two of them are related only if they are equal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from kdsl_cli.logic.indexing import SEPARATOR
from kdsl_cli.logic.leaves import haystack_test, needle
from kdsl_cli.logic.predicates import (
    AnswerPredicate,
    Countable,
    CountPredicate,
    ImagePredicate,
    OcrPredicate,
    Predicate,
    Region,
    TextField,
    TextPredicate,
    Verb,
)

Phrases = TextPredicate | OcrPredicate

_WIDER_FIELDS: Final[Mapping[TextField, tuple[TextField, ...]]] = MappingProxyType(
    {
        "last_customer": ("customer", "any"),
        "first_customer": ("customer", "any"),
        "customer": ("any",),
        "service": ("any",),
        "any": (),
    }
)
_WIDER_REGIONS: Final[Mapping[Region, tuple[Region, ...]]] = MappingProxyType(
    {"top": ("upper", "all"), "bottom": ("lower", "all"), "all": ()}
)
_AT_LEAST_ONE: Final[Mapping[TextField, tuple[Countable, ...]]] = MappingProxyType(
    {
        "last_customer": ("customer_turns", "turns"),
        "first_customer": ("customer_turns", "turns"),
        "customer": ("customer_turns", "turns"),
        "service": ("service_turns", "turns"),
        "any": ("turns",),
    }
)
_PARTS: Final[Mapping[Countable, Countable]] = MappingProxyType(
    {"customer_turns": "turns", "service_turns": "turns"}
)
_ONE_TURN: Final[frozenset[TextField]] = frozenset({"last_customer", "first_customer"})
_WHOLE: Final[frozenset[Verb]] = frozenset({"equals", "equals_any"})

_HIGHEST: Final = {"top_bar": 0.5, "bottom_bar": 0.5}
_UNBOUNDED: Final = frozenset({"width", "height", "aspect", "line_count", "colour_count"})


@lru_cache(maxsize=65_536)
def entails(first: Predicate, second: Predicate) -> bool:
    """Tell whether `second` is true wherever `first` is.

    Examples
    --------
    >>> narrow, wide = OcrPredicate("contains", ("退款金额",), "top"), OcrPredicate("contains", ("退款",))
    >>> entails(narrow, wide), entails(wide, narrow)
    (True, False)
    """
    if first == second:
        return True
    if isinstance(second, CountPredicate) and second.bounds[1] == math.inf:
        return _least(first).get(second.of, -math.inf) >= second.bounds[0]
    match first, second:
        case TextPredicate(), TextPredicate():
            wide = first.field == second.field or second.field in _WIDER_FIELDS[first.field]
            return wide and _phrases_entail(first, second)
        case OcrPredicate(), OcrPredicate():
            wider = _WIDER_REGIONS.get(first.region, ("all",))
            return (first.region == second.region or second.region in wider) and _phrases_entail(
                first, second
            )
        case ImagePredicate(), ImagePredicate():
            return first.feature == second.feature != "kind" and _inside(first.bounds, second.bounds)
        case CountPredicate(), CountPredicate():
            return first.of == second.of and _inside(first.bounds, second.bounds)
        case _:
            return False


@lru_cache(maxsize=65_536)
def excludes(first: Predicate, second: Predicate) -> bool:
    """Tell whether the two are never true of one dialogue.

    Examples
    --------
    >>> excludes(CountPredicate("images", "gte", 2), CountPredicate("images", "lte", 1))
    True
    >>> excludes(TextPredicate("any", "contains", ("退",)), TextPredicate("any", "contains", ("换",)))
    False
    """
    for one, other in ((first, second), (second, first)):
        if isinstance(other, CountPredicate) and _least(one).get(other.of, -math.inf) > other.bounds[1]:
            return True
    match first, second:
        case CountPredicate(), CountPredicate():
            return first.of == second.of and not _overlap(first.bounds, second.bounds)
        case AnswerPredicate(), AnswerPredicate():
            return first.question == second.question and first.is_ != second.is_
        case TextPredicate(), TextPredicate():
            one_turn = first.field == second.field and first.field in _ONE_TURN
            return one_turn and (_never_both(first, second) or _never_both(second, first))
        case _:
            return False


def exhausts(first: Predicate, second: Predicate) -> bool:
    """Tell whether one of the two is true of every dialogue.

    Examples
    --------
    >>> exhausts(CountPredicate("images", "gte", 2), CountPredicate("images", "lte", 1))
    True
    """
    if not (isinstance(first, CountPredicate) and isinstance(second, CountPredicate)):
        return False
    low, high = sorted((first.bounds, second.bounds))
    return first.of == second.of and low[0] <= 0 and high[0] <= low[1] + 1 and high[1] == math.inf


def always(predicate: Predicate) -> bool:
    """Tell whether a predicate is true of every dialogue.

    Examples
    --------
    >>> always(CountPredicate("turns", "gte", 0)), always(CountPredicate("turns", "gte", 1))
    (True, True)
    """
    if not isinstance(predicate, CountPredicate):
        return False
    least = 1 if predicate.of == "turns" else 0  # a dialogue has at least one turn
    low, high = predicate.bounds
    return low <= least and high == math.inf


def never(predicate: Predicate) -> bool:
    """Tell whether a predicate is true of no dialogue.

    Examples
    --------
    >>> never(ImagePredicate("photo_score", "gte", 1.5))
    True
    """
    match predicate:
        case CountPredicate():
            return predicate.bounds[1] < (1 if predicate.of == "turns" else 0)
        case ImagePredicate("kind", _, _):
            return False
        case ImagePredicate(feature, _, _):
            low, high = predicate.bounds
            highest = math.inf if feature in _UNBOUNDED else _HIGHEST.get(feature, 1.0)
            return high < 0 or low > highest
        case _:
            return False


def covered(phrases: Phrases) -> tuple[str, ...]:
    """Return the phrases of a list verb that change nothing, because another one of the list stands for them.

    Of several that say the same the first counts.

    Examples
    --------
    >>> covered(OcrPredicate("contains_any", ("退款金额", "退款", "退货")))
    ('退款金额',)
    """
    single: Verb = "equals" if phrases.op == "equals_any" else "contains"
    said = list(enumerate(phrases.values))

    def stands_for(kept: tuple[int, str], dropped: tuple[int, str]) -> bool:
        strong, weak = (kept[1], dropped[1]) if phrases.op == "contains_all" else (dropped[1], kept[1])
        if not _phrase_entails(single, strong, single, weak):
            return False
        return kept[0] < dropped[0] or not _phrase_entails(single, weak, single, strong)

    return tuple(one[1] for one in said if any(stands_for(other, one) for other in said if other != one))


def _phrases_entail(first: Phrases, second: Phrases) -> bool:
    """Tell whether phrases found one way are always found the other way, the place apart."""

    def one_entails(value: str) -> bool:
        found = (_phrase_entails(first.op, value, second.op, other) for other in second.values)
        return all(found) if second.op == "contains_all" else any(found)

    if first.op != "contains_all":
        return all(map(one_entails, first.values))
    if second.op != "contains_all":
        return any(map(one_entails, first.values))
    return all(
        any(_phrase_entails(first.op, value, second.op, other) for value in first.values)
        for other in second.values
    )


def _phrase_entails(op: Verb, value: str, other_op: Verb, other: str) -> bool:
    if "regex" in (op, other_op):
        if op in _WHOLE and other_op == "regex":
            return haystack_test("regex", (other,))(f"{SEPARATOR}{needle(op, value)}{SEPARATOR}")
        return (op, value) == (other_op, other)
    mine, wanted = needle(op, value), needle(other_op, other)
    if other_op.startswith("contains"):
        return wanted in mine
    if other_op in _WHOLE:
        return op in _WHOLE and wanted == mine
    if other_op == "startswith":
        return (op in _WHOLE or op == "startswith") and mine.startswith(wanted)
    return (op in _WHOLE or op == "endswith") and mine.endswith(wanted)


def _never_both(whole: TextPredicate, other: TextPredicate) -> bool:
    """Tell whether no turn that `whole` allows meets `other`; both look at the same single turn."""
    if whole.op in _WHOLE:
        test = haystack_test(other.op, other.values)
        return not any(test(f"{SEPARATOR}{needle(whole.op, value)}{SEPARATOR}") for value in whole.values)
    if whole.op == other.op and whole.op in ("startswith", "endswith"):
        mine, its = needle(whole.op, whole.values[0]), needle(other.op, other.values[0])
        ends = str.startswith if whole.op == "startswith" else str.endswith
        return not (ends(mine, its) or ends(its, mine))
    return False


def _least(predicate: Predicate) -> Mapping[Countable, float]:
    """Return how many turns, pictures and lines a dialogue has at least where the predicate is true."""
    match predicate:
        case TextPredicate(field, _, _):
            return dict.fromkeys(_AT_LEAST_ONE[field], 1)
        case OcrPredicate():
            return {"images": 1, "ocr_lines": 1}
        case ImagePredicate("line_count", _, _):
            return {"images": 1, "ocr_lines": predicate.bounds[0]}
        case ImagePredicate():
            return {"images": 1}
        case CountPredicate(of, _, _):
            low = predicate.bounds[0]
            wider = {_PARTS[of]: low} if of in _PARTS else {}
            return {of: low, **wider, **({"images": 1} if of == "ocr_lines" and low >= 1 else {})}
        case AnswerPredicate():
            return {}


def _inside(inner: tuple[float, float], outer: tuple[float, float]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _overlap(first: tuple[float, float], second: tuple[float, float]) -> bool:
    return first[0] <= second[1] and second[0] <= first[1]
