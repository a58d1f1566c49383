"""KDSL's own form: ``{"id", "task", "turns": [{"role", "text", "images"}], "group", "label"}``."""

from __future__ import annotations

from typing import get_args

from kdsl_cli.dialogues.readers.fields import (
    Record,
    RowError,
    identifier,
    listed,
    only,
    optional_text,
    picture_names,
    require_record,
    text,
)
from kdsl_cli.dialogues.readers.options import ReaderOptions
from kdsl_cli.dialogues.schema import IMAGE_MARK, Dialogue, Role, Turn
from kdsl_cli.errors import did_you_mean

_ROLES: tuple[Role, ...] = get_args(Role)


def parse(row: Record, default_id: str, options: ReaderOptions) -> Dialogue:
    """Return the dialogue of one row; unknown keys are refused and the id must be there.

    Raises
    ------
    RowError
        Saying what is wrong with the row.
    """
    only(row, ("id", "task", "turns", "group", "label"))
    task = optional_text(row, "task") or options.task
    if task is None:
        raise RowError("has no 'task'", fix="Name the task with --task.")
    turns = tuple(_turn(turn, number) for number, turn in enumerate(listed(row, "turns"), start=1))
    return Dialogue(identifier(row), task, turns, optional_text(row, "group"), optional_text(row, "label"))


def _turn(value: object, number: int) -> Turn:
    what = f"turn {number}"
    record = require_record(value, what)
    only(record, ("role", "text", "images"), what)
    name = text(record, "role")
    role = next((role for role in _ROLES if role == name), None)
    if role is None:
        raise RowError(f"{what} has the unknown role '{name}'", ", ".join(_ROLES), did_you_mean(name, _ROLES))
    said, images = text(record, "text"), picture_names(record, "images")
    if said.count(IMAGE_MARK) not in (0, len(images)):
        raise RowError(
            f"{what} has {said.count(IMAGE_MARK)} {IMAGE_MARK} in its text, but {len(images)} pictures",
            f"one {IMAGE_MARK} for each picture, or none at all",
        )
    return Turn(role, said, images)
