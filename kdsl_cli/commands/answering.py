"""The questions that rules ask, put to the small model: the second half of ``kdsl extract``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl_cli.commands.console import current_argv, current_output
from kdsl_cli.commands.rule_questions import Questions, answers_of, questions_in
from kdsl_cli.commands.small import open_small, shaping
from kdsl_cli.commands.splits import dialogues_in, picture_root, with_earlier
from kdsl_cli.commands.workspace import Workspace, current_workspace

if TYPE_CHECKING:
    from kdsl_cli.commands.settings import Settings, SmallSettings
    from kdsl_cli.dialogues.schema import Dialogue
    from kdsl_cli.evidence.answers import Row
    from kdsl_cli.evidence.questions import Questioner, Shown
    from kdsl_cli.runs.manifest import Manifest
    from kdsl_cli.runs.recording import StageRun
    from kdsl_cli.runs.stage import Stage

_NAMED = 10  # failed answers in the manifest; all of them are in the files, in the column `error`


def answer_questions(
    settings: Settings,
    splits: Sequence[str],
    *,
    rules: Path | None = None,
    retry_failed: bool = False,
    force: bool = False,
    replace: bool = False,
) -> Manifest | None:
    """Do the stage `ask` on splits of this run's workspace, or say that it is up to date.

    Where no small model is named, say how many questions stay unknown.

    Parameters
    ----------
    rules
        Folder of the rule files. None: the workspace's.
    retry_failed
        Whether to ask again where no answer came, though nothing else changed.
    force, replace
        Those of `runs.stage.Stage`.

    Returns
    -------
    Manifest | None
        Of the stage; None if nothing is asked, or nobody is named who answers.

    Raises
    ------
    KdslError
        If a rule file, a split or the model cannot be opened.
    """
    from kdsl_cli.runs.manifest import read_manifest

    space, output = current_workspace(), current_output()
    questions = questions_in(rules or space.rules_out)
    if not questions:
        return None
    if settings.small.model is None:
        for text in (text for split in splits for text in answers_of(space, split, questions)[1]):
            output.warn(text)
        return None
    job = _job(space, settings, with_earlier(splits, space, space.answers_out), questions, force, replace)
    before = read_manifest(job.stage.out)
    if job.stage.up_to_date() and not (retry_failed and before and before.counts.failed):
        output.note(f"{job.stage.out}: up to date")
    else:
        _work(job)
    made = read_manifest(job.stage.out)
    assert made is not None  # `run` wrote it, or `up_to_date` read it
    for text in made.warnings:
        output.warn(text)
    return made


@dataclass(frozen=True, slots=True)
class _Job:
    space: Workspace
    options: SmallSettings
    dialogues: Mapping[str, Sequence[Dialogue]]
    shown: Mapping[str, Shown]
    questions: Questions
    stage: Stage


def _job(
    space: Workspace,
    settings: Settings,
    splits: Sequence[str],
    questions: Questions,
    force: bool,
    replace: bool,
) -> _Job:
    from kdsl_cli.dialogues import prompting
    from kdsl_cli.evidence.extract import find_pictures
    from kdsl_cli.evidence.questions import PROMPT_VERSION
    from kdsl_cli.evidence.showing import shown
    from kdsl_cli.runs.hashing import sha256_json
    from kdsl_cli.runs.manifest import read_manifest
    from kdsl_cli.runs.stage import Stage

    root, options = picture_root(space, settings), settings.small
    dialogues = {name: dialogues_in(space.split_dialogues(name)) for name in splits}
    everything = [one for each in dialogues.values() for one in each if one.task in questions]
    pictures = find_pictures(everything, root)
    small, found = shaping(options), read_manifest(space.answers_out)
    stage = Stage(
        "ask",
        space.answers_out,
        config={
            "splits": list(splits),
            "questions": questions,
            "small": small,
            "budget": [options.max_calls, options.max_tokens],
            "prompts": [prompting.VERSION, PROMPT_VERSION],
            "pictures": sha256_json(sorted(pictures.digests.values())),
        },
        config_given=options.given(),
        inputs=[space.split_dialogues(name) for name in splits],
        argv=current_argv(),
        force=force,
        # More questions or splits only add to what is remembered; another model gives other answers.
        replace=replace or (found is not None and found.config.get("small") == small),
    )
    return _Job(space, options, dialogues, shown(everything, root, pictures), questions, stage)


def _work(job: _Job) -> None:
    from kdsl_cli.evidence.answers import write_answers
    from kdsl_cli.evidence.questions import Questioner

    with job.stage.run() as run:
        outs = {name: run.output(job.space.answers(name)) for name in job.dialogues}
        with closing(open_small(job.options, job.space, "extract")) as model:
            questioner, identity = Questioner(model), dict(model.identity)
            with run.phase("ask"):
                if spent := ask_all(questioner, _asked(job)):
                    run.warn(f"{spent}: what was not asked stays unknown")
            run.extra |= {"model": identity, "calls": model.tally.calls, "known": model.tally.cached}
        if told := _other_model(job.space, identity):
            run.warn(told)
        rows = {name: list(_rows(job, questioner, name)) for name in job.dialogues}
        _remember(run, [row for each in rows.values() for row in each])
        for name, out in outs.items():
            write_answers(out, rows[name], identity)


def ask_all(questioner: Questioner, asked: Sequence[tuple[Sequence[str], Sequence[Shown]]]) -> str | None:
    """Ask questions about dialogues, set by set; return what ended it early if the budget did.

    Raises
    ------
    BackendError
        If the model can answer nothing at all.
    KeyboardInterrupt
        If it was stopped; what was answered is remembered, and the same command goes on.
    """
    from kdsl_cli.backends.budget import BudgetSpent
    from kdsl_cli.runs.signals import stopping

    output = current_output()
    total = sum(len(questioner.missing(questions, shown)) for questions, shown in asked)
    note = "stopping after the questions in work; Ctrl-C again stops at once"
    with (
        stopping(on_request=lambda: output.note(note)) as stop,
        output.progress("Asking the small model", total, "answers") as bar,
    ):

        def tell(done: int) -> None:
            bar.advance(done)
            stop.raise_if_requested()

        try:
            for questions, shown in asked:
                questioner.ask_many(questions, shown, tell)
        except BudgetSpent as spent:
            return spent.problems[0].what
    return None


def _asked(job: _Job) -> list[tuple[Sequence[str], list[Shown]]]:
    """Return the questions of each task with the dialogues that they are asked about."""
    dialogues = [one for each in job.dialogues.values() for one in each]
    return [
        (asked, [job.shown[one.id] for one in dialogues if one.task == task])
        for task, asked in job.questions.items()
    ]


def _rows(job: _Job, questioner: Questioner, split: str) -> Iterator[Row]:
    for task, asked in job.questions.items():
        own = [one.id for one in job.dialogues[split] if one.task == task]
        told = questioner.told(asked, [job.shown[id] for id in own])
        for question, answers in zip(asked, told, strict=True):
            yield from ((id, question, answer) for id, answer in zip(own, answers, strict=True))


def _remember(run: StageRun, rows: Sequence[Row]) -> None:
    failed = [(id, question, answer.error) for id, question, answer in rows if answer.error is not None]
    run.count(total=len(rows), ok=len(rows) - len(failed), failed=len(failed))
    run.extra["undecided"] = sum(answer.value is None and answer.error is None for _, _, answer in rows)
    run.extra["failures"] = failed[:_NAMED]


def _other_model(space: Workspace, identity: Mapping[str, str]) -> str | None:
    """Return a sentence if the rules were mined with the answers of another model."""
    from kdsl_cli.evidence.answers import answered_by

    if not space.mined_answers.is_file():
        return None
    then = answered_by(space.mined_answers)
    other = sorted(name for name in then.keys() | identity.keys() if then.get(name) != identity.get(name))
    return f"the rules were mined with answers of another model: other {', '.join(other)}" if other else None


def answer_lines(made: Manifest, space: Workspace) -> list[str]:
    """Return the stage's manifest as lines of text."""
    counts, told = made.counts, made.extra
    questions = {question for asked in made.config["questions"].values() for question in asked}
    lines = [
        f"{counts.total} answers to {len(questions)} questions of the rules: {told['undecided']} undecided, "
        f"{counts.failed} failed; {told['calls']} calls to the model, {told['known']} answers known before",
        *(f"  failed: {id}: {question}: {reason}" for id, question, reason in told["failures"]),
    ]
    if counts.failed > len(told["failures"]):
        more = counts.failed - len(told["failures"])
        lines.append(f"  and {more} more: the column error of the files in {space.answers_out}")
    return lines
