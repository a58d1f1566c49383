"""``kdsl predict``: decide on a split, or on any file of dialogues; no earlier stage opens the test split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kdsl_cli.commands.console import current_argv, current_output
from kdsl_cli.commands.extract.rule_questions import Questions, merged, questions_of
from kdsl_cli.commands.models.small import QuantOption
from kdsl_cli.commands.predict.large import LinearLarge, TunedLarge, find_large
from kdsl_cli.commands.predict.sources import Answers, Source, file_source, split_source
from kdsl_cli.commands.workspace.layout import current_workspace
from kdsl_cli.commands.workspace.splits import dialogues_in
from kdsl_cli.errors import CheckFailed, ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kdsl_cli.commands.workspace.settings import PredictSettings, Settings
    from kdsl_cli.dialogues.schema import Dialogue
    from kdsl_cli.logic.facts import Facts
    from kdsl_cli.prediction.gathering import Gathered
    from kdsl_cli.prediction.table import PredictionTable
    from kdsl_cli.runs.stage import Stage

Split = Literal["train", "val", "test"]

_PREDICTIONS, _ARBITER = "predictions.parquet", "arbiter.json"


def command(
    split: Annotated[
        Split | None, typer.Option(help="Whose dialogues; test by default.", show_default=False)
    ] = None,
    strategy: Annotated[
        str | None, typer.Option(help="rules, large, rules-first or log-odds.", show_default=False)
    ] = None,
    override_precision: Annotated[
        float | None,
        typer.Option(help="rules-first: precision from which on a rule overrides.", show_default=False),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="Folder of the rule files; rules by default.", show_default=False)
    ] = None,
    large: Annotated[
        Path | None, typer.Option(help="Folder of the model; runs/large by default.", show_default=False)
    ] = None,
    through: Annotated[
        str | None,
        typer.Option(help="Who answers for a tuned model: http:URL#MODEL or local:PATH.", show_default=False),
    ] = None,
    input: Annotated[
        Path | None,
        typer.Option(help="New dialogues (JSONL) in place of a split's; with --out.", show_default=False),
    ] = None,
    small: Annotated[
        str | None,
        typer.Option(help="With --input: model that answers the questions of the rules.", show_default=False),
    ] = None,
    quant: QuantOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the result, if another one.", show_default=False)
    ] = None,
    max_failed: Annotated[
        float, typer.Option(min=0, max=1, help="Exit with 1 if a larger share of the rows failed.")
    ] = 0.05,
    force: Annotated[bool, typer.Option("--force", help="Predict anew, whatever the folder holds.")] = False,
) -> None:
    """Let rules and the large model decide together, and say of each dialogue who did."""
    from kdsl_cli.commands.workspace.settings_sources import current_settings

    deciding = {"predict.strategy": strategy, "predict.override_precision": override_precision}
    asking = {"small.model": small, "small.quant": quant, "large.through": through}
    settings = current_settings({**deciding, **asking})
    asked = _Asked(settings, rules, large, force)
    if input is None:
        split = split or "test"
        if small is not None:
            fix = f"Run first: kdsl extract --split {split} --small {small}"
            raise ConfigError("comes with --input", where="--small", fix=fix)
        out = out or current_workspace().predict_out(split)
        table = _predict(split_source(current_workspace(), split, settings), asked, out)
    elif out is None or split is not None:
        fix = f"Say: kdsl predict --input {input} --out FOLDER"
        raise ConfigError("comes with --out and without --split", where="--input", fix=fix)
    else:
        table = _predict(file_source(input, out, current_workspace(), settings), asked, out)
    _report(table, out, max_failed)


def predict_split(
    split: str, settings: Settings, *, force: bool = False, replace: bool = False
) -> PredictionTable:
    """Do the stage `predict` on a split of this run's workspace, unless it is up to date.

    `force` and `replace` are those of `runs.stage.Stage`.

    Raises
    ------
    KdslError
        If an input is not there, not whole, or does not fit the catalogue.
    """
    space = current_workspace()
    asked = _Asked(settings, force=force, replace=replace)
    return _predict(split_source(space, split, settings), asked, space.predict_out(split))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for; folders of rules and model are None where they are the workspace's."""

    settings: Settings
    rules: Path | None = None
    large: Path | None = None
    force: bool = False
    replace: bool = False


