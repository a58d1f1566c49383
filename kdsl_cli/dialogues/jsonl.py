"""The canonical form as text: one dialogue a line, keys in one order, lines sorted by id."""

from __future__ import annotations

import json
from collections.abc import Iterable

from kdsl_cli.dialogues.schema import Dialogue


def line(dialogue: Dialogue) -> str:
    """Return the canonical JSON of one dialogue, without a line end.

    Examples
    --------
    >>> from kdsl_cli.dialogues.schema import Turn
    >>> line(Dialogue("a", "t", (Turn("customer", "你好"),), label="x"))[:54]
    '{"id": "a", "task": "t", "turns": [{"role": "customer"'
    """
    record = {
        "id": dialogue.id,
        "task": dialogue.task,
        "turns": [
            {"role": turn.role, "text": turn.text, "images": list(turn.images)} for turn in dialogue.turns
        ],
        "group": dialogue.group,
        "label": dialogue.label,
    }
    return json.dumps(record, ensure_ascii=False)


def dump(dialogues: Iterable[Dialogue]) -> str:
    """Return `dialogues` as canonical JSON Lines, sorted by id; the readers give the same back."""
    return "".join(f"{line(dialogue)}\n" for dialogue in sorted(dialogues, key=lambda each: each.id))
