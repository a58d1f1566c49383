"""Chat rows: ``{"id", "messages": [{"role", "content"}], "images": [..], "label"}``.

``content`` is a text, or a list of parts ``{"type": "text", "text"}`` and ``{"type": "image"}``; a picture
part may carry its own path, else it takes the next of ``images``. Other keys of a row are not read, except
``task`` and ``group``.
"""

from __future__ import annotations

from collections.abc import Mapping

from kdsl_cli.dialogues.readers.chat import conversation
from kdsl_cli.dialogues.readers.fields import Record, RowError, kind, picture_names, require_record, text
from kdsl_cli.dialogues.readers.fields import listed as list_of
from kdsl_cli.dialogues.readers.options import ReaderOptions
from kdsl_cli.dialogues.schema import IMAGE_MARK, Dialogue

_PICTURE_PARTS = ("image", "image_url")


def parse(row: Record, default_id: str, options: ReaderOptions) -> Dialogue:
    """Return the dialogue of one row; a row without id takes `default_id`.

    Raises
    ------
    RowError
        Saying what is wrong with the row.
    """
    spoken: list[tuple[str, str]] = []
    marks: list[str | None] = []
    for number, value in enumerate(list_of(row, "messages"), start=1):
        message = require_record(value, f"message {number}")
        said, own = _content(message, number)
        spoken.append((text(message, "role"), said))
        marks.extend(own)
    waiting = iter(picture_names(row, "images", "image"))
    filled = [path if path is not None else next(waiting, None) for path in marks]
    images = [path for path in (*filled, *waiting) if path is not None]
    return conversation(row, default_id, options, spoken, images)


def _content(message: Record, number: int) -> tuple[str, list[str | None]]:
    """Return the text, and for each mark in it the picture's own path, or None: the row's next one."""
    content = message.get("content")
    if isinstance(content, str):
        return content, [None] * content.count(IMAGE_MARK)
    if not isinstance(content, list):
        raise RowError(f"the content of message {number} is {kind(content)}", "text, or a list of parts")
    said = ""
    marks: list[str | None] = []
    for value in content:
        part = require_record(value, f"a part of message {number}")
        if part.get("type") == "text":
            written = text(part, "text")
            marks.extend([None] * written.count(IMAGE_MARK))
        elif part.get("type") in _PICTURE_PARTS:
            written = IMAGE_MARK
            marks.append(_own_path(part))
        else:
            raise RowError(
                f"message {number} has a part of type {part.get('type')!r}", "text, image, image_url"
            )
        said += written
    return said, marks


def _own_path(part: Record) -> str | None:
    for key in (*_PICTURE_PARTS, "path", "url"):
        value = part.get(key)
        if isinstance(value, Mapping):  # {"image_url": {"url": ...}}
            value = value.get("url")
        if isinstance(value, str) and value:
            return value
    return None
