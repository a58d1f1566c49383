"""``kdsl data import``: files of any known form become one file of dialogues."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from kdsl_cli.commands.intake.pairs import columns_of
from kdsl_cli.commands.intake.reading import (
    CatalogueFile,
    ImageRoot,
    MaxErrors,
    accepted,
    default_path,
    load_catalogue,
    pictures_from,
)

_FORMATS = Literal["auto", "canonical", "challenge", "messages", "sharegpt", "tabular"]


def command(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="Files to bring in.")],
    format: Annotated[_FORMATS, typer.Option(help="What the files are.")] = "auto",
    task: Annotated[str | None, typer.Option(help="The task of rows that name none.")] = None,
    image_root: ImageRoot = None,
    columns: Annotated[
        str | None, typer.Option(help="Of a table: id=sku,text=question,images=files,label=. Empty: no such.")
    ] = None,
    label_from: Annotated[
        Literal["field", "reply"], typer.Option(help="Whether a chat's label is a field or the last answer.")
    ] = "field",
    catalogue: CatalogueFile = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Default: where the settings say.")] = None,
    max_errors: MaxErrors = 0,
) -> None:
    """Turn files into one file of dialogues with its pictures beside it."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.workspace.settings_sources import current_settings
    from kdsl_cli.dialogues import jsonl
    from kdsl_cli.dialogues.pictures import gather
    from kdsl_cli.dialogues.readers.options import ReaderOptions
    from kdsl_cli.dialogues.readers.reading import read_many
    from kdsl_cli.runs.atomic import write_bytes, write_text

    target = out or default_path(current_settings().data.dialogues)
    root = pictures_from(target.parent)
    options = ReaderOptions(
        task=task,
        image_root=image_root,
        label_from=label_from,
        columns=columns_of(columns),
        catalogue=load_catalogue(catalogue),
    )
    read = accepted(read_many(sources, folder=root, format=format, options=options), max_errors)
    dialogues, copies = gather(read.dialogues, root)
    for name, source in copies.items():
        if not (root / name).exists():  # the name is the content: what is there is the same
            write_bytes(root / name, source.read_bytes())
    write_text(target, jsonl.dump(dialogues))
    data = {
        "path": str(target),
        "dialogues": len(dialogues),
        "pictures": len(copies),
        "bad_rows": read.bad_rows,
    }
    human = f"Wrote {len(dialogues)} dialogues with {len(copies)} pictures to {target}"
    current_output().result(human, data, str(target))
