"""The form of a model's proposal: JSON Schema for whoever can hold to one, and the same in words.

Both are made from the vocabularies of `kdsl_cli.logic`, so that neither can drift from what rules can say. No
regular expressions: a small model gets them wrong, and people cannot check them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from kdsl_cli.logic.features import KINDS
from kdsl_cli.logic.predicates import COUNTABLES, LIST_VERBS, REGIONS, TEXT_FIELDS, VERBS, Verb

OFFERED_VERBS: Final[tuple[Verb, ...]] = tuple(verb for verb in VERBS if verb != "regex")
MAX_PHRASE: Final = 40
MAX_QUESTION: Final = 160
MAX_WHY: Final = 240
"""Characters."""

MAX_COUNT: Final = 99

_Schema = dict[str, Any]


@cache
def proposal_schema(*, pictures: bool, most: int) -> str:
    """Return the JSON Schema of a proposal as canonical JSON text.

    Parameters
    ----------
    pictures
        Whether the dialogues have any; without, nothing about pictures is offered.
    most
        Phrases in a list and parts of an `all`, at most.
    """
    phrase = {"type": "string", "minLength": 1, "maxLength": MAX_PHRASE}
    phrases = {"type": "array", "items": phrase, "minItems": 1, "maxItems": most}
    leaves = [*_phrase_leaves("text", "in", TEXT_FIELDS, phrase, phrases)]
    if pictures:
        leaves += _phrase_leaves("ocr", "region", REGIONS, phrase, phrases)
        leaves.append(_object(image=_object(kind=_one_of(KINDS))))
    number = {"type": "integer", "minimum": 0, "maximum": MAX_COUNT}
    leaves += [_object(count=_object(of=_one_of(COUNTABLES), **{bound: number})) for bound in ("gte", "lte")]
    question = {"type": "string", "minLength": 8, "maxLength": MAX_QUESTION}
    leaves.append(_object(answer=_object(question=question, **{"is": _one_of(("yes", "no"))})))
    leaf, part = {"$ref": "#/$defs/leaf"}, {"$ref": "#/$defs/part"}
    parts = {"type": "array", "items": part, "minItems": 2, "maxItems": most}
    schema = {
        **_object(when={"anyOf": [part, *([_object(all=parts)] if most > 1 else [])]}, why=_why()),
        "$defs": {"leaf": {"anyOf": leaves}, "part": {"anyOf": [leaf, _object(**{"not": leaf})]}},
    }
    return json.dumps(schema, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def in_words(*, pictures: bool) -> str:
    """Return what a condition can say, for the prompt."""
    verbs = ", ".join(verb for verb in OFFERED_VERBS if verb not in LIST_VERBS)
    lists = ", ".join(verb for verb in OFFERED_VERBS if verb in LIST_VERBS)
    lines = [
        '{"text": {"contains": "..."}}: a phrase in what was written; in place of contains also one of '
        f'{verbs}, or with a list of phrases {lists}. "in" says where: {", ".join(TEXT_FIELDS)}.',
    ]
    if pictures:
        lines += [
            '{"ocr": {"contains": "..."}}: a phrase that can be read in a picture; same verbs. "region" says '
            f"where: {', '.join(REGIONS)}.",
            '{"image": {"kind": "..."}}: ' + " or ".join(KINDS) + ".",
        ]
    lines += [
        '{"count": {"of": "...", "gte": 2}}: how many (gte: at least, lte: at most): '
        f"{', '.join(COUNTABLES)}.",
        '{"answer": {"question": "...?", "is": "yes"}}: a yes-or-no question that you invent; it will be '
        "asked of each dialogue alone, pictures and all. Ask what is said or shown, in one plain sentence.",
        '{"not": ...} around one of these, or {"all": [..., ...]} of some.',
    ]
    return "\n".join(["A CONDITION is JSON, one of:", *(f"- {line}" for line in lines)])


def _phrase_leaves(
    name: str, place: str, places: Sequence[str], phrase: _Schema, phrases: _Schema
) -> list[_Schema]:
    where = {place: _one_of(places)}
    return [
        _object(**{name: _object(**{verb: phrases if verb in LIST_VERBS else phrase}, **where)})
        for verb in OFFERED_VERBS
    ]


def _object(**properties: Mapping[str, Any]) -> _Schema:
    """Return an object of exactly these properties: what may be left out is best always said."""
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


def _one_of(values: Sequence[str]) -> _Schema:
    return {"type": "string", "enum": list(values)}


def _why() -> _Schema:
    return {"type": "string", "maxLength": MAX_WHY}
