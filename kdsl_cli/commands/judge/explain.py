"""``kdsl explain``: why one dialogue was decided as it was."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from kdsl_cli.commands.desk.opening import Material
    from kdsl_cli.commands.workspace.layout import Workspace
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.dialogues.schema import Dialogue
    from kdsl_cli.logic.rule import RuleBase
    from kdsl_cli.prediction.table import PredictionTable
    from kdsl_cli.prediction.why import Judged

Split = Literal["train", "val", "test"]


def command(
    id: Annotated[str, typer.Argument(metavar="ID", help="The dialogue's id.")],
    split: Annotated[
        Split | None, typer.Option(help="Where it is; else looked for.", show_default=False)
    ] = None,
    input: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Dialogues (JSONL) it is in.", show_default=False)
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="What kdsl predict left of --input.", show_default=False),
    ] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help="Show this rule's verdict too; repeatable.", show_default=False)
    ] = None,
    top: Annotated[int, typer.Option(min=0, help="Rules shown that fire; 0: all.")] = 5,
) -> None:
    """Show why a dialogue was decided so: matched words, lines that decided, verdicts, each side's word."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.desk.opening import open_material
    from kdsl_cli.commands.workspace.layout import current_workspace
    from kdsl_cli.commands.workspace.settings_sources import current_settings
    from kdsl_cli.reporting.explaining import explanation
    from kdsl_cli.reporting.explanation_text import explanation_text

    space, settings = current_workspace(), current_settings()
    bases = _bases(space, settings)
    where = [] if input else [split or _split_of(space, id)]
    material = open_material(
        settings, list(bases.values()), splits=where, input=input, out=predictions, mined=False
    )
    dialogue = _dialogue(material, id)
    folder = predictions or (None if input else space.predict_out(where[0]))
    command = f"kdsl predict --split {where[0]}" if where else f"kdsl predict --input {input}"
    if predictions:
        command += f" --out {predictions}"
    table = _predicted(folder, space, command, needed=predictions is not None) if folder else None
    row = None if table is None else _row(table, id)
    base = bases.get(dialogue.task)
    told = explanation(
        dialogue,
        material.facts[id],
        material.where,
        base=base,
        prediction=row,
        intents=table.intents.get(dialogue.task, ()) if table else (),
        decided=_decided(folder, dialogue.task) if folder and row else None,
        labels=_labels(space, dialogue.task),
    )
    asked = [_verdict(base, name, material, id) for name in rule or []]
    current_output().result(explanation_text(told, top=top, rules=asked), told.plain(), id)


def _bases(space: Workspace, settings: Settings) -> dict[str, RuleBase]:
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.logic.codec import load_rules

    tasks = Catalogue.load(space.path(settings.data.catalogue)).tasks
    files = {task.name: path for task in tasks if (path := space.rules(task.name)).is_file()}
    return {task: load_rules(path) for task, path in files.items()}


def _split_of(space: Workspace, id: str) -> str:
    from kdsl_cli.commands.workspace.layout import SPLITS
    from kdsl_cli.commands.workspace.splits import dialogues_in
    from kdsl_cli.errors import ConfigError, did_you_mean

    known: list[str] = []
    for split in SPLITS:
        if space.split_dialogues(split).is_file():
            ids = [one.id for one in dialogues_in(space.split_dialogues(split))]
            if id in ids:
                return split
            known += ids
    fix = did_you_mean(id, known) or "Of a file of your own, say: kdsl explain ID --input FILE"
    raise ConfigError(f"no split has a dialogue with the id '{id}'", where=str(space.data), fix=fix)


def _dialogue(material: Material, id: str) -> Dialogue:
    from kdsl_cli.errors import ConfigError, did_you_mean

    for one in material.dialogues:
        if one.id == id:
            return one
    fix = did_you_mean(id, [one.id for one in material.dialogues])
    raise ConfigError(f"no dialogue with evidence has the id '{id}'", where=material.where, fix=fix)


def _predicted(folder: Path, space: Workspace, command: str, *, needed: bool) -> PredictionTable | None:
    """Return what was predicted there, and warn where rules were edited since; None: nothing needed was."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.judge.evaluate import edited_since
    from kdsl_cli.prediction.table import read_predictions
    from kdsl_cli.runs.inputs import require_success
    from kdsl_cli.runs.manifest import read_manifest

    if read_manifest(folder) is None and not needed:
        return None
    made = require_success(folder, command=command, only=["predictions.parquet"])
    table = read_predictions(folder / "predictions.parquet")
    files = [path for task in table.intents if (path := space.rules(task)).is_file()]
    for sentence in edited_since(made, folder, files, command):
        current_output().warn(sentence)
    return table


def _row(table: PredictionTable, id: str) -> Mapping[str, Any] | None:
    rows = table.frame.filter(table.frame["id"] == id)
    return rows.row(0, named=True) if rows.height else None


def _decided(folder: Path, task: str) -> Mapping[str, Any] | None:
    path = folder / "arbiter.json"
    if not path.is_file():
        return None
    found: Mapping[str, Any] | None = json.loads(path.read_text("utf-8"))["tasks"].get(task)
    return found


def _labels(space: Workspace, task: str) -> Mapping[str, int]:
    from kdsl_cli.commands.workspace.splits import dialogues_in

    path = space.split_dialogues("train")
    if not path.is_file():
        return {}
    return Counter(one.label for one in dialogues_in(path) if one.task == task and one.label is not None)


def _verdict(base: RuleBase | None, name: str, material: Material, id: str) -> Judged:
    from kdsl_cli.errors import ConfigError, did_you_mean
    from kdsl_cli.logic.matching import match
    from kdsl_cli.prediction.why import Judged

    rules = base.rules if base else ()
    for one in rules:
        if one.id == name:
            return Judged(one, match(one.when, material.facts[id]))
    fix = did_you_mean(name, [one.id for one in rules])
    raise ConfigError(f"no rule of this task has the id '{name}'", where="--rule", fix=fix)
