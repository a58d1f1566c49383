"""Dialogues in the forms other programs train on; the readers give the same dialogues back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from kdsl_cli.dialogues import jsonl
from kdsl_cli.dialogues.schema import IMAGE_MARK, Dialogue, Role, Turn

ExportFormat = Literal["canonical", "messages", "sharegpt"]

LabelAs = Literal["field", "reply"]
"""Whether the label is a field of its own, or the assistant's last message, which a model learns to say."""

_MESSAGES: dict[Role, str] = {"customer": "user", "service": "assistant", "system": "system"}
_SHAREGPT: dict[Role, str] = {"customer": "human", "service": "gpt", "system": "system"}


def export(dialogues: Iterable[Dialogue], format: ExportFormat, *, label_as: LabelAs = "field") -> str:
    """Return `dialogues` as JSON Lines, sorted by id.

    In ``messages`` and ``sharegpt`` every picture has its mark in the text (see `marked`). With
    `label_as` ``reply`` a dialogue without a label is left as it is; the canonical form has the field always.
    """
    if format == "canonical":
        return jsonl.dump(dialogues)
    record = _messages if format == "messages" else _sharegpt
    rows = [record(marked(each), label_as) for each in sorted(dialogues, key=lambda each: each.id)]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def marked(dialogue: Dialogue) -> Dialogue:
    """Return `dialogue` with a mark for every picture; pictures without any precede their turn's text.

    Examples
    --------
    >>> marked(Dialogue("a", "t", (Turn("customer", "这个", ("1.png",)),))).turns[0].text
    '<image>这个'
    """
    turns = tuple(
        turn if IMAGE_MARK in turn.text else replace(turn, text=IMAGE_MARK * len(turn.images) + turn.text)
        for turn in dialogue.turns
    )
    return replace(dialogue, turns=turns)


def _messages(dialogue: Dialogue, label_as: LabelAs) -> dict[str, object]:
    spoken = [{"role": _MESSAGES[turn.role], "content": turn.text} for turn in _turns(dialogue, label_as)]
    return _row(dialogue, "messages", spoken, label_as)


def _sharegpt(dialogue: Dialogue, label_as: LabelAs) -> dict[str, object]:
    spoken = [{"from": _SHAREGPT[turn.role], "value": turn.text} for turn in _turns(dialogue, label_as)]
    return _row(dialogue, "conversations", spoken, label_as)


def _turns(dialogue: Dialogue, label_as: LabelAs) -> tuple[Turn, ...]:
    if label_as == "reply" and dialogue.label is not None:
        return (*dialogue.turns, Turn("service", dialogue.label))
    return dialogue.turns


def _row(dialogue: Dialogue, key: str, spoken: list[dict[str, str]], label_as: LabelAs) -> dict[str, object]:
    row: dict[str, object] = {"id": dialogue.id, "task": dialogue.task, "group": dialogue.group, key: spoken}
    row["images"] = list(dialogue.images)
    if label_as == "field":
        row["label"] = dialogue.label
    return row
