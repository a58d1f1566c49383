"""The linear model's training as a stage: the default of ``kdsl train-large``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from kdsl_cli.commands.extract.rule_questions import Questions
    from kdsl_cli.commands.extract.training_data import TrainingData
    from kdsl_cli.commands.workspace.layout import Workspace
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.evidence.labelled import Labelled
    from kdsl_cli.logic.rule import Rule
    from kdsl_cli.runs.stage import Stage
    from kdsl_cli.training.linear.trainer import Trained
    from kdsl_cli.training.quality import Quality


def train_linear(settings: Settings, *, force: bool = False, replace: bool = False) -> Path:
    """Do the stage `train` of this run's workspace, or say that it is up to date; return its folder.

    The seed rules of mining are knowledge here: nobody learnt them from the sample. Where the rules of the
    workspace ask questions, what mining was answered of the training dialogues is evidence like their words.
    `force` and `replace` are those of `runs.stage.Stage`.

    Raises
    ------
    KdslError
        If an input is missing, wrong or leaks.
    """
    from kdsl_cli.commands.console import current_argv, current_output
    from kdsl_cli.commands.extract.rule_questions import questions_in
    from kdsl_cli.commands.extract.training_data import load_seed_rules, load_training_data
    from kdsl_cli.commands.workspace.layout import current_workspace
    from kdsl_cli.runs.stage import Stage

    space, rule_files = current_workspace(), settings.mine.seed_rules
    questions = questions_in(space.rules_out)
    data = load_training_data(space, settings, answered=bool(questions))
    rules = load_seed_rules(space, rule_files, data.catalogue)
    val, val_files = _validation(space, data.catalogue, questions)
    stage = Stage(
        "train",
        space.large_out,
        config={**shaping_options(settings), "questions": questions},
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
        _train(stage, data, rules, questions, val, settings.train.seed)
    return stage.out


def shaping_options(settings: Settings) -> dict[str, Any]:
    """Return the options that shape the model, for its stage's key."""
    return {"large": settings.train.large, "knowledge": list(settings.mine.seed_rules)}


def _validation(
    space: Workspace, catalogue: Catalogue, questions: Questions
) -> tuple[tuple[Labelled, ...], tuple[Path, ...]]:
    """Return the validation split and its files, both empty if it was not drawn or not extracted.

    Its answers are there as far as somebody had them fetched.
    """
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.extract.rule_questions import answers_of
    from kdsl_cli.dialogues.splits import load_split
    from kdsl_cli.evidence.answers import read_answers, with_answers
    from kdsl_cli.evidence.labelled import labelled
    from kdsl_cli.evidence.table import read_facts
    from kdsl_cli.runs.inputs import require_success

    path, evidence = space.split_dialogues("val"), space.evidence("val")
    if not (path.is_file() and evidence.is_file()):
        return (), ()
    require_success(space.evidence_out, command="kdsl extract --split val", only=[evidence.name])
    dialogues = load_split(space.data, "val")
    answers, short = answers_of(space, "val", questions) if questions else ((), ())
    if short:
        current_output().note(f"the score on val is without answers: {short[0]}")
    facts = with_answers(read_facts([evidence], [each.id for each in dialogues]), read_answers(answers))
    return labelled(dialogues, facts, catalogue, str(path)), (path, evidence, *answers)


def _answered(task: Labelled, questions: Questions) -> tuple[str, ...]:
    """Return the questions of a task's rules that some training dialogue has an answer to."""
    known = {question for dialogue in task.dialogues for question in dialogue.facts.answers}
    return tuple(question for question in questions.get(task.task.name, ()) if question in known)


def _train(
    stage: Stage,
    data: TrainingData,
    rules: dict[str, list[Rule]],
    questions: Questions,
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
                train(
                    task,
                    rules.get(task.task.name, ()),
                    questions=_answered(task, questions),
                    seed=seed,
                    tell=bar.advance,
                )
                for task in tasks
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
        "questions": len(one.model.features.questions),
        "temperature": one.model.classifier.temperature,
        "out_of_fold": asdict(one.quality),
        "val": None if of_val is None else asdict(of_val),
    }
