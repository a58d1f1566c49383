"""``kdsl rules apply``: let rules decide on any dialogues, without any model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kdsl_cli.commands.desk.judging import Judge, intents_of
from kdsl_cli.commands.desk.opening import CatalogueFile, Input, Rules, Split, open_material, rule_files

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kdsl_cli.logic.rule import RuleBase
    from kdsl_cli.prediction.table import Prediction

_SHOWN = 30  # dialogues on the screen; all of them are in the file and as JSON
_NAMED = 3  # rules of one dialogue on the screen


def command(
    rules: Rules = None,
    input: Input = None,
    split: Annotated[Split, typer.Option(help="Dialogues of the workspace, without --input.")] = "test",
    catalogue: CatalogueFile = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for predictions.parquet.", show_default=False)
    ] = None,
) -> None:
    """Let rules decide alone, on any dialogues, and say which rules fired; no model is asked."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.workspace.settings_sources import current_settings

    files, settings = rule_files(rules), current_settings()
    bases = {file.base.task: file.base for file in files}
    _check_one_a_task([file.path for file in files], [file.base for file in files])
    intents = intents_of(settings, bases.values(), catalogue, [file.path for file in files])
    material = open_material(
        settings, list(bases.values()), splits=[split], input=input, out=out, mined=False
    )
    rows = sorted(Judge(material, intents).decide(bases), key=lambda row: row.id)
    paths = [] if out is None else [_write(out, rows, intents, files_of=[file.path for file in files])]
    others = len(material.dialogues) - len(rows)
    data = {"dialogues": [_plain(row) for row in rows], "other_tasks": others, "files": paths}
    current_output().result(_report(rows, others, paths), data, paths or [row.id for row in rows])


def _check_one_a_task(paths: Sequence[Path], bases: Sequence[RuleBase]) -> None:
    from kdsl_cli.errors import ConfigError

    for number, base in enumerate(bases):
        if base.task in [other.task for other in bases[:number]]:
            fix = "Give one file a task"
            raise ConfigError(f"a second file of rules for '{base.task}'", where=str(paths[number]), fix=fix)


def _write(
    out: Path, rows: Sequence[Prediction], intents: Mapping[str, tuple[str, ...]], files_of: Sequence[Path]
) -> str:
    from kdsl_cli.commands.console import current_argv
    from kdsl_cli.prediction.table import write_predictions
    from kdsl_cli.runs.stage import Stage

    stage = Stage("apply", out, inputs=list(files_of), argv=current_argv(), force=True)
    with stage.run() as run:
        run.count(
            total=len(rows),
            ok=sum(row.error is None for row in rows),
            failed=sum(row.error is not None for row in rows),
        )
        path = run.output(out / "predictions.parquet")
        write_predictions(path, rows, intents)
    return str(out / "predictions.parquet")


def _plain(row: Prediction) -> dict[str, Any]:
    return {
        "id": row.id,
        "task": row.task,
        "label": row.label,
        "prediction": row.prediction,
        "confidence": _confidence(row),
        "fired": list(row.fired),
        "error": row.error,
    }


def _confidence(row: Prediction) -> float | None:
    return None if row.prediction is None or row.scores is None else round(max(row.scores), 4)


def _report(rows: Sequence[Prediction], others: int, paths: Sequence[str]) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("Dialogue", "Decision", "Sure", "Rules that fired"):
        table.add_column(name, overflow="fold", justify="right" if name == "Sure" else "left")
    for row in rows[:_SHOWN]:
        sure = _confidence(row)
        style = (
            ""
            if row.label is None or row.prediction is None
            else "green"
            if row.label == row.prediction
            else "red"
        )
        table.add_row(
            Text(row.id),
            Text(row.prediction or row.error or "(silent)", style=style),
            Text("" if sure is None else f"{sure:.2f}"),
            Text(_some(row.fired), style="dim"),
        )
    if len(rows) > _SHOWN:
        table.caption, table.caption_justify = f"{_SHOWN} of {len(rows)}; --out DIR or --json has all", "left"
    return Group(
        table, "", *(Text(line) for line in _sentences(rows, others)), *(Text(path) for path in paths)
    )


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f", and {more} more" if more > 0 else "")


def _sentences(rows: Sequence[Prediction], others: int) -> list[str]:
    decided = [row for row in rows if row.prediction is not None]
    told = [
        f"{len(rows)} dialogues: rules decide on {len(decided)}, are silent on {len(rows) - len(decided)}"
    ]
    for task, count in Counter(row.task for row in rows if row.label is not None).items():
        known = [row for row in rows if row.task == task and row.label is not None]
        right = sum(row.prediction == row.label for row in known)
        silent = sum(row.prediction is None for row in known)
        told.append(
            f"{task}: of {count} with a label {right} right, {count - right - silent} wrong, {silent} silent"
        )
    if others:
        told.append(f"{others} dialogues are of tasks that these rules do not speak of")
    return told
