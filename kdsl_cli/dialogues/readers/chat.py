"""What the two chat forms share: who is who, and where the label stands."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl_cli.dialogues.readers.fields import Record, RowError, identifier, optional_text
from kdsl_cli.dialogues.readers.marks import hand_out
from kdsl_cli.dialogues.readers.options import ReaderOptions
from kdsl_cli.dialogues.schema import Dialogue, Role
from kdsl_cli.errors import did_you_mean

ROLES: dict[str, Role] = {
    "user": "customer",
    "human": "customer",
    "customer": "customer",
    "assistant": "service",
    "gpt": "service",
    "service": "service",
    "system": "system",
}


def conversation(
    row: Record,
    default_id: str,
    options: ReaderOptions,
    spoken: Sequence[tuple[str, str]],
    images: Sequence[str],
) -> Dialogue:
    """Return the dialogue of a chat row from what was said, by whom (in the file's words), and its pictures.

    Raises
    ------
    RowError
        If a role or the task is unknown, or pictures and marks differ in number.
    """
    messages = [(_role(name, number), said) for number, (name, said) in enumerate(spoken, start=1)]
    label = optional_text(row, "label")
    if options.label_from == "reply":
        messages, label = _without_reply(messages, label)
    task = optional_text(row, "task") or options.task
    if task is None:
        raise RowError("has no 'task'", fix="Name the task with --task.")
    turns = hand_out(messages, images)
    return Dialogue(identifier(row, default_id), task, turns, optional_text(row, "group"), label)


def _role(name: str, number: int) -> Role:
    if name not in ROLES:
        raise RowError(
            f"message {number} has the unknown role '{name}'", ", ".join(ROLES), did_you_mean(name, ROLES)
        )
    return ROLES[name]


def _without_reply(messages: list[tuple[Role, str]], label: str | None) -> tuple[list[tuple[Role, str]], str]:
    if not messages or messages[-1][0] != "service" or not messages[-1][1].strip():
        raise RowError("the last message is not the assistant's answer, from which the label was to be read")
    reply = messages[-1][1].strip()
    if label is not None and label != reply:
        raise RowError(f"the label is '{label}' but the assistant's answer is '{reply}'", "one label")
    return messages[:-1], reply
