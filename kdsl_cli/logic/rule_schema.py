"""The grammar of a rule file as JSON Schema, for editors: they complete and check while a person writes.

Draft 7, which is what editors of YAML know. The reader (`reading`, `grammar`) has the last word: it also sees
what no schema can say, as two rules of one id, or conditions nested too deeply.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from kdsl_cli.logic.features import FEATURES, KINDS
from kdsl_cli.logic.patterns import MAX_PATTERN
from kdsl_cli.logic.predicates import COUNTABLES, LIST_VERBS, REGIONS, TEXT_FIELDS, VERBS
from kdsl_cli.logic.reading import SCHEMA
from kdsl_cli.logic.rule import STATUSES

DRAFT: Final = "http://json-schema.org/draft-07/schema#"

Schema = dict[str, Any]

_VERB_HELP: Final = {
    "contains": "The phrase stands in one turn or line",
    "contains_any": "One of the phrases does",
    "contains_all": "Each of the phrases does",
    "equals": "A whole turn or line is the phrase",
    "equals_any": "A whole turn or line is one of the phrases",
    "startswith": "A turn or line begins so",
    "endswith": "A turn or line ends so",
    "regex": "A regular expression in linear time: no look-around, no back-references",
}
_STATUS_HELP: Final = (
    "draft: written, not yet measured. mined: kept by the miner, replaced by the next export. reviewed: a "
    "person vouches for it. disabled: stays in the file and is not used"
)


def rule_schema(task: str | None = None, intents: Sequence[str] = ()) -> Schema:
    """Return the schema of a rule file.

    Parameters
    ----------
    task, intents
        Of the file, so that editors offer the names of the catalogue. None: any task, any intent.

    Examples
    --------
    >>> rule_schema("scene", ["refund"])["properties"]["task"]
    {'description': 'The task that the rules are of', 'const': 'scene'}
    """
    intent = {"enum": list(intents)} if intents else _TEXT
    named = {"propertyNames": intent} if intents else {"propertyNames": _TEXT}
    base_rates = {
        "description": "What intents start from before a rule fires, in log-odds; 0 if left out",
        "type": "object",
        **named,
        "additionalProperties": {"$ref": "#/definitions/base_rate"},
    }
    rules = {"type": "array", "items": {"$ref": "#/definitions/rule"}}
    return {
        "$schema": DRAFT,
        "title": "Rules of KDSL" + (f" for {task}" if task else ""),
        **_record(
            {
                "schema": {"description": "The version of the grammar", "const": SCHEMA},
                "task": {
                    "description": "The task that the rules are of",
                    **({"const": task} if task else _TEXT),
                },
                "base_rates": base_rates,
                "rules": {"description": "In any order; their ids differ", **rules},
            },
            required=["schema", "task", "rules"],
        ),
        "definitions": {
            "rule": _rule(intent),
            "base_rate": _base_rate(),
            "condition": _condition(),
            **_predicates(),
        },
    }


_TEXT: Final[Schema] = {"type": "string", "pattern": "\\S"}
_ANY_TEXT: Final[Schema] = {"type": "string"}
_NUMBER: Final[Schema] = {"type": "number"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_SHARE: Final[Schema] = {"type": "number", "minimum": 0, "maximum": 1}


def _record(properties: Schema, *, required: Sequence[str] = (), **more: Any) -> Schema:
    needed = {"required": list(required)} if required else {}
    return {"type": "object", "additionalProperties": False, "properties": properties, **needed, **more}


def _list(of: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": of, **more}


def _told(description: str, schema: Schema) -> Schema:
    return {"description": description, **schema}


def _rule(intent: Schema) -> Schema:
    status = {"enum": list(STATUSES)}
    return _record(
        {
            "id": _told("Unique in the file", _TEXT),
            "intent": _told("What the rule is for, as the catalogue has it", intent),
            "status": _told(_STATUS_HELP, {**status, "default": "draft"}),
            "weight": _told("Log-odds added when it fires; below 0: against", {**_NUMBER, "default": 1}),
            "when": {"$ref": "#/definitions/condition"},
            "why": _told("One sentence for readers", _ANY_TEXT),
            "evidence": _told("How it did on dialogues that it was not made from", _evidence()),
            "examples": _told("Ids that it must match, and must not", _examples()),
            "provenance": _told("The search that found it", _provenance()),
            "note": _told("A remark of yours", _ANY_TEXT),
        },
        required=["id", "intent", "when"],
    )


def _base_rate() -> Schema:
    status = {"enum": list(STATUSES)}
    told = _record({"weight": _NUMBER, "status": status}, required=["weight", "status"])
    return {"anyOf": [_NUMBER, told]}


def _evidence() -> Schema:
    return _record(
        {
            "fired": _told("Labelled dialogues on which it fired", _COUNT),
            "correct": _told("Those of them with its intent", _COUNT),
            "precision_low": _told("Lower bound of its precision", _SHARE),
            "recall": _told("Share of the intent's dialogues on which it fired", _SHARE),
            "folds": {"type": "integer", "minimum": 1},
        },
        required=["fired", "correct"],
    )


def _examples() -> Schema:
    return _record({"match": _list(_TEXT), "no_match": _list(_TEXT)})


def _provenance() -> Schema:
    return _record(
        {
            "run": _TEXT,
            "node": _COUNT,
            "visits": _COUNT,
            "value": _NUMBER,
            "proposer": _TEXT,
            "seed": _COUNT,
        }
    )


def _condition() -> Schema:
    condition = {"$ref": "#/definitions/condition"}
    several = _list(condition, minItems=1)
    at_least = _record({"n": {"type": "integer", "minimum": 1}, "of": several}, required=["n", "of"])
    parts = {
        "all": _told("True if all of them are", several),
        "any": _told("True if one of them is", several),
        "not": _told("True if it is false; unknown stays unknown", condition),
        "at_least": _told("True if so many of them are", at_least),
        "text": _told("What is written in a turn", {"$ref": "#/definitions/text"}),
        "ocr": _told("What a line read in a picture says", {"$ref": "#/definitions/ocr"}),
        "image": _told("What a picture looks like", {"$ref": "#/definitions/image"}),
        "count": _told("How many there are", {"$ref": "#/definitions/count"}),
        "answer": _told("What a model answered about the dialogue", {"$ref": "#/definitions/answer"}),
    }
    return _record(parts, minProperties=1, maxProperties=1, description="One group or one predicate")


def _predicates() -> dict[str, Schema]:
    field = _told("By whom, and when", {"enum": list(TEXT_FIELDS), "default": "last_customer"})
    region = _told("Where the line's centre is", {"enum": list(REGIONS), "default": "all"})
    of = _told("Of what", {"enum": list(COUNTABLES)})
    whole = {"type": "integer", "minimum": 0}
    answer = {"question": _told("Yes or no", _TEXT), "is": {"enum": ["yes", "no"]}}
    return {
        "text": _phrases({"in": field}),
        "ocr": _phrases({"region": region}),
        "image": _image(),
        "count": _record(
            {"of": of, "gte": whole, "lte": whole}, required=["of"], anyOf=_one_of("gte", "lte")
        ),
        "answer": _record(answer, required=["question", "is"]),
    }


def _phrases(where: Schema) -> Schema:
    verbs: Schema = {}
    for verb in VERBS:
        phrase = {**_TEXT, "maxLength": MAX_PATTERN} if verb == "regex" else _TEXT
        verbs[verb] = _told(_VERB_HELP[verb], _list(_TEXT, minItems=1) if verb in LIST_VERBS else phrase)
    return _record({**verbs, **where}, oneOf=_one_of(*VERBS))


def _image() -> Schema:
    # Each descriptor with its meaning, so that an editor shows it beside the name.
    features = [{"const": name, "description": meaning} for name, meaning in FEATURES.items()]
    kind = _record({"kind": _told("What it is", {"enum": list(KINDS)})}, required=["kind"])
    measured = _record(
        {"feature": {"oneOf": features}, "gte": _NUMBER, "lte": _NUMBER},
        required=["feature"],
        anyOf=_one_of("gte", "lte"),
    )
    return {"oneOf": [kind, measured]}


def _one_of(*names: str) -> list[Schema]:
    return [{"required": [name]} for name in names]
