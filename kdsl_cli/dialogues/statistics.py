"""Counts of a data set, as tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

import polars as pl

from kdsl_cli.dialogues.catalogue import Catalogue
from kdsl_cli.dialogues.schema import IMAGE_MARK, Dialogue

_COLUMNS = {
    "task": pl.String,
    "intent": pl.String,
    "dialogues": pl.Int64,
    "with_images": pl.Int64,
    "images": pl.Int64,
    "turns_median": pl.Float64,
    "customer_characters_median": pl.Float64,
    "groups": pl.Int64,
}


def per_intent(dialogues: Iterable[Dialogue], catalogue: Catalogue | None = None) -> pl.DataFrame:
    """Return one row a task and intent.

    Parameters
    ----------
    dialogues
        In any order.
    catalogue
        Gives the order, and a row of zeros for intents without dialogues; None: sorted by name.

    Returns
    -------
    pl.DataFrame
        Columns ``task``, ``intent`` (null: dialogues without a label), ``dialogues``, ``with_images``,
        ``images``, ``turns_median``, ``customer_characters_median`` (both null where there is no dialogue)
        and ``groups`` (a dialogue without group is one of its own).
    """
    members: dict[tuple[str, str | None], list[Dialogue]] = defaultdict(list)
    for dialogue in dialogues:
        members[dialogue.task, dialogue.label].append(dialogue)
    listed = [(task.name, name) for task in catalogue.tasks for name in task.names] if catalogue else []
    others = sorted(members.keys() - set(listed), key=lambda key: (key[0], key[1] is None, key[1] or ""))
    rows = [_row(task, intent, members.get((task, intent), [])) for task, intent in [*listed, *others]]
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row")


def _row(task: str, intent: str | None, dialogues: Sequence[Dialogue]) -> tuple[object, ...]:
    return (
        task,
        intent,
        len(dialogues),
        sum(bool(dialogue.images) for dialogue in dialogues),
        sum(len(dialogue.images) for dialogue in dialogues),
        median(len(dialogue.turns) for dialogue in dialogues) if dialogues else None,
        median(_written(dialogue) for dialogue in dialogues) if dialogues else None,
        len({("group", each.group) if each.group is not None else ("id", each.id) for each in dialogues}),
    )


def _written(dialogue: Dialogue) -> int:
    said = (turn.text for turn in dialogue.turns if turn.role == "customer")
    return sum(len(text.replace(IMAGE_MARK, "").strip()) for text in said)
