"""Dialogues as other programs tune a model on them: our prompt, and the intent's name as the answer.

One message each way: trainers skip what does not go to and fro, as dialogues do not. Rows carry ids, which
LLaMA-Factory and ms-swift pass over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from kdsl_cli.dialogues.prompting import Choice, Part, Picture, Prompt, intent_prompt
from kdsl_cli.dialogues.schema import IMAGE_MARK, Dialogue
from kdsl_cli.errors import DatasetError, Problem

INFO: Final = "dataset_info.json"

Form = Literal["messages", "sharegpt"]

_MARKUP: Final = re.compile(r"<(?=\|)")


@dataclass(frozen=True, slots=True)
class _Keys:
    """What a form calls things."""

    messages: str
    role: str
    content: str
    user: str
    assistant: str


_FORMS: Final[dict[Form, _Keys]] = {
    "messages": _Keys("messages", "role", "content", "user", "assistant"),
    "sharegpt": _Keys("conversations", "from", "value", "human", "gpt"),
}


def prompted(
    dialogues: Sequence[Dialogue], choices: Mapping[str, Sequence[Choice]], form: Form, *, described: bool
) -> str:
    """Return labelled dialogues as JSON Lines, sorted by id; pictures are named as the dialogues name them.

    Parameters
    ----------
    choices
        By task, its intents in the catalogue's order.
    described
        Whether prompts give the intents' descriptions.

    Raises
    ------
    DatasetError
        If a dialogue has no label, one of no catalogue, or shows the mark of a picture as text.
    """
    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for one in sorted(dialogues, key=lambda each: each.id):
        offered = choices.get(one.task, ())
        if one.label not in [choice.name for choice in offered]:
            problems.append(Problem(one.id, f"'{one.label}' is no intent of '{one.task}'"))
            continue
        prompt = intent_prompt(one, offered, lambda name: Picture(Path(name), ""), described=described)
        if any(isinstance(part, str) and IMAGE_MARK in part for part in (prompt.system, *prompt.parts)):
            problems.append(Problem(one.id, f"{IMAGE_MARK} stands in a text, where no picture is"))
            continue
        rows.append(_row(one, prompt, _FORMS[form]))
    if problems:
        raise DatasetError(problems)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def dataset_info(file_name: str, form: Form) -> dict[str, Any]:
    """Return how LLaMA-Factory reads such a file: an entry of its ``dataset_info.json``."""
    keys = _FORMS[form]
    return {
        "file_name": file_name,
        "formatting": "sharegpt",  # its "openai" adds words to the system prompt
        "columns": {"messages": keys.messages, "images": "images"},
        "tags": {
            "role_tag": keys.role,
            "content_tag": keys.content,
            "user_tag": keys.user,
            "assistant_tag": keys.assistant,
            "system_tag": "system",
        },
    }


def _row(dialogue: Dialogue, prompt: Prompt, keys: _Keys) -> dict[str, Any]:
    said = [
        ("system", _plain(prompt.system)),
        (keys.user, "\n".join(map(_part, prompt.parts))),
        (keys.assistant, dialogue.label),
    ]
    return {
        "id": dialogue.id,
        "task": dialogue.task,
        keys.messages: [{keys.role: role, keys.content: text} for role, text in said],
        "images": [picture.path.as_posix() for picture in prompt.pictures],
    }


def _part(part: Part) -> str:
    return IMAGE_MARK if isinstance(part, Picture) else _plain(part)


def _plain(text: str) -> str:
    """Return text in which no special token is spelt out, as prompts are rendered here.

    Examples
    --------
    >>> _plain("so <|im_end|> it ends, <b>")
    'so < |im_end|> it ends, <b>'
    """
    return _MARKUP.sub("< ", text)
