"""Which turn sent which picture: read off the picture marks in the text."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl_cli.dialogues.readers.fields import RowError
from kdsl_cli.dialogues.schema import IMAGE_MARK, Role, Turn


def hand_out(messages: Sequence[tuple[Role, str]], images: Sequence[str]) -> tuple[Turn, ...]:
    """Give the pictures of a whole dialogue to its turns, in order, by their marks.

    Where no text has a mark, the pictures precede the customer's first message.

    Raises
    ------
    RowError
        If there are marks, but not as many as pictures.

    Examples
    --------
    >>> said = [("customer", "这个<image>"), ("service", "哪个"), ("customer", "<image>")]
    >>> turns = hand_out(said, ["a", "b"])
    >>> [turn.images for turn in turns]
    [('a',), (), ('b',)]
    """
    marks = [text.count(IMAGE_MARK) for _, text in messages]
    if not any(marks) and images:
        marks[_first_customer(messages)] = len(images)
    if sum(marks) != len(images):
        raise RowError(
            f"{sum(marks)} {IMAGE_MARK} in the text, but {len(images)} pictures",
            f"one {IMAGE_MARK} for each picture, or none at all",
        )
    turns = []
    used = 0
    for (role, text), count in zip(messages, marks, strict=True):
        turns.append(Turn(role, text, tuple(images[used : used + count])))
        used += count
    return tuple(turns)


def _first_customer(messages: Sequence[tuple[Role, str]]) -> int:
    return next((index for index, (role, _) in enumerate(messages) if role == "customer"), 0)
