"""What a reader may be told about a file that the file does not say itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kdsl_cli.dialogues.catalogue import Catalogue

Format = Literal["auto", "canonical", "challenge", "messages", "sharegpt", "tabular"]

LabelFrom = Literal["field", "reply"]
"""Whether the label stands in a field of its own or is what the assistant says last."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a table holds what; None: the table has no such column.

    Without an id column rows are numbered. `images` holds a list of paths (Parquet) or paths
    separated by semicolons.
    """

    id: str | None = "id"
    text: str | None = "text"
    images: str | None = None
    label: str | None = "label"
    task: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """How to read; the defaults suit a file that says everything itself.

    Attributes
    ----------
    task
        The task of rows that name none.
    image_task, dialogue_task
        The tasks of the challenge's rows without and with a START/END dialogue; `task` overrides both.
    image_root
        A folder where pictures are looked for first, before the file's own folder and its ``images``.
    label_from
        Where ``messages`` and ``sharegpt`` rows keep the label.
    columns
        For tables.
    catalogue
        If given, tasks and labels must be in it.
    check_pictures
        Whether every picture must be there as a file.
    """

    task: str | None = None
    image_task: str = "image-scene"
    dialogue_task: str = "dialogue-intent"
    image_root: Path | None = None
    label_from: LabelFrom = "field"
    columns: Columns = field(default_factory=Columns)
    catalogue: Catalogue | None = None
    check_pictures: bool = True


DEFAULTS = ReaderOptions()
