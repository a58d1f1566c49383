"""``kdsl train-large``: train the model that decides where rules are silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from kdsl_cli.commands.settings import Settings
    from kdsl_cli.commands.training_data import TrainingData
    from kdsl_cli.commands.workspace import Workspace
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.evidence.labelled import Labelled
    from kdsl_cli.logic.rule import Rule
    from kdsl_cli.runs.stage import Stage
    from kdsl_cli.training.linear.trainer import Trained
    from kdsl_cli.training.quality import Quality

LINEAR = "linear"

_SHOWN = 10  # dialogues named on the screen; all of them are in the result as JSON


def command(
    large: Annotated[str | None, typer.Option(help="What to train: linear.", show_default=False)] = None,
    seed: Annotated[
        int | None, typer.Option(help="Same seed and data, same model.", show_default=False)
    ] = None,
    knowledge: Annotated[
        list[str] | None,
        typer.Option(
            help="Rule file not learnt from this data; may be repeated; mine.seed_rules by default.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Train anew, whatever the folder holds.")] = False,
) -> None:
    """Train the large model on the training split, and score each of its dialogues out of fold."""
    from kdsl_cli.commands.settings_sources import current_settings

    given = {"train.large": large, "train.seed": seed, "mine.seed_rules": knowledge or None}
    train_large(current_settings(given), force=force)


def train_large(settings: Settings, *, force: bool = False, replace: bool = False) -> None:
    """Do the stage `train` of this run's workspace, or say that it is up to date.

    The seed rules of mining are knowledge here: nobody learnt them from the sample.
    `force` and `replace` are those of `runs.stage.Stage`.

    Raises
    ------
    KdslError
        If the model cannot be trained here, or an input is missing, wrong or leaks.
    """
    from kdsl_cli.commands.console import current_argv, current_output
    from kdsl_cli.commands.training_data import load_seed_rules, load_training_data
    from kdsl_cli.commands.workspace import current_workspace
    from kdsl_cli.runs.stage import Stage

    check_spec(settings.train.large)
    space, rule_files = current_workspace(), settings.mine.seed_rules
    data = load_training_data(space, settings)
    rules = load_seed_rules(space, rule_files, data.catalogue)
    val, val_files = _validation(space, data.catalogue)
    stage = Stage(
        "train",
        space.large_out,
        config={"large": settings.train.large, "knowledge": list(rule_files)},
        config_given=settings.train.given(),
        inputs=[*data.files, *val_files, *(space.path(name) for name in rule_files)],
        seeds={"train": settings.train.seed},
        argv=current_argv(),
        force=force,
        replace=replace,
    )
    if stage.up_to_date():
        current_output().note(f"{stage.out}: up to date")
    else:
        _train(stage, data, rules, val, settings.train.seed)
    _report(stage.out)


def check_spec(spec: str) -> None:
    """Do nothing if `spec` names a model that can be trained here.

    Raises
    ------
    ConfigError
        Naming what can be.
    """
    from kdsl_cli.errors import ConfigError, did_you_mean

    if spec == LINEAR:
        return
    if spec.startswith(("local:", "http:", "scripted:")):
        what, near = f"this version cannot train '{spec}'", f"Say: kdsl train-large --large {LINEAR}"
    else:
        what, near = f"unknown model '{spec}'", did_you_mean(spec, [LINEAR]) or ""
    raise ConfigError(what, where="train.large", allowed=LINEAR, fix=near or None)


def _validation(space: Workspace, catalogue: Catalogue) -> tuple[tuple[Labelled, ...], tuple[Path, ...]]:
    """Return the validation split and its files, both empty if it was not drawn or not extracted."""
    from kdsl_cli.dialogues.splits import load_split
    from kdsl_cli.evidence.labelled import labelled
    from kdsl_cli.evidence.table import read_facts
    from kdsl_cli.runs.inputs import require_success

    path, evidence = space.split_dialogues("val"), space.evidence("val")
    if not (path.is_file() and evidence.is_file()):
        return (), ()
    require_success(space.evidence_out, command="kdsl extract --split val", only=[evidence.name])
    dialogues = load_split(space.data, "val")
    facts = read_facts([evidence], [dialogue.id for dialogue in dialogues])
    return labelled(dialogues, facts, catalogue, str(path)), (path, evidence)


def _train(
    stage: Stage,
    data: TrainingData,
    rules: dict[str, list[Rule]],
    val: tuple[Labelled, ...],
    seed: int,
) -> None:
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.runs.outoffold import write_out_of_fold
    from kdsl_cli.training.linear.model import LinearModels
    from kdsl_cli.training.linear.storage import MODEL, WEIGHTS, save
    from kdsl_cli.training.linear.trainer import FOLDS, train

    tasks = [task for task in data.tasks if task.labels]
    with stage.run() as run:
        outs = {name: run.output(stage.out / name) for name in (MODEL, WEIGHTS, "oof.parquet")}
        with (
            run.phase("train"),
            current_output().progress("Training", len(tasks) * (FOLDS + 1), "fits") as bar,
        ):
            trained = [
                train(task, rules.get(task.task.name, ()), seed=seed, tell=bar.advance) for task in tasks
            ]
        save(stage.out, LinearModels({one.sample.task.name: one.model for one in trained}, seed))
        rows = [row for one in trained for row in one.rows()]
        intents = {one.sample.task.name: one.model.intents for one in trained}
        write_out_of_fold(outs["oof.parquet"], rows, intents)
        run.warnings.extend(_warnings(data, trained, rules))
        of_val = {sample.task.name: sample for sample in val if sample.labels}
        run.extra["tasks"] = [_record(one, of_val.get(one.sample.task.name)) for one in trained]
        run.extra["unlabelled"] = list(data.unlabelled)
        run.extra["unread"] = sorted(
            id for task in tasks for id, each in zip(task.ids, task.dialogues, strict=True) if each.unread
        )
        n_labelled = sum(len(task.labels) for task in tasks)
        run.count(total=n_labelled + len(data.unlabelled), ok=n_labelled, skipped=len(data.unlabelled))


def _warnings(data: TrainingData, trained: list[Trained], rules: dict[str, list[Rule]]) -> list[str]:
    silent = [task.task.name for task in data.tasks if not task.labels]
    warnings = [f"{name}: no labelled dialogue, so there is no model of it" for name in silent]
    warnings += [text for one in trained for text in one.warnings]
    mined = sum(rule.status == "mined" for own in rules.values() for rule in own)
    if mined:
        warnings.append(
            f"{mined} rules of the knowledge were mined; if in this data, the out-of-fold scores are too good"
        )
    return warnings


def _record(one: Trained, val: Labelled | None) -> dict[str, Any]:
    from dataclasses import asdict

    from kdsl_cli.training.quality import quality

    of_val: Quality | None = None
    if val is not None:
        of_val = quality(val, one.model.scores(val.dialogues))
    return {
        "task": one.sample.task.name,
        "intents": len(one.sample.task.names),
        "without_sample": list(one.sample.without_sample),
        "rules": len(one.model.knowledge.rules),
        "temperature": one.model.classifier.temperature,
        "out_of_fold": asdict(one.quality),
        "val": None if of_val is None else asdict(of_val),
    }


def _report(out: Path) -> None:
    """Say what the manifest says: the same for a run just done and for one that is up to date."""
    from rich.console import Group

    from kdsl_cli.commands.console import current_output
    from kdsl_cli.runs.manifest import read_manifest

    manifest, output = read_manifest(out), current_output()
    assert manifest is not None  # the stage wrote it, or was up to date by it
    for text in manifest.warnings:
        output.warn(text)
    told = manifest.extra
    lines = [
        _named("left out for want of a label", told["unlabelled"]),
        _named("used without pictures that could not be read", told["unread"]),
    ]
    human = Group(_table(told["tasks"]), *(line for line in lines if line))
    data = {
        **told,
        "warnings": list(manifest.warnings),
        "files": [str(out / r.path) for r in manifest.outputs],
    }
    output.result(human, data, str(out))


def _named(what: str, ids: list[str]) -> str:
    if not ids:
        return ""
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return f"{len(ids)} dialogues {what}: {', '.join(ids[:_SHOWN])}{more}"


def _table(tasks: list[dict[str, Any]]) -> RenderableType:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, caption="out of fold; temperature above 1: the fit was too sure of itself")
    table.add_column("task")
    for name in ("n", "weighted F1", "accuracy", "log loss", "temperature", "val n", "val weighted F1"):
        table.add_column(name, justify="right")
    for row in tasks:
        own, val = row["out_of_fold"], row["val"] or {"n": 0, "weighted_f1": None}
        scores = (own["weighted_f1"], own["accuracy"], own["log_loss"], row["temperature"])
        table.add_row(
            row["task"],
            str(own["n"]),
            *(f"{score:.3f}" for score in scores),
            str(val["n"]),
            "" if val["weighted_f1"] is None else f"{val['weighted_f1']:.3f}",
        )
    return table
