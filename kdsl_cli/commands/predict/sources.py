"""Where ``kdsl predict`` takes dialogues, their facts and their answers from: a split, or any file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.extract.asking import Inquiry, ask, inquire, rows
from kdsl_cli.commands.extract.rule_questions import Questions, answers_of, short
from kdsl_cli.commands.models.small import open_small
from kdsl_cli.commands.workspace.layout import Workspace
from kdsl_cli.commands.workspace.splits import dialogues_in, picture_root
from kdsl_cli.errors import ConfigError, StageError

if TYPE_CHECKING:
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.dialogues.schema import Dialogue
    from kdsl_cli.evidence.extract import Pictures, Seen
    from kdsl_cli.logic.facts import Facts

Known = Mapping[str, Mapping[str, bool]]
"""Answers by dialogue id and question."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to the questions that rules ask, and what shapes them; as it is: none.

    Attributes
    ----------
    files, config
        Go into the key of the stage.
    warnings
        What they are short of.
    known
        Gets them.
    """

    files: tuple[Path, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    known: Callable[[], Known] = dict


@dataclass(frozen=True, slots=True)
class Source:
    """Dialogues, and how to get their facts and answers.

    `split` is what the rows say they are of, `without_evidence` what is said of a dialogue without facts, and
    `root` the folder that names of pictures start from.
    """

    split: str
    dialogues: tuple[Dialogue, ...]
    facts: Callable[[], Mapping[str, Facts]]
    answers: Callable[[Questions], Answers]
    inputs: tuple[Path, ...]
    root: Path
    config: dict[str, Any] = field(default_factory=dict)
    without_evidence: str = ""
    warnings: tuple[str, ...] = ()


def split_source(space: Workspace, split: str, settings: Settings) -> Source:
    """Return a split of the workspace as its extraction left it.

    Raises
    ------
    StageError
        If the split was not drawn, or its evidence is not there or not whole.
    """
    from kdsl_cli.evidence.answers import read_answers
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

    def answers(questions: Questions) -> Answers:
        files, warnings = answers_of(space, split, questions)
        return Answers(files, {}, warnings, lambda: read_answers(files))

    return Source(
        split,
        dialogues_in(path),
        lambda: read_facts([evidence]),
        answers,
        (path, evidence),
        picture_root(space, settings),
        without_evidence=f"there is no evidence of it; run: {extract}",
        warnings=(f"{path} is not the file that was extracted; run again: {extract}",) if stale else (),
    )


def file_source(path: Path, out: Path, space: Workspace, settings: Settings) -> Source:
    """Return a file of dialogues: its pictures are read when wanted, what was seen in them stays in `out`.

    Raises
    ------
    ConfigError
        If there is no such file.
    """
    from kdsl_cli.dialogues.pictures import relative
    from kdsl_cli.evidence import descriptors
    from kdsl_cli.evidence.extract import find_pictures
    from kdsl_cli.evidence.ocr import engine_id
    from kdsl_cli.runs.hashing import sha256_json

    if not path.is_file():
        raise ConfigError("no such file", where=str(path), fix="Check --input")
    dialogues, root = dialogues_in(path), path.parent
    pictures = find_pictures(dialogues, root)
    contents = sorted([relative(picture, root), sha] for picture, sha in pictures.digests.items())

    def facts() -> Mapping[str, Facts]:
        from kdsl_cli.evidence.extract import facts_of

        seen = _look(pictures, out, settings)
        return {dialogue.id: facts_of(dialogue, root, seen) for dialogue in dialogues}

    def answers(questions: Questions) -> Answers:
        if settings.small.model is None:
            return Answers(warnings=(f"{short(questions, path.name)}; give --small SPEC",))
        inquiry = inquire(questions, dialogues, root)
        return Answers(config=inquiry.config(settings.small), known=lambda: _asked(inquiry, space, settings))

    config = {
        "engine": engine_id(settings.extract.max_side),
        "descriptors": descriptors.VERSION,
        "pictures": sha256_json(contents),
    }
    return Source("input", dialogues, facts, answers, (path,), root, config)


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


def _asked(inquiry: Inquiry, space: Workspace, settings: Settings) -> Known:
    """Ask the small model, and return what it can tell."""
    from kdsl_cli.evidence.answers import decided
    from kdsl_cli.evidence.questions import Questioner

    with closing(open_small(settings.small, space, "predict")) as model:
        questioner = Questioner(model)
        if ended := ask(inquiry, questioner):
            current_output().warn(ended)
    return decided((id, question, answer.value) for id, question, answer in rows(inquiry, questioner))
