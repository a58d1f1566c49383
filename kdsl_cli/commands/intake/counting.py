"""``kdsl data stats``: how many dialogues, pictures and turns there are of every intent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kdsl_cli.commands.intake.reading import CatalogueFile, File, MaxErrors, accepted, source_of

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table


def command(
    file: File = None,
    catalogue: CatalogueFile = None,
    max_errors: MaxErrors = 0,
) -> None:
    """Count dialogues, pictures and turns of every intent."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.dialogues.readers.reading import read
    from kdsl_cli.dialogues.statistics import per_intent

    path, options = source_of(file, None, catalogue, check_pictures=False)
    dialogues = accepted(read(path, options=options), max_errors).dialogues
    frame = per_intent(dialogues, options.catalogue)
    current_output().result(_table(frame, str(path)), frame.to_dicts(), str(len(dialogues)))


def _table(frame: pl.DataFrame, title: str) -> Table:
    from rich.table import Table

    table = Table(title=title)
    for name, dtype in frame.schema.items():
        table.add_column(name.replace("_", " "), justify="right" if dtype.is_numeric() else "left")
    for row in frame.iter_rows():
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
