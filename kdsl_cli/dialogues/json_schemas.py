"""Dialogues and catalogues as JSON Schema (draft 7), for editors and for programs that write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, get_args

from kdsl_cli.dialogues.schema import IMAGE_MARK, LINK_MARK, Role

DRAFT: Final = "http://json-schema.org/draft-07/schema#"

_TEXT: Final = {"type": "string", "pattern": "\\S"}
_MAYBE_TEXT: Final = {"type": ["string", "null"], "pattern": "\\S"}


def dialogue_schema(tasks: Sequence[str] = ()) -> dict[str, Any]:
    """Return the schema of one line of canonical JSON Lines; `tasks` are those of the catalogue, if any."""
    task = {"enum": list(tasks)} if tasks else _TEXT
    role = {"description": "Who sent it", "enum": list(get_args(Role))}
    text = f"What was written; {IMAGE_MARK} where a picture stood, or nowhere, {LINK_MARK} for a link"
    pictures = "Paths of the pictures, relative to the folder of the file, in the order sent"
    turn = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "role": role,
            "text": {"description": text, "type": "string"},
            "images": {"description": pictures, "type": ["array", "string", "null"], "items": _TEXT},
        },
        "required": ["role", "text"],
    }
    return {
        "$schema": DRAFT,
        "title": "A dialogue of KDSL",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "id": {
                "description": "Unique in the data set",
                "anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^\S(.*\S)?$"}],
            },
            "task": {"description": "The closed set of intents it is judged by", **task},
            "turns": {"description": "In the order sent", "type": "array", "items": turn, "minItems": 1},
            "group": {"description": "Dialogues of one group never part between splits", **_MAYBE_TEXT},
            "label": {"description": "The intent; null where it is unknown", **_MAYBE_TEXT},
        },
        "required": ["id", "task", "turns"],
    }


def catalogue_schema() -> dict[str, Any]:
    """Return the schema of a catalogue (``intents.yaml``)."""
    intent = {
        "name": {"description": "As it stands as label in the data", **_TEXT},
        "description": {"description": "What the customer wants, in one line", "type": ["string", "null"]},
        "synonyms": {
            "description": "How customers say it; the search tries these words first",
            "type": ["array", "null"],
            "items": {"type": "string"},
        },
    }
    return {
        "$schema": DRAFT,
        "title": "The catalogue of KDSL",
        **_named_list("tasks", {"name": _TEXT, **_named_list("intents", intent)["properties"]}),
    }


def _named_list(key: str, properties: dict[str, Any]) -> dict[str, Any]:
    needed = [name for name in ("name", "intents") if name in properties]
    item = {"type": "object", "additionalProperties": False, "properties": properties, "required": needed}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {key: {"type": "array", "items": item, "minItems": 1}},
        "required": [key],
    }
