"""``kdsl mislabelled``: dialogues whose label is likely wrong, to be looked at and labelled again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kdsl_cli.commands.workspace.layout import Workspace

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kdsl_cli.dialogues.schema import Dialogue
    from kdsl_cli.prediction.held_out import HeldOut
    from kdsl_cli.prediction.outoffold import OutOfFold
    from kdsl_cli.reporting.mislabelled import Suspect

HeldOuts = Mapping[str, "tuple[HeldOut, tuple[str, ...]]"]
"""By task: what is said out of fold, and the task's intents."""

_LENGTH = 60  # characters of a dialogue on the screen


def command(
    task: Annotated[str | None, typer.Option(help="Only this task.", show_default=False)] = None,
    both: Annotated[
        bool, typer.Option("--both", help="Only where rules and model both say otherwise.")
    ] = False,
    top: Annotated[int, typer.Option(min=0, help="Suspects shown; 0: all.")] = 30,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A table to label anew: .csv or .jsonl; all are in it.", show_default=False
        ),
    ] = None,
) -> None:
    """List training dialogues whose label is likely wrong, to be looked at and labelled again."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.workspace.layout import current_workspace
    from kdsl_cli.commands.workspace.splits import dialogues_in
    from kdsl_cli.errors import ConfigError, did_you_mean
    from kdsl_cli.reporting.mislabelled import suspects, suspicion

    space = current_workspace()
    said = held_out_of(space)
    if task is not None and task not in said:
        fix = did_you_mean(task, said)
        raise ConfigError(f"nothing is known of a task '{task}'", allowed=", ".join(said), fix=fix)
    found = [
        one
        for name, (each, intents) in said.items()
        if task in (None, name)
        for one in suspects(each, name, intents)
        if not both or one.against == 2
    ]
    found.sort(key=suspicion)
    dialogues = {one.id: one for one in dialogues_in(space.split_dialogues("train"))}
    n = sum(len(each.ids) for name, (each, _) in said.items() if task in (None, name))
    if out is not None:
        _write(out, found, dialogues)
    data = {
        "labelled": n,
        "suspects": [asdict(one) for one in found],
        "file": None if out is None else str(out),
    }
    quiet = [str(out)] if out is not None else [one.id for one in found]
    current_output().result(_report(found, dialogues, n, top, out), data, quiet)


def held_out_of(space: Workspace) -> HeldOuts:
    """Return what both sides of a workspace said out of fold, as far as they are there.

    Raises
    ------
    StageError
        If neither is, or one is not whole.
    """
    from kdsl_cli.commands.workspace.settings_sources import current_settings
    from kdsl_cli.commands.workspace.splits import dialogues_in
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.errors import StageError
    from kdsl_cli.prediction.gathering import OUT_OF_FOLD
    from kdsl_cli.prediction.held_out import held_out
    from kdsl_cli.prediction.outoffold import read_out_of_fold
    from kdsl_cli.runs.inputs import require_success

    catalogue = Catalogue.load(space.path(current_settings().data.catalogue))
    intents = {one.name: one.names for one in catalogue.tasks}

    def side(folder: Path, verb: str) -> OutOfFold | None:
        if not (folder / OUT_OF_FOLD).is_file():
            return None
        require_success(folder, command=verb, only=[OUT_OF_FOLD])
        return read_out_of_fold(folder / OUT_OF_FOLD, intents, command=verb)

    rules, large = side(space.prune_out, "kdsl prune-rules"), side(space.large_out, "kdsl train-large")
    if rules is None and large is None:
        fix = "Run first: kdsl mine-rules and kdsl prune-rules, or kdsl train-large"
        raise StageError("nothing was said out of fold", where=str(space.runs), fix=fix)
    train = dialogues_in(space.split_dialogues("train"))
    labels = {one.id: one.label for one in train if one.label is not None}
    found = {task: (held_out(rules, large, labels, task, names), names) for task, names in intents.items()}
    return {task: one for task, one in found.items() if one[0].ids}


def _report(
    found: Sequence[Suspect], dialogues: Mapping[str, Dialogue], n: int, top: int, out: Path | None
) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    shown = found[:top] if top else found
    lines: list[RenderableType] = [_table(shown, dialogues), ""] if shown else []
    both = sum(one.against == 2 for one in found)
    lines.append(
        Text(f"{len(found)} of {n} labels are suspect; for {both} rules and model both say another intent")
    )
    if alike := sum(one.confusable for one in found):
        lines.append(
            Text(f"The last {alike} are between intents often taken for each other: rather hard than wrong")
        )
    if len(shown) < len(found):
        lines.append(Text(f"{len(shown)} are shown: --top 0 shows all", style="dim"))
    if out is not None:
        lines.append(Text(f"{out}: fill in new_label where a label is wrong"))
    return Group(*lines)


def _table(shown: Sequence[Suspect], dialogues: Mapping[str, Dialogue]) -> RenderableType:
    from rich.text import Text

    from kdsl_cli.reporting.fitting import Fitting

    rows = []
    for one in shown:
        words = [one.id, one.label, f"{one.p_label:.3f}", one.suggested, f"{one.p_suggested:.2f}"]
        words += [one.rules or "–", one.large or "–"]
        style = "dim" if one.confusable else ""
        rows.append([*(Text(word, style=style) for word in words), Text(_gist(dialogues[one.id]), "dim")])
    columns = (
        "Dialogue",
        "Label",
        "p(label)",
        "Rather",
        "p(rather)",
        "Rules say",
        "Model says",
        "What it is",
    )
    spare = ("Rules say", "Model says", "p(rather)", "p(label)")
    numbers = ("p(label)", "p(rather)")
    return Fitting(columns, rows, numbers=numbers, spare=spare, elastic="What it is")


def _gist(dialogue: Dialogue) -> str:
    said = " / ".join(turn.text for turn in dialogue.turns if turn.role == "customer" and turn.text.strip())
    text = said or ", ".join(dialogue.images)
    return text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…"


def _write(out: Path, found: Sequence[Suspect], dialogues: Mapping[str, Dialogue]) -> None:
    """Write the suspects with what one needs to decide, and an empty column for the decision."""
    import polars as pl

    from kdsl_cli.errors import ConfigError
    from kdsl_cli.runs.atomic import replacing

    if out.suffix not in (".csv", ".jsonl"):
        raise ConfigError("unknown kind of file", where=str(out), allowed=".csv, .jsonl")
    rows = [_row(one, dialogues[one.id]) for one in found]
    frame = pl.DataFrame(rows, schema=_COLUMNS)
    with replacing(out) as temporary:
        if out.suffix == ".csv":
            frame.write_csv(temporary, include_bom=True)  # a spreadsheet takes it for UTF-8 only so
        else:
            frame.write_ndjson(temporary)


_COLUMNS = (
    *("id", "task", "label", "new_label", "suggested", "p_label", "p_suggested", "rules", "large"),
    *("confusable", "text", "images"),
)


def _row(one: Suspect, dialogue: Dialogue) -> dict[str, Any]:
    text = "\n".join(f"{turn.role}: {turn.text}" for turn in dialogue.turns)
    told = {**asdict(one), "text": text, "images": " ".join(dialogue.images), "new_label": ""}
    return {name: round(value, 4) if isinstance(value := told[name], float) else value for name in _COLUMNS}
