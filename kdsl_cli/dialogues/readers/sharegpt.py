"""ShareGPT rows: ``{"id", "conversations": [{"from", "value"}], "images": [..], "label"}``.

Other keys of a row are not read, except ``task`` and ``group``; a system prompt may stand under ``system``.
"""

from __future__ import annotations

from kdsl_cli.dialogues.readers.chat import conversation
from kdsl_cli.dialogues.readers.fields import (
    Record,
    listed,
    optional_text,
    picture_names,
    require_record,
    text,
)
from kdsl_cli.dialogues.readers.options import ReaderOptions
from kdsl_cli.dialogues.schema import Dialogue


def parse(row: Record, default_id: str, options: ReaderOptions) -> Dialogue:
    """Return the dialogue of one row; a row without id takes `default_id`.

    Raises
    ------
    RowError
        Saying what is wrong with the row.
    """
    spoken = []
    prompt = optional_text(row, "system")
    if prompt is not None:
        spoken.append(("system", prompt))
    for number, value in enumerate(listed(row, "conversations"), start=1):
        message = require_record(value, f"message {number}")
        spoken.append((text(message, "from"), text(message, "value")))
    return conversation(row, default_id, options, spoken, picture_names(row, "images", "image"))
