"""``kdsl predict``: decide on a split, or on any file of dialogues; no earlier stage opens the test split."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from kdsl_cli.commands.console import current_argv, current_output
from kdsl_cli.commands.workspace import Workspace, current_workspace
from kdsl_cli.errors import CheckFailed, ConfigError, StageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kdsl_cli.commands.settings import PredictSettings, Settings
    from kdsl_cli.dialogues.schema import Dialogue
    from kdsl_cli.evidence.extract import Pictures, Seen
    from kdsl_cli.logic.facts import Facts
    from kdsl_cli.prediction.arbiter import Floats
    from kdsl_cli.prediction.gathering import Gathered
    from kdsl_cli.prediction.predict import AskLarge
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
    input: Annotated[
        Path | None,
        typer.Option(help="New dialogues (JSONL) in place of a split's; with --out.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the result, if another one.", show_default=False)
    ] = None,
    max_failed: Annotated[
        float, typer.Option(min=0, max=1, help="Exit with 1 if a larger share of the rows failed.")
    ] = 0.05,
    force: Annotated[bool, typer.Option("--force", help="Predict anew, whatever the folder holds.")] = False,
) -> None:
    """Let rules and the large model decide together, and say of each dialogue who did."""
    from kdsl_cli.commands.settings_sources import current_settings

    settings = current_settings(
        {"predict.strategy": strategy, "predict.override_precision": override_precision}
    )
    asked = _Asked(settings, rules, large, force)
    if input is None:
        split = split or "test"
        out = out or current_workspace().predict_out(split)
        table = _predict(_split_source(current_workspace(), split), asked, out)
    elif out is None or split is not None:
        fix = f"Say: kdsl predict --input {input} --out FOLDER"
        raise ConfigError("comes with --out and without --split", where="--input", fix=fix)
    else:
        table = _predict(_file_source(input, out, settings), asked, out)
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
    return _predict(_split_source(space, split), asked, space.predict_out(split))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for; folders of rules and model are None where they are the workspace's."""

    settings: Settings
    rules: Path | None = None
    large: Path | None = None
    force: bool = False
    replace: bool = False


@dataclass(frozen=True, slots=True)
class _Source:
    """Dialogues, and how to get their facts.

    `split` is what the rows say they are of, `without_evidence` what is said of a dialogue without facts.
    """

    split: str
    dialogues: tuple[Dialogue, ...]
    facts: Callable[[], Mapping[str, Facts]]
    inputs: tuple[Path, ...]
    config: dict[str, Any] = field(default_factory=dict)
    without_evidence: str = ""
    warnings: tuple[str, ...] = ()


def _split_source(space: Workspace, split: str) -> _Source:
    from kdsl_cli.evidence.table import read_facts
    from kdsl_cli.runs.hashing import sha256_file
    from kdsl_cli.runs.inputs import require_success

    path, evidence, extract = (
        space.split_dialogues(split),
        space.evidence(split),
        f"kdsl extract --split {split}",
    )
    if not path.is_file():
        raise StageError("no such file", where=str(path), fix="Run: kdsl data split")
    if not evidence.is_file():
        raise StageError(
            f"there is no evidence of the split '{split}'", where=str(evidence), fix=f"Run: {extract}"
        )
    made = require_success(space.evidence_out, command=extract, only=[evidence.name])
    read_from = {(space.evidence_out / record.path).resolve(): record.sha256 for record in made.inputs}
    stale = read_from.get(path.resolve(), "") != sha256_file(path)
    return _Source(
        split,
        _dialogues(path),
        lambda: read_facts([evidence]),
        (path, evidence),
        without_evidence=f"there is no evidence of it; run: {extract}",
        warnings=(f"{path} is not the file that was extracted; run again: {extract}",) if stale else (),
    )


def _file_source(path: Path, out: Path, settings: Settings) -> _Source:
    from kdsl_cli.dialogues.pictures import relative
    from kdsl_cli.evidence import descriptors
    from kdsl_cli.evidence.extract import find_pictures
    from kdsl_cli.evidence.ocr import engine_id
    from kdsl_cli.runs.hashing import sha256_json

    if not path.is_file():
        raise ConfigError("no such file", where=str(path), fix="Check --input")
    dialogues, root = _dialogues(path), path.parent
    pictures = find_pictures(dialogues, root)
    contents = sorted([relative(picture, root), sha] for picture, sha in pictures.digests.items())

    def facts() -> Mapping[str, Facts]:
        from kdsl_cli.evidence.extract import facts_of

        seen = _look(pictures, out, settings)
        return {dialogue.id: facts_of(dialogue, root, seen) for dialogue in dialogues}

    config = {
        "engine": engine_id(settings.extract.max_side),
        "descriptors": descriptors.VERSION,
        "pictures": sha256_json(contents),
    }
    return _Source("input", dialogues, facts, (path,), config)


def _look(pictures: Pictures, out: Path, settings: Settings) -> Seen:
    """Read the pictures that were not read before; what was seen in them stays in `out`."""
    from kdsl_cli.evidence.extract import read_into, reading_task, seen_in, to_read
    from kdsl_cli.evidence.ocr import engine_id
    from kdsl_cli.evidence.store import Store
    from kdsl_cli.evidence.workers import cores
    from kdsl_cli.runs.signals import stopping

    max_side, output = settings.extract.max_side, current_output()
    engine = engine_id(max_side)
    with Store(out / "observations.jsonl") as store:
        todo = to_read(pictures, store, engine)
        if todo:
            with stopping() as stop, output.progress("Reading pictures", len(todo), "pictures") as bar:
                read_into(
                    store,
                    todo,
                    reading_task(max_side),
                    workers=settings.extract.workers or cores(),
                    stop=lambda: stop.requested,
                    progress=lambda done, total: bar.advance(),
                )
        return seen_in(pictures, store, engine)


