"""The truth of a predicate, compiled once and asked of many dialogues."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from kdsl_cli.dialogues.normalise import normalise
from kdsl_cli.logic.facts import ImageFact
from kdsl_cli.logic.indexing import SEPARATOR, Indexed
from kdsl_cli.logic.kleene import Truth, any_of
from kdsl_cli.logic.patterns import matches
from kdsl_cli.logic.predicates import (
    AnswerPredicate,
    CountPredicate,
    ImagePredicate,
    OcrPredicate,
    Predicate,
    TextPredicate,
    Verb,
)

Test = Callable[[Indexed], Truth]


@lru_cache(maxsize=65_536)
def leaf_test(predicate: Predicate) -> Test:
    """Return a function that tells the truth of a predicate for indexed facts."""
    match predicate:
        case TextPredicate(field, op, values):
            found = haystack_test(op, values)
            return lambda dialogue: found(dialogue.texts[field])
        case OcrPredicate(op, values, region):
            seen = haystack_test(op, values)
            # What a picture that was not read shows, nobody knows.
            return lambda dialogue: seen(dialogue.screens[region]) or (None if dialogue.unread else False)
        case ImagePredicate():
            return lambda dialogue: any_of(
                [picture_truth(predicate, image, dialogue) for image in dialogue.facts.images]
            )
        case CountPredicate():
            return lambda dialogue: count_truth(predicate, dialogue)
        case AnswerPredicate(question, is_):
            return lambda dialogue: _answer_truth(dialogue.facts.answers.get(question), is_)


def needle(op: Verb, value: str) -> str:
    """Return a phrase as it is looked for; for verbs about a whole line, without outer blanks."""
    return normalise(value) if op.startswith("contains") else normalise(value).strip()


def haystack_test(op: Verb, values: tuple[str, ...]) -> Callable[[str], bool]:
    """Return a function that tells whether a haystack of `Indexed` has what the verb wants."""
    if op == "regex":
        return lambda haystack: any(matches(values[0], haystack_lines(haystack)))
    before = SEPARATOR if op in ("equals", "equals_any", "startswith") else ""
    after = SEPARATOR if op in ("equals", "equals_any", "endswith") else ""
    needles = tuple(before + needle(op, value) + after for value in values)
    if op == "contains_all":
        return lambda haystack: all(wanted in haystack for wanted in needles)
    if len(needles) == 1:
        only = needles[0]
        return lambda haystack: only in haystack
    return lambda haystack: any(wanted in haystack for wanted in needles)


def haystack_lines(haystack: str) -> list[str]:
    r"""Return the lines of a haystack.

    Examples
    --------
    >>> haystack_lines("\0a\0b\0"), haystack_lines("")
    (['a', 'b'], [])
    """
    return haystack[1:-1].split(SEPARATOR) if haystack else []


def picture_value(predicate: ImagePredicate, image: ImageFact, dialogue: Indexed) -> str | float | None:
    """Return the kind or the descriptor that the predicate asks of one picture; None: not known."""
    if image.error is not None:
        return None
    if predicate.feature == "kind":
        return image.kind
    if predicate.feature == "line_count":
        return float(dialogue.line_counts.get(image.image, 0))
    value = image.features.get(predicate.feature)
    return None if value is None or math.isnan(value) else value


def picture_truth(predicate: ImagePredicate, image: ImageFact, dialogue: Indexed) -> Truth:
    """Tell whether one picture meets the predicate."""
    value = picture_value(predicate, image, dialogue)
    if value is None:
        return None
    if isinstance(value, str):
        return value == predicate.value
    low, high = predicate.bounds
    return low <= value <= high


def count_truth(predicate: CountPredicate, dialogue: Indexed) -> Truth:
    """Tell whether a count is within bounds; an unread picture may hold any number of lines more."""
    low, high = predicate.bounds
    count = dialogue.counts[predicate.of]
    if predicate.of == "ocr_lines" and dialogue.unread:
        if count > high:
            return False
        return True if low <= count and math.isinf(high) else None
    return low <= count <= high


def _answer_truth(answer: bool | None, wanted: bool) -> Truth:
    return None if answer is None else answer == wanted
