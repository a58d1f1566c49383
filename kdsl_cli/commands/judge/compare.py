"""``kdsl compare``: two runs on the same dialogues."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from kdsl_cli.reporting.comparing import Comparison

Split = Literal["train", "val", "test"]
System = Literal["rules", "large", "together"]

_PREDICTIONS = "predictions.parquet"
_RUN = "A workspace, a folder of kdsl predict, or a predictions.parquet."


def command(
    first: Annotated[Path, typer.Argument(metavar="RUN_A", help=_RUN)],
    second: Annotated[Path, typer.Argument(metavar="RUN_B", help="Another; what it does better is counted.")],
    split: Annotated[Split, typer.Option(help="Whose predictions, of a workspace.")] = "test",
    system: Annotated[System, typer.Option(help="Whose word.")] = "together",
    bootstrap: Annotated[int, typer.Option(min=0, help="Resamples behind each 95 % interval.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Of those resamples.")] = 0,
    top: Annotated[int, typer.Option(min=0, help="Dialogues shown that differ; 0: all.")] = 20,
) -> None:
    """Say whether a run is better than another, whether the rows can tell, and where the two differ."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.prediction.table import read_predictions
    from kdsl_cli.reporting.comparing import compare
    from kdsl_cli.reporting.comparison_text import comparison_text, warning

    paths = _predictions(first, split), _predictions(second, split)
    tables = [read_predictions(path) for path in paths]
    found = compare(*tables, system=system, seed=seed, resamples=bootstrap)
    output, names = current_output(), (str(paths[0]), str(paths[1]))
    output.result(
        comparison_text(found, names, top=top),
        {"runs": names, "system": system, "tasks": [_plain(one) for one in found]},
        [flip.id for one in found for flip in one.flips],
    )
    for text in (warning(one) for one in found):
        if text:
            output.warn(text)


def _predictions(run: Path, split: str) -> Path:
    """Return the file of predictions that a run stands for."""
    from kdsl_cli.commands.workspace.layout import CONFIG_NAME, Workspace
    from kdsl_cli.errors import ConfigError

    if run.is_file():
        return run
    if (run / _PREDICTIONS).is_file():
        return run / _PREDICTIONS
    if (run / CONFIG_NAME).is_file():
        path = Workspace(run).predictions(split)
        if not path.is_file():
            fix = f"Run there: kdsl predict --split {split}"
            raise ConfigError(f"nothing was predicted for the split '{split}'", where=str(run), fix=fix)
        return path
    allowed = f"a workspace (with a {CONFIG_NAME}), a folder with a {_PREDICTIONS}, or that file"
    raise ConfigError("no run is here", where=str(run), allowed=allowed)


def _plain(one: Comparison) -> dict[str, Any]:
    told = asdict(one)
    told["differences"] = [
        {**asdict(each), "difference": each.value, "told": each.told} for each in one.differences
    ]
    return {**told, "too_small": [each.score for each in one.too_small]}
