"""``kdsl eval``: what the predictions of a split are worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kdsl_cli.commands.workspace.settings import EvalSettings, Settings
    from kdsl_cli.errors import Problem
    from kdsl_cli.logic.rule import RuleBase
    from kdsl_cli.prediction.table import PredictionTable
    from kdsl_cli.reporting.tables import Tables
    from kdsl_cli.runs.manifest import Manifest
    from kdsl_cli.runs.stage import Stage

Split = Literal["train", "val", "test"]


def command(
    split: Annotated[Split, typer.Option(help="Whose predictions.")] = "test",
    bootstrap: Annotated[
        int | None, typer.Option(help="Resamples behind each 95 % interval.", show_default=False)
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of those resamples.", show_default=False)] = None,
    min_weighted_f1: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Exit with 1 if rules and model together score less on some task."),
    ] = None,
    max_failed: Annotated[
        float, typer.Option(min=0, max=1, help="Exit with 1 if a larger share of the rows failed.")
    ] = 0.05,
    per_intent: Annotated[
        bool, typer.Option("--per-intent", help="Show the F1 of every intent too, the weakest first.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Score anew, whatever the folder holds.")] = False,
    cv: Annotated[
        int | None,
        typer.Option(
            min=2, help="Run the whole chain on so many folds of train and val instead.", show_default=False
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Partings into folds, with --cv.")] = 1,
    seed_rules: Annotated[
        list[str] | None,
        typer.Option(help="With --cv: rule file that competes; may be repeated.", show_default=False),
    ] = None,
) -> None:
    """Score rules, model and both together, and write the page to look at."""
    from rich.console import Group
    from rich.text import Text

    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.workspace.layout import current_workspace
    from kdsl_cli.commands.workspace.settings_sources import current_settings
    from kdsl_cli.errors import CheckFailed, ConfigError
    from kdsl_cli.reporting.intent_summary import intent_summary
    from kdsl_cli.reporting.summary import summary

    given = {"eval.bootstrap": bootstrap, "eval.seed": seed, "mine.seed_rules": seed_rules or None}
    if cv is not None:
        if per_intent or min_weighted_f1 is not None:
            raise ConfigError(
                "--per-intent and --min-weighted-f1 are of a split, and --cv scores none",
                fix="Leave them out, or leave out --cv",
            )
        _cross_validate(current_settings(given), cv, seeds, force)
        return
    tables = evaluate_split(split, current_settings(given), force=force)
    space = current_workspace()
    more = ["", intent_summary(tables.per_intent), ""] if per_intent else []
    human = Group(summary(tables), *more, Text(f"page: {space.report(split)}"))
    data = (tables.per_intent if per_intent else tables.overall).to_dicts()
    current_output().result(human, data, str(space.eval_out(split)))
    if missed := missed_gates(tables, min_weighted_f1=min_weighted_f1, max_failed=max_failed):
        raise CheckFailed(missed)


def _cross_validate(settings: Settings, n_folds: int, n_seeds: int, force: bool) -> None:
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.judge.crossvalidate import cross_validated
    from kdsl_cli.commands.workspace.layout import current_workspace
    from kdsl_cli.reporting.summary import cross_validation_summary

    found = cross_validated(settings, n_folds=n_folds, n_seeds=n_seeds, force=force)
    out = current_workspace().eval_out("cv")
    current_output().result(cross_validation_summary(found), found.summary.to_dicts(), str(out))


def evaluate_split(split: str, settings: Settings, *, force: bool = False, replace: bool = False) -> Tables:
    """Do the stage `eval` on a split of this run's workspace, unless it is up to date, and return its tables.

    The page on it is a view of what many stages left, so it is none of the stage's outputs; it is made
    whenever there is none that is newer than the tables.

    `force` and `replace` are those of `runs.stage.Stage`.

    Raises
    ------
    KdslError
        If the predictions are not there or not whole, or the rules are not those they were made with.
    """
    from kdsl_cli.commands.console import current_argv, current_output
    from kdsl_cli.commands.judge.report import write_report
    from kdsl_cli.commands.workspace.layout import current_workspace
    from kdsl_cli.logic.codec import load_rules
    from kdsl_cli.prediction.table import read_predictions
    from kdsl_cli.reporting.tables import Tables
    from kdsl_cli.runs.inputs import require_success
    from kdsl_cli.runs.stage import Stage

    place, output = current_workspace(), current_output()
    path, out = place.predictions(split), place.eval_out(split)
    made = require_success(path.parent, command=f"kdsl predict --split {split}", only=[path.name])
    predicted = read_predictions(path)
    rule_files = {task: file for task in predicted.intents if (file := place.rules(task)).is_file()}
    stage = Stage(
        "eval",
        out,
        config={"split": split, "bootstrap": settings.eval.bootstrap},
        config_given=settings.eval.given(),
        inputs=[path, *rule_files.values()],
        seeds={"seed": settings.eval.seed},
        argv=current_argv(),
        force=force,
        replace=replace,
    )
    warnings = edited_since(made, path.parent, rule_files.values(), f"kdsl predict --split {split}")
    for sentence in warnings:
        output.warn(sentence)
    page = place.report(split)
    if stage.up_to_date():
        output.note(f"{out}: up to date")
        if not page.is_file():
            write_report(place, settings, split, Tables.read(out), page)
        return Tables.read(out)
    bases = {task: load_rules(file, intents=predicted.intents[task]) for task, file in rule_files.items()}
    tables = _score(stage, settings.eval, predicted, bases, page, warnings)
    write_report(place, settings, split, tables, page, bases=bases)
    return tables


def _score(
    stage: Stage,
    settings: EvalSettings,
    predicted: PredictionTable,
    bases: Mapping[str, RuleBase],
    page: Path,
    warnings: Iterable[str],
) -> Tables:
    from kdsl_cli.reporting.tables import evaluate
    from kdsl_cli.runs.atomic import write_parquet

    with stage.run() as run:
        page.unlink(missing_ok=True)  # it tells of tables that are about to go
        run.warnings.extend(warnings)
        with run.phase("score"):
            tables = evaluate(predicted, bases.values(), seed=settings.seed, resamples=settings.bootstrap)
        for name, frame in tables:
            write_parquet(run.output(stage.out / f"{name}.parquet"), frame)
        everything = tables.overall.row(-1, named=True)  # both together on all tasks
        failed, unlabelled = everything["n_failed"], everything["n_unlabelled"]
        run.count(total=everything["n"], ok=everything["n_scored"], failed=failed, skipped=unlabelled)
    return tables


def edited_since(made: Manifest, folder: Path, rule_files: Iterable[Path], command: str) -> list[str]:
    """Return a sentence for each rule file that changed since the predictions in `folder` were made.

    `command` is what makes such predictions (`runs.inputs.again`).
    """
    from kdsl_cli.runs.hashing import sha256_file
    from kdsl_cli.runs.inputs import again

    then = {(folder / record.path).resolve(): record.sha256 for record in made.inputs}
    return [
        f"{path} was edited after the predictions were made, which do not follow it. To predict anew: "
        f"{again(made, command)} --force"
        for path in rule_files
        if path.resolve() in then and then[path.resolve()] != sha256_file(path)
    ]


def missed_gates(tables: Tables, *, min_weighted_f1: float | None, max_failed: float) -> list[Problem]:
    """Return what keeps the tables from passing, one problem a task and gate.

    A score that is undefined does not pass: a check without rows has not shown anything.
    """
    from kdsl_cli.errors import Problem
    from kdsl_cli.reporting.systems import ALL_TASKS

    problems = []
    for row in tables.overall.iter_rows(named=True):
        if row["system"] != "together":
            continue
        if row["task"] == ALL_TASKS:
            if row["n"] and row["n_failed"] > max_failed * row["n"]:
                what = f"{row['n_failed']} of {row['n']} rows failed"
                fix = f"{', '.join(row['failed_ids'][:5])}: see the column error of per_dialogue.parquet"
                problems.append(Problem("", what, f"a share of {max_failed:g} (--max-failed)", fix))
            continue
        score = row["weighted_f1"]
        if min_weighted_f1 is not None and (score is None or score < min_weighted_f1):
            found = "undefined, for want of rows" if score is None else f"{score:.4f}"
            allowed = f"{min_weighted_f1:g} or more (--min-weighted-f1)"
            problems.append(Problem(row["task"], f"the weighted F1 of both together is {found}", allowed))
    return problems
