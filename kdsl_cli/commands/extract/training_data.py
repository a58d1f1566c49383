"""What every stage that learns opens: the training split, its evidence, the catalogue, and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl_cli.commands.workspace.layout import Workspace
from kdsl_cli.errors import DatasetError, StageError

if TYPE_CHECKING:
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.evidence.labelled import Labelled
    from kdsl_cli.logic.rule import Rule


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Labelled training dialogues by task, and the files they came from.

    `unlabelled` are ids of training dialogues without a label: nothing is learnt from them.
    """

    catalogue: Catalogue
    tasks: tuple[Labelled, ...]
    unlabelled: tuple[str, ...]
    files: tuple[Path, ...]

    @property
    def labelled(self) -> tuple[Labelled, ...]:
        """The tasks that have labelled dialogues."""
        return tuple(task for task in self.tasks if task.labels)


def load_training_data(
    space: Workspace, settings: Settings, split: str = "train", *, answered: bool = False
) -> TrainingData:
    """Open a split to learn from, once its evidence is whole and no leak to another split is known.

    Parameters
    ----------
    answered
        Whether facts hold the answers that mining got from the small model. For stages after it alone.

    Raises
    ------
    LeakError
        If `splits.json` says that the same content stands in two splits.
    StageError
        If the split or its evidence is not there, not whole or older than the split.
    DatasetError
        If no dialogue has a label, or a label or task is not in the catalogue.
    """
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.dialogues.splits import check_leaks, load_split
    from kdsl_cli.evidence.answers import read_answers, with_answers
    from kdsl_cli.evidence.labelled import labelled
    from kdsl_cli.evidence.table import read_facts
    from kdsl_cli.runs.inputs import require_success

    where = space.split_dialogues(split)
    for path in (space.splits, where):
        if not path.is_file():
            raise StageError("no such file", where=str(path), fix="Run: kdsl data split")
    check_leaks(space.splits)
    catalogue_file = space.path(settings.data.catalogue)
    catalogue = Catalogue.load(catalogue_file)
    dialogues = load_split(space.data, split)
    evidence = space.evidence(split)
    require_success(space.evidence_out, command=f"kdsl extract --split {split}", only=[evidence.name])
    facts = read_facts([evidence], [dialogue.id for dialogue in dialogues])
    _check_complete([dialogue.id for dialogue in dialogues], facts, evidence, split)
    answers = mined_answers(space) if answered else ()
    facts = with_answers(facts, read_answers(answers))
    tasks = labelled(dialogues, facts, catalogue, str(where))
    if not any(task.labels for task in tasks):
        raise DatasetError(
            "no dialogue has a label", where=str(where), fix="Label some dialogues, or run: kdsl data import"
        )
    unlabelled = tuple(dialogue.id for dialogue in dialogues if dialogue.label is None)
    files = (where, evidence, *answers, catalogue_file, space.splits)
    return TrainingData(catalogue, tasks, unlabelled, files)


def mined_answers(space: Workspace) -> tuple[Path, ...]:
    """Return the file of answers that mining left; empty if it asked nothing.

    Raises
    ------
    StageError
        If the file is gone or has changed since.
    """
    from kdsl_cli.runs.inputs import require_success
    from kdsl_cli.runs.manifest import read_manifest

    found, name = read_manifest(space.mine_out), space.mined_answers.name
    if found is None or name not in {record.path for record in found.outputs}:
        return ()
    require_success(space.mine_out, command="kdsl mine-rules", only=[name])
    return (space.mined_answers,)


def load_seed_rules(space: Workspace, files: Collection[str], catalogue: Catalogue) -> dict[str, list[Rule]]:
    """Return the rules of some files by task.

    Raises
    ------
    RuleFileError
        If a file is not there, not valid, or of a task or intent that the catalogue does not have.
    """
    from kdsl_cli.errors import RuleFileError, did_you_mean
    from kdsl_cli.logic.codec import load_rules

    rules: dict[str, list[Rule]] = {}
    for name in files:
        path = space.path(name)
        if not path.is_file():
            raise RuleFileError("no such file of seed rules", where=str(path), fix="Check --seed-rules")
        base = load_rules(path)
        if base.task not in catalogue.names:
            raise RuleFileError(
                f"the catalogue has no task '{base.task}'",
                where=str(path),
                allowed=", ".join(catalogue.names),
                fix=did_you_mean(base.task, catalogue.names),
            )
        load_rules(path, intents=catalogue.task(base.task).names)
        rules.setdefault(base.task, []).extend(base.rules)
    return rules


def _check_complete(ids: Collection[str], facts: Collection[str], evidence: Path, split: str) -> None:
    missing = sorted(set(ids) - set(facts))
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise StageError(
            f"no evidence of {shown}", where=str(evidence), fix=f"Run: kdsl extract --split {split}"
        )
