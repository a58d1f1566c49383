"""The questions that rules ask, put to the small model: the second half of ``kdsl extract``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl_cli.commands.console import current_argv, current_output
from kdsl_cli.commands.extract.asking import Inquiry, ask, inquire, rows
from kdsl_cli.commands.extract.rule_questions import Questions, answers_of, questions_here
from kdsl_cli.commands.models.small import open_small
from kdsl_cli.commands.workspace.layout import Workspace, current_workspace
from kdsl_cli.commands.workspace.splits import dialogues_in, picture_root, with_earlier

if TYPE_CHECKING:
    from kdsl_cli.commands.workspace.settings import Settings, SmallSettings
    from kdsl_cli.evidence.answers import Row
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
    questions = questions_here(space, rules)
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
    split_of: Mapping[str, str]
    inquiry: Inquiry
    stage: Stage


def _job(
    space: Workspace,
    settings: Settings,
    splits: Sequence[str],
    questions: Questions,
    force: bool,
    replace: bool,
) -> _Job:
    from kdsl_cli.runs.manifest import read_manifest
    from kdsl_cli.runs.stage import Stage

    dialogues = {name: dialogues_in(space.split_dialogues(name)) for name in splits}
    everything = [one for each in dialogues.values() for one in each]
    inquiry = inquire(questions, everything, picture_root(space, settings))
    config, found = inquiry.config(settings.small), read_manifest(space.answers_out)
    stage = Stage(
        "ask",
        space.answers_out,
        config={"splits": list(splits), **config},
        config_given=settings.small.given(),
        inputs=[space.split_dialogues(name) for name in splits],
        argv=current_argv(),
        force=force,
        # More questions or splits only add to what is remembered; another model gives other answers.
        replace=replace or (found is not None and found.config.get("small") == config["small"]),
    )
    split_of = {one.id: name for name, each in dialogues.items() for one in each}
    return _Job(space, settings.small, split_of, inquiry, stage)


def _work(job: _Job) -> None:
    from kdsl_cli.evidence.answers import write_answers
    from kdsl_cli.evidence.questions import Questioner

    job.stage.check()
    # What was answered before is given up once there is a model to answer.
    with closing(open_small(job.options, job.space, "extract")) as model, job.stage.run() as run:
        outs = {name: run.output(job.space.answers(name)) for name in job.stage.config["splits"]}
        questioner, identity = Questioner(model), dict(model.identity)
        with run.phase("ask"):
            ended = ask(job.inquiry, questioner)
        run.extra |= {"model": identity, "calls": model.tally.calls, "known": model.tally.cached}
        for told in (ended, _other_model(job.space, identity)):
            if told:
                run.warn(told)
        answers = rows(job.inquiry, questioner)
        _remember(run, answers)
        for name, out in outs.items():
            write_answers(out, [row for row in answers if job.split_of[row[0]] == name], identity)


def _remember(run: StageRun, answers: Sequence[Row]) -> None:
    failed = [(id, question, answer.error) for id, question, answer in answers if answer.error is not None]
    run.count(total=len(answers), ok=len(answers) - len(failed), failed=len(failed))
    run.extra["undecided"] = sum(answer.value is None and answer.error is None for _, _, answer in answers)
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
