"""`kdsl extract`: read every picture of the dialogues, keep what is seen, write the facts of each split.

Then what the rules ask is put to the small model (`answering`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kdsl_cli.commands.console import current_argv, current_output
from kdsl_cli.commands.models.small import (
    MaxCallsOption,
    MaxMinutesOption,
    MaxTokensOption,
    QuantOption,
    small_given,
)
from kdsl_cli.commands.workspace.layout import SPLITS, Workspace, current_workspace
from kdsl_cli.commands.workspace.splits import dialogues_in, picture_root, with_earlier
from kdsl_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kdsl_cli.commands.workspace.settings import ExtractSettings, Settings
    from kdsl_cli.dialogues.schema import Dialogue
    from kdsl_cli.evidence.extract import Pictures, Seen
    from kdsl_cli.evidence.store import Store
    from kdsl_cli.runs.stage import Stage


def command(
    split: Annotated[str, typer.Option(help="Splits to extract, separated by commas.")] = ",".join(SPLITS),
    workers: Annotated[
        int | None,
        typer.Option(help="Pictures read at once; one for each core by default.", show_default=False),
    ] = None,
    max_side: Annotated[
        int | None,
        typer.Option(help="Longest side, in pixels, at which text is looked for.", show_default=False),
    ] = None,
    small: Annotated[
        str | None,
        typer.Option(help="Model that answers the questions of the rules.", show_default=False),
    ] = None,
    quant: QuantOption = None,
    max_calls: MaxCallsOption = None,
    max_tokens: MaxTokensOption = None,
    max_minutes: MaxMinutesOption = None,
    rules: Annotated[
        Path | None,
        typer.Option(help="Folder of the rules that ask; rules by default.", show_default=False),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try pictures and questions again that failed before.")
    ] = False,
    max_failed: Annotated[
        float,
        typer.Option(min=0, max=1, help="Largest share of failed pictures or answers with exit code 0."),
    ] = 0.05,
    force: Annotated[
        bool, typer.Option("--force", help="Replace evidence that other settings made.")
    ] = False,
) -> None:
    """Read the pictures and texts of the dialogues into facts, and answer what the rules ask of them."""
    from kdsl_cli.commands.extract.answering import answer_questions
    from kdsl_cli.commands.extract.report import report
    from kdsl_cli.commands.workspace.settings_sources import current_settings

    given: dict[str, Any] = {
        "extract.workers": workers,
        "extract.max_side": max_side,
        **small_given(small, quant, max_calls, max_tokens, max_minutes),
    }
    settings = current_settings(given)
    asked = [word.strip() for word in split.split(",")]
    if rules is not None and not rules.is_dir():
        raise ConfigError("no such folder", where=str(rules), fix="Check --rules")
    job = _see(settings, asked, retry_failed, force, replace=False)
    answered = answer_questions(settings, asked, rules=rules, retry_failed=retry_failed, force=force)
    report(job.space, job.counted, answered, max_failed)


def extract(
    settings: Settings,
    splits: Sequence[str],
    *,
    retry_failed: bool = False,
    max_failed: float = 0.05,
    force: bool = False,
    replace: bool = False,
) -> None:
    """Do the stage `extract` on splits of this run's workspace, or say that it is up to date.

    The questions of rules are a stage of their own (`answering.answer_questions`).
    `force` and `replace` are those of `runs.stage.Stage`.

    Raises
    ------
    KdslError
        If an input is missing or wrong; CheckFailed if a larger share of the pictures failed.
    """
    from kdsl_cli.commands.extract.report import report

    job = _see(settings, splits, retry_failed, force, replace)
    report(job.space, job.counted, None, max_failed)


def _see(settings: Settings, splits: Sequence[str], retry_failed: bool, force: bool, replace: bool) -> _Job:
    space = current_workspace()
    names, root = with_earlier(splits, space, space.evidence_out), picture_root(space, settings)
    job = _job(space, names, root, settings.extract, force, replace)
    if job.stage.up_to_date() and not retry_failed:
        current_output().note("up to date")
    else:
        _work(job, settings.extract.workers, retry_failed)
    return job


@dataclass(frozen=True, slots=True)
class _Job:
    space: Workspace
    root: Path
    dialogues: dict[str, tuple[Dialogue, ...]]
    pictures: Pictures
    engine: str
    max_side: int
    stage: Stage

    @property
    def counted(self) -> dict[str, int]:
        """How many dialogues each split has."""
        return {name: len(each) for name, each in self.dialogues.items()}


def _job(
    space: Workspace, splits: list[str], root: Path, options: ExtractSettings, force: bool, replace: bool
) -> _Job:
    from kdsl_cli.dialogues.pictures import relative
    from kdsl_cli.evidence import descriptors
    from kdsl_cli.evidence.extract import find_pictures
    from kdsl_cli.evidence.ocr import engine_id
    from kdsl_cli.runs.hashing import sha256_json
    from kdsl_cli.runs.manifest import read_manifest
    from kdsl_cli.runs.stage import Stage

    dialogues = {name: dialogues_in(space.split_dialogues(name)) for name in splits}
    pictures = find_pictures((one for each in dialogues.values() for one in each), root)
    contents = sorted([relative(path, root), sha] for path, sha in pictures.digests.items())
    engine = engine_id(options.max_side)
    config: dict[str, Any] = {
        "splits": splits,
        "engine": engine,
        "descriptors": descriptors.VERSION,
        "pictures": sha256_json(contents),
    }
    found = read_manifest(space.evidence_out)
    stage = Stage(
        "extract",
        space.evidence_out,
        config=config,
        config_given=options.given(),
        inputs=[space.split_dialogues(name) for name in splits],
        argv=current_argv(),
        force=force,
        # More dialogues or splits only add to what the store keeps; other settings are another evidence.
        replace=replace or (found is not None and found.config.get("engine") == engine),
    )
    return _Job(space, root, dialogues, pictures, engine, options.max_side, stage)


def _work(job: _Job, workers: int | None, retry_failed: bool) -> None:
    from kdsl_cli.dialogues.pictures import relative
    from kdsl_cli.evidence.extract import seen_in, tally, to_read
    from kdsl_cli.evidence.store import Store

    with job.stage.run() as run:
        outs = {name: run.output(job.space.evidence(name)) for name in job.dialogues}
        # The store is no output: it outlives runs, and its keys say what each of its lines is good for.
        with Store(job.space.observations) as store:
            todo = to_read(job.pictures, store, job.engine, retry_failed=retry_failed)
            if todo:
                with run.phase("read"):
                    _read(job, store, todo, workers)
            seen = seen_in(job.pictures, store, job.engine)
        counted = tally(seen, todo)
        run.count(
            total=counted.ok + counted.failed, ok=counted.ok, failed=counted.failed, cached=counted.cached
        )
        run.extra["failed"] = {
            relative(path, job.root): one.error for path, one in seen.items() if one.error is not None
        }
        with run.phase("write"):
            for name, out in outs.items():
                _write(job, name, out, seen)


def _read(job: _Job, store: Store, todo: dict[str, Path], workers: int | None) -> None:
    from kdsl_cli.evidence.extract import read_into, reading_task
    from kdsl_cli.evidence.workers import cores
    from kdsl_cli.runs.signals import stopping

    output = current_output()
    ask = "stopping after the pictures in work; Ctrl-C again stops at once"
    with (
        stopping(on_request=lambda: output.note(ask)) as stop,
        output.progress("Reading pictures", len(todo), "pictures") as bar,
    ):
        read_into(
            store,
            todo,
            reading_task(job.max_side),
            workers=workers or cores(),
            stop=lambda: stop.requested,
            progress=lambda done, total: bar.advance(),
        )


def _write(job: _Job, split: str, out: Path, seen: Seen) -> None:
    from kdsl_cli.evidence.extract import facts_of, keys_of
    from kdsl_cli.evidence.table import write_facts

    dialogues = job.dialogues[split]
    facts = [facts_of(dialogue, job.root, seen) for dialogue in dialogues]
    write_facts(out, facts, keys_of(dialogues, job.root, seen), {"engine": job.engine})