def _dialogues(path: Path) -> tuple[Dialogue, ...]:
    from kdsl_cli.dialogues.readers.options import ReaderOptions
    from kdsl_cli.dialogues.readers.reading import read

    lenient = ReaderOptions(check_pictures=False)  # a missing picture is a fact that is not known
    return read(path, format="canonical", options=lenient, max_errors=0).dialogues


def _predict(source: _Source, asked: _Asked, out: Path) -> PredictionTable:
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
    learnt_from = (*gathered.out_of_fold, train) if gathered.out_of_fold else ()
    stage = Stage(
        "predict",
        out,
        config={"split": source.split, **options.resolved(), **source.config},
        config_given=options.given(),
        inputs=[*source.inputs, catalogue, *gathered.rule_files, *gathered.large_files, *learnt_from],
        argv=current_argv(),
        force=asked.force,
        replace=asked.replace,
    )
    if stage.up_to_date():
        current_output().note(f"{out}: up to date")
        return read_predictions(out / _PREDICTIONS)
    labels = {one.id: one.label for one in _dialogues(train) if one.label} if learnt_from else {}
    return _run(stage, source, gathered, intents, labels, options)


def _run(
    stage: Stage,
    source: _Source,
    gathered: Gathered,
    intents: dict[str, tuple[str, ...]],
    labels: dict[str, str],
    options: PredictSettings,
) -> PredictionTable:
    from kdsl_cli.prediction.predict import predict_all
    from kdsl_cli.prediction.settling import settle_all
    from kdsl_cli.prediction.table import write_predictions
    from kdsl_cli.runs.atomic import write_json

    with stage.run() as run:
        run.warnings.extend(source.warnings)
        with run.phase("settle"):
            large = _asking(gathered.large, intents) if gathered.large is not None else {}
            tasks = {one.task for one in source.dialogues}
            settled = settle_all(
                options.strategy,
                {task: names for task, names in intents.items() if task in tasks},
                gathered,
                labels,
                large=large,
                override_precision=options.override_precision,
            )
        run.warnings.extend(note for one in settled.values() for note in one.notes)
        with run.phase("evidence"):
            facts = source.facts()
        with run.phase("predict"):
            rows = predict_all(
                source.dialogues,
                facts,
                intents,
                split=source.split,
                rules=gathered.rules,
                large=large,
                settled=settled,
                without_evidence=source.without_evidence,
            )
        failed = sum(row.error is not None for row in rows)
        run.count(total=len(rows), ok=len(rows) - failed, failed=failed)
        run.extra["unread"] = sorted(row.id for row in rows if row.error is None and facts[row.id].unread)
        arbiter = {
            "schema": "kdsl.arbiter/1",
            "strategy": options.strategy,
            "tasks": {task: one.record() for task, one in settled.items()},
        }
        write_json(run.output(stage.out / _ARBITER), arbiter)
        return write_predictions(run.output(stage.out / _PREDICTIONS), rows, intents)


def _asking(folder: Path, intents: Mapping[str, tuple[str, ...]]) -> dict[str, AskLarge]:
    """Return how to ask the large model about each task that it knows."""
    from kdsl_cli.prediction.outoffold import difference
    from kdsl_cli.prediction.predict import in_chunks
    from kdsl_cli.training.storage import load

    model = load(folder)
    known = {task: names for task, names in model.intents.items() if task in intents}
    for task, names in known.items():
        if told := difference(task, names, intents[task]):
            raise StageError(told, where=str(folder), fix="Run: kdsl train-large --force")

    def of_task(task: str) -> AskLarge:
        def ask(facts: Sequence[Facts]) -> Floats:
            with current_output().progress(f"Asking about {task}", len(facts), "dialogues") as bar:
                return in_chunks(lambda some: model.scores(task, some), bar.advance)(facts)

        return ask

    return {task: of_task(task) for task in known}


def _report(table: PredictionTable, out: Path, max_failed: float) -> None:
    """Say what the files say: the same for a run just done and for one that is up to date."""
    from kdsl_cli.prediction.summary import render, summarise
    from kdsl_cli.runs.manifest import read_manifest

    manifest, output = read_manifest(out), current_output()
    assert manifest is not None  # the stage wrote it, or was up to date by it
    for text in manifest.warnings:
        output.warn(text)
    unread, place = manifest.extra.get("unread", []), str(out / _PREDICTIONS)
    told = summarise(table)
    files = {"predictions": place, "arbiter": str(out / _ARBITER)}
    output.result(render(told, unread, place), {**told, "unread": unread, "files": files}, place)
    n, failed = table.frame.height, len(told["failed"])
    if failed > max_failed * n:
        raise CheckFailed(
            f"{failed} of {n} dialogues could not be decided",
            where=place,
            allowed=f"a share of {max_failed:g} (--max-failed)",
            fix=f"The first: {next(iter(told['failed'].items()))[1]}",
        )
