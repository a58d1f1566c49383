"""``kdsl data stats``: how many dialogues, pictures and turns there are of every intent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kdsl_cli.commands.intake.reading import CatalogueFile, File, MaxErrors, accepted, source_of

if TYPE_CHECKING:
    import polars as pl
    from rich.console import RenderableType


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
    current_output().result(_table(frame), frame.to_dicts(), str(len(dialogues)))


def _table(frame: pl.DataFrame) -> RenderableType:
    from rich.text import Text

    from kdsl_cli.reporting.fitting import Fitting

    names = [name.replace("_", " ") for name in frame.columns]
    numbers = [name for name, kind in zip(names, frame.dtypes, strict=True) if kind.is_numeric()]
    rows = [[Text(_cell(value)) for value in row] for row in frame.iter_rows()]
    # What is counted first is what is wanted most.
    spare = [name for name in reversed(numbers) if name != "dialogues"]
    return Fitting(names, rows, numbers=numbers, spare=spare)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