def _predict(source: Source, asked: _Asked, out: Path) -> PredictionTable:
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.prediction.gathering import gather
    from kdsl_cli.prediction.table import read_predictions
    from kdsl_cli.runs.stage import Stage

    space, options = current_workspace(), asked.settings.predict
    catalogue, train = space.path(asked.settings.data.catalogue), space.split_dialogues("train")
    intents = {task.name: task.names for task in Catalogue.load(catalogue).tasks}
    if asked.rules is not None and not asked.rules.is_dir():
        raise ConfigError("no such folder", where=str(asked.rules), fix="Check --rules")
    gathered = gather(
        options.strategy,
        intents,
        rules=asked.rules or space.rules_out,
        large=asked.large or space.large_out,
        pruned=space.prune_out if asked.rules is None else None,
    )
    large = gathered.large and find_large(gathered.large, intents, source, asked.settings, space)
    questions = merged(questions_of(gathered.rules.values()), large.questions() if large else {})
    answers = source.answers(questions) if questions else Answers()
    learnt_from = (*gathered.out_of_fold, train) if gathered.out_of_fold else ()
    stage = Stage(
        "predict",
        out,
        config={
            "split": source.split,
            **options.resolved(),
            **source.config,
            **answers.config,
            **(large.config() if large else {}),
        },
        config_given=options.given(),
        inputs=[
            *source.inputs,
            *answers.files,
            catalogue,
            *gathered.rule_files,
            *gathered.large_files,
            *learnt_from,
        ],
        argv=current_argv(),
        force=asked.force,
        replace=asked.replace,
    )
    if stage.up_to_date():
        current_output().note(f"{out}: up to date")
        return read_predictions(out / _PREDICTIONS)
    labels = {one.id: one.label for one in dialogues_in(train) if one.label} if learnt_from else {}
    return _run(stage, source, answers, questions, gathered, large or None, intents, labels, options)


def _run(
    stage: Stage,
    source: Source,
    answers: Answers,
    questions: Questions,
    gathered: Gathered,
    large: LinearLarge | TunedLarge | None,
    intents: dict[str, tuple[str, ...]],
    labels: dict[str, str],
    options: PredictSettings,
) -> PredictionTable:
    from kdsl_cli.evidence.answers import with_answers
    from kdsl_cli.prediction.predict import LargeSide, predict_all
    from kdsl_cli.prediction.settling import settle_all
    from kdsl_cli.prediction.table import write_predictions
    from kdsl_cli.runs.atomic import write_json

    with stage.run() as run:
        run.warnings.extend([*source.warnings, *answers.warnings])
        with run.phase("settle"):
            tasks = {one.task for one in source.dialogues}
            settled = settle_all(
                options.strategy,
                {task: names for task, names in intents.items() if task in tasks},
                gathered,
                labels,
                large=large.intents if large else (),
                override_precision=options.override_precision,
            )
        run.warnings.extend(note for one in settled.values() for note in one.notes)
        with run.phase("evidence"):
            facts = with_answers(source.facts(), answers.known())
        with run.phase("large"):
            side = large.side(facts, run) if large else LargeSide()
        with run.phase("predict"):
            rows = predict_all(
                source.dialogues,
                facts,
                intents,
                split=source.split,
                rules=gathered.rules,
                large=side,
                settled=settled,
                without_evidence=source.without_evidence,
            )
        failed = sum(row.error is not None for row in rows)
        run.count(total=len(rows), ok=len(rows) - failed, failed=failed)
        run.extra["unread"] = sorted(row.id for row in rows if row.error is None and facts[row.id].unread)
        run.extra["unanswered"] = sorted(
            one.id for one in source.dialogues if _unanswered(one, facts, questions)
        )
        arbiter = {
            "schema": "kdsl.arbiter/2",
            "strategy": options.strategy,
            "tasks": {task: one.record(intents[task]) for task, one in settled.items()},
        }
        write_json(run.output(stage.out / _ARBITER), arbiter)
        return write_predictions(run.output(stage.out / _PREDICTIONS), rows, intents)


def _unanswered(dialogue: Dialogue, facts: Mapping[str, Facts], questions: Questions) -> bool:
    """Tell whether a question that is asked about a dialogue has no answer, so that rules may be unknown."""
    known = facts[dialogue.id].answers if dialogue.id in facts else ()
    return any(question not in known for question in questions.get(dialogue.task, ()))


def _report(table: PredictionTable, out: Path, max_failed: float) -> None:
    """Say what the files say: the same for a run just done and for one that is up to date."""
    from kdsl_cli.prediction.summary import render, summarise
    from kdsl_cli.runs.manifest import read_manifest

    manifest, output = read_manifest(out), current_output()
    assert manifest is not None  # the stage wrote it, or was up to date by it
    for text in manifest.warnings:
        output.warn(text)
    short = {name: manifest.extra.get(name, []) for name in ("unread", "unanswered")}
    told, place = summarise(table), str(out / _PREDICTIONS)
    files = {"predictions": place, "arbiter": str(out / _ARBITER)}
    output.result(render(told, place, **short), {**told, **short, "files": files}, place)
    n, failed = table.frame.height, len(told["failed"])
    if failed > max_failed * n:
        raise CheckFailed(
            f"{failed} of {n} dialogues could not be decided",
            where=place,
            allowed=f"a share of {max_failed:g} (--max-failed)",
            fix=f"The first: {next(iter(told['failed'].items()))[1]}",
        )
