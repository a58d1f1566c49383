"""Reading what a model proposes: JSON, then the one reader of conditions, then what a draft can take.

Whatever a model writes, the outcome is a `Suggestion` or an `UnusableError` with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from kdsl_cli.errors import RuleFileError
from kdsl_cli.logic.codec import loads_condition
from kdsl_cli.logic.conditions import All, Condition, Not
from kdsl_cli.logic.predicates import (
    AnswerPredicate,
    CountPredicate,
    ImagePredicate,
    OcrPredicate,
    Predicate,
    TextPredicate,
)
from kdsl_cli.logic.writing import flow
from kdsl_cli.mining.drafts import phrases
from kdsl_cli.mining.proposers.schema import MAX_PHRASE, MAX_QUESTION, MAX_WHY, OFFERED_VERBS

MAX_CHARACTERS: Final = 4000
"""Of an answer; a longer one is no rule that a person would read."""


class UnusableError(ValueError):
    """An answer is no proposal; says why."""


@dataclass(frozen=True, slots=True)
class Part:
    """A predicate that is wanted, or is wanted to be false."""

    predicate: Predicate
    negated: bool


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a model wants added to a draft: what must hold stands before what must not."""

    parts: tuple[Part, ...]
    why: str

    @property
    def length(self) -> int:
        """Number of phrases and other predicates."""
        return sum(phrases(part.predicate) for part in self.parts)


def read_suggestion(text: str, *, opening: bool, room: int) -> Suggestion:
    """Read an answer.

    Parameters
    ----------
    text
        What the model wrote.
    opening
        Whether it is to be a whole rule: then something must be wanted.
    room
        Phrases and other predicates it may have.

    Raises
    ------
    UnusableError
        If it is not such a proposal.

    Examples
    --------
    >>> text = '{"when": {"text": {"contains": "退款"}}, "why": "It  is"}'
    >>> suggestion = read_suggestion(text, opening=True, room=3)
    >>> suggestion.parts[0].predicate.values, suggestion.why
    (('退款',), 'It is')
    """
    entries = read_json(text)
    if not isinstance(entries, dict) or not {"when"} <= entries.keys() <= {"when", "why"}:
        raise UnusableError("the answer is not an object with 'when' and 'why'")
    try:
        condition = loads_condition(flow(entries["when"]), "when")
    except RuleFileError as error:
        raise UnusableError(error.problems[0].render()) from None
    parts = tuple(sorted(dict.fromkeys(_parts(condition)), key=lambda part: part.negated))
    suggestion = Suggestion(parts, _sentence(entries.get("why", "")))
    if opening and all(part.negated for part in parts):
        raise UnusableError("a rule that only says what must not be")
    if suggestion.length > room:
        raise UnusableError(f"{suggestion.length} phrases and other parts, where {room} fit")
    return suggestion


def read_json(text: str) -> Any:
    """Return what a model wrote as JSON.

    Raises
    ------
    UnusableError
        If it is none, or too long for an answer, or a key stands twice in an object.
    """
    if len(text) > MAX_CHARACTERS:
        raise UnusableError(f"the answer has {len(text)} characters")
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UnusableError(f"the answer is not JSON: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a number")


def _parts(condition: Condition) -> Iterator[Part]:
    match condition:
        case All(children):
            for child in children:
                yield from _parts(child)
        case Not(AnswerPredicate(question, is_)):
            # Unknown is unknown either way, so "not yes" is "no".
            yield from _parts(AnswerPredicate(question, not is_))
        case Not(TextPredicate() | OcrPredicate() | ImagePredicate() | CountPredicate() as leaf):
            yield Part(_offered(leaf), negated=True)
        case TextPredicate() | OcrPredicate() | ImagePredicate() | CountPredicate() | AnswerPredicate():
            yield Part(_offered(condition), negated=False)
        case _:
            raise UnusableError("a draft is made of leaves, negated leaves, and all of some")


def _offered(leaf: Predicate) -> Predicate:
    """Return the predicate if it is of a kind that was offered, its question on one line."""
    match leaf:
        case TextPredicate(_, op, values) | OcrPredicate(op, values, _):
            if op not in OFFERED_VERBS:
                raise UnusableError(f"'{op}' is not among the verbs: {', '.join(OFFERED_VERBS)}")
            if any(len(value) > MAX_PHRASE for value in values):
                raise UnusableError(f"a phrase of more than {MAX_PHRASE} characters")
        case ImagePredicate(feature, _, _) if feature != "kind":
            raise UnusableError(f"the descriptor '{feature}' was not offered")
        case AnswerPredicate(question, _):
            asked = one_line(question)
            if not asked or len(question) > MAX_QUESTION:
                raise UnusableError(f"a question of no or of more than {MAX_QUESTION} characters")
            return replace(leaf, question=asked)
    return leaf


def _sentence(words: object) -> str:
    if not isinstance(words, str):
        raise UnusableError("'why' is not a sentence")
    return one_line(words)[:MAX_WHY].strip()


def one_line(words: str) -> str:
    """Return what a model wrote as one line of what can be printed."""
    line = " ".join(words.split())
    return "".join(character for character in line if character.isprintable()).strip()
