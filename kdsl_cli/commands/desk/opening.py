"""What the verbs of the desk open: rule files, the catalogue they are held against, dialogues with facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.workspace.layout import SPLITS, Workspace, current_workspace, find_workspace
from kdsl_cli.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from kdsl_cli.commands.predict.sources import Source
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.dialogues.schema import Dialogue
    from kdsl_cli.logic.facts import Facts
    from kdsl_cli.logic.indexing import Indexed
    from kdsl_cli.logic.rule import RuleBase

Split = Literal["train", "val", "test"]

Rules = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[RULES]...", help="Rule files or folders; those of the workspace by default."),
]
CatalogueFile = Annotated[
    Path | None,
    typer.Option("--catalogue", metavar="FILE", help="Tasks and intents, if not the workspace's."),
]
Input = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Dialogues (JSONL) in place of a split's.", show_default=False),
]

CATALOGUE = "intents.yaml"


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule file as it was read."""

    path: Path
    text: str
    base: RuleBase


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Dialogues with their facts, and in words where they are from; one without facts is not among them."""

    where: str
    dialogues: tuple[Dialogue, ...]
    facts: Mapping[str, Facts]

    def of(self, task: str) -> tuple[tuple[Dialogue, ...], tuple[Indexed, ...]]:
        """Return the dialogues of a task, and their facts ready for matching."""
        from kdsl_cli.logic.indexing import index

        own = tuple(one for one in self.dialogues if one.task == task)
        return own, tuple(index(self.facts[one.id]) for one in own)


def rule_files(named: Sequence[Path] | None) -> tuple[RuleFile, ...]:
    """Read rule files; of a folder, all in it. Nothing named: those of the workspace.

    Raises
    ------
    ConfigError
        If there is no such file, or no rule file in a folder.
    RuleFileError
        With everything that is wrong in the first file that cannot be read.
    """
    from kdsl_cli.logic.codec import load_rules

    paths = [path for name in named or [current_workspace().rules_out] for path in _below(name)]
    return tuple(
        RuleFile(path, path.read_text(encoding="utf-8-sig"), base)
        for path in paths
        for base in [load_rules(path)]
    )


def _below(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ConfigError(
            "no such file or folder", where=str(path), fix="Name a rule file or a folder of them"
        )
    found = [one for one in sorted(path.glob("*.yaml")) if one.name != CATALOGUE]
    if not found:
        fix = "Run: kdsl export-rules, or begin one: kdsl rules new INTENT"
        raise ConfigError("no rule file in this folder", where=str(path), fix=fix)
    return found


def find_catalogue(named: Path | None, files: Iterable[Path], settings: Settings) -> Catalogue | None:
    """Return the catalogue that was named, else that of the workspace, else one beside the rules, or None."""
    from kdsl_cli.dialogues.catalogue import Catalogue

    space = find_workspace()
    usual = [space.path(settings.data.catalogue)] if space else []
    beside = [path.parent / CATALOGUE for path in files]
    for path in [named] if named else [*usual, *beside]:
        if named or path.is_file():
            return Catalogue.load(path)
    return None


def open_material(
    settings: Settings,
    bases: Sequence[RuleBase],
    *,
    splits: Sequence[str] = (),
    input: Path | None = None,
    out: Path | None = None,
    mined: bool = True,
) -> Material:
    """Return the dialogues of splits, or of a file whose pictures are read when they were not before.

    Parameters
    ----------
    bases
        Whose questions want answers, as far as there are any.
    splits
        Of the workspace; not looked at with `input`.
    input
        A file of dialogues.
    out
        Where what is seen in the pictures of `input` is kept. None: in the workspace; nowhere without one.
    mined
        Whether answers that mining got count too; ``kdsl predict`` does not know them.

    Raises
    ------
    KdslError
        If a split or the file is not there, not whole, or was not extracted.
    """
    from kdsl_cli.commands.predict.sources import file_source, split_source

    if input is not None:
        space = find_workspace()
        with TemporaryDirectory() as passing:
            keep = out or (space.runs / "desk" if space else Path(passing))
            source = file_source(input, keep, space or Workspace(Path()), settings)
            return _material(input.name, [source], bases)
    space = current_workspace()
    for split in splits:
        if split not in SPLITS:
            fix = did_you_mean(split, SPLITS)
            raise ConfigError(f"unknown split '{split}'", where="--split", allowed=", ".join(SPLITS), fix=fix)
    sources = [split_source(space, split, settings) for split in splits]
    return _material(" and ".join(splits), sources, bases, space if mined else None)


def _material(
    where: str, sources: Sequence[Source], bases: Sequence[RuleBase], space: Workspace | None = None
) -> Material:
    from kdsl_cli.commands.extract.rule_questions import questions_of
    from kdsl_cli.evidence.answers import with_answers

    questions = questions_of(bases)
    facts: dict[str, Facts] = {}
    for source in sources:
        found = with_answers(source.facts(), _mined_answers(space, source.split))
        if questions:
            answers = source.answers(questions)
            found = with_answers(found, answers.known())
            for text in answers.warnings:
                current_output().warn(text)
        facts |= found
        for text in source.warnings:
            current_output().warn(text)
    dialogues = tuple(one for source in sources for one in source.dialogues)
    if without := [one.id for one in dialogues if one.id not in facts]:
        current_output().warn(f"{len(without)} dialogues of {where} have no evidence and are left out")
    return Material(where, tuple(one for one in dialogues if one.id in facts), facts)


def _mined_answers(space: Workspace | None, split: str) -> Mapping[str, Mapping[str, bool]]:
    from kdsl_cli.commands.extract.training_data import mined_answers
    from kdsl_cli.evidence.answers import read_answers

    return read_answers(mined_answers(space)) if space is not None and split == "train" else {}
