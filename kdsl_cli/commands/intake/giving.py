"""``kdsl data export``: dialogues in a form that other programs train on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from kdsl_cli.commands.intake.reading import (
    CatalogueFile,
    File,
    ImageRoot,
    MaxErrors,
    accepted,
    default_path,
    source_of,
)


def command(
    file: File = None,
    *,
    format: Annotated[Literal["canonical", "messages", "sharegpt"], typer.Option(help="What to write.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The JSON Lines to write.")],
    label_as: Annotated[
        Literal["field", "reply"], typer.Option(help="Whether the label is a field or the last answer.")
    ] = "field",
    for_tuning: Annotated[
        bool,
        typer.Option("--for-tuning", help="Our prompts, with intents as answers; FILE: the training split."),
    ] = False,
    catalogue: CatalogueFile = None,
    image_root: ImageRoot = None,
    max_errors: MaxErrors = 0,
) -> None:
    """Write the dialogues in a form that other programs train on; pictures stay where they are."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.intake import tuning_export
    from kdsl_cli.commands.workspace.settings_sources import current_settings
    from kdsl_cli.dialogues.export import export as exported
    from kdsl_cli.dialogues.readers.reading import read_many
    from kdsl_cli.errors import ConfigError
    from kdsl_cli.runs.atomic import write_text

    if for_tuning:
        file = file or tuning_export.training_split()
        catalogue = catalogue or default_path(current_settings().data.catalogue)
    path, options = source_of(file, image_root, catalogue)
    if out.resolve() == path.resolve():
        raise ConfigError(f"--out is the file that is read: {path}", fix="Name another file.")
    dialogues = accepted(read_many([path], folder=out.parent, options=options), max_errors).dialogues
    if for_tuning and options.catalogue:
        tuning_export.write(dialogues, options.catalogue, format, out)
        return
    write_text(out, exported(dialogues, format, label_as=label_as))
    data = {"path": str(out), "dialogues": len(dialogues), "format": format}
    current_output().result(f"Wrote {len(dialogues)} dialogues to {out}", data, str(out))
