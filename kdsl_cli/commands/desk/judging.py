"""Rules held against dialogues as ``kdsl predict`` would hold them, without asking any model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl_cli.commands.desk.opening import find_catalogue
from kdsl_cli.commands.workspace.layout import current_workspace
from kdsl_cli.commands.workspace.splits import dialogues_in
from kdsl_cli.errors import StageError

if TYPE_CHECKING:
    from kdsl_cli.commands.desk.opening import Material
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.logic.rule import RuleBase
    from kdsl_cli.prediction.gathering import Gathered
    from kdsl_cli.prediction.predict import LargeSide
    from kdsl_cli.prediction.settling import Settled
    from kdsl_cli.prediction.table import Prediction
    from kdsl_cli.runs.manifest import Manifest

Intents = Mapping[str, tuple[str, ...]]
Bases = Mapping[str, "RuleBase"]


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Decides with any rules. As it is, the rules decide alone.

    Attributes
    ----------
    material
        The dialogues.
    intents
        Of each task, in the catalogue's order.
    joint
        What the joint decision stands on. None: there is none.
    hears
        Whether the large model learnt from answers to what the rules ask, so that ``kdsl run`` trains it anew
        where they ask otherwise.
    """

    material: Material
    intents: Intents
    joint: Joint | None = None
    hears: bool = False

    def decide(self, bases: Bases) -> list[Prediction]:
        """Return a row a dialogue."""
        from kdsl_cli.prediction.predict import LargeSide, predict_all

        dialogues = [one for one in self.material.dialogues if one.task in self.intents]
        tasks = {one.task for one in dialogues}
        intents = {task: names for task, names in self.intents.items() if task in tasks}
        return predict_all(
            dialogues,
            self.material.facts,
            intents,
            split=self.material.where,
            rules=bases,
            large=self.joint.side if self.joint else LargeSide(),
            settled=self.joint.settle(bases, intents) if self.joint else _alone(intents),
            without_evidence="",  # material holds only dialogues with facts
        )

    def told(self) -> str:
        """Return in words who decides."""
        return self.joint.told if self.joint else "the rules decide alone"


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """The joint decision that was predicted before: what the large model said, and how weights are learnt.

    Attributes
    ----------
    side
        The large model, as the predictions remember it.
    strategy, override_precision
        As they were when it was predicted.
    gathered
        What the weights are learnt from; its rules are not looked at.
    labels
        Intent of each training dialogue, by id.
    told
        In words, for people.
    again
        The command that would decide so anew.
    """

    side: LargeSide
    strategy: str
    override_precision: float
    gathered: Gathered
    labels: Mapping[str, str]
    told: str
    again: str

    def settle(self, bases: Bases, intents: Intents) -> dict[str, Settled]:
        """Return how each task is decided with these rules, just as a prediction would."""
        from kdsl_cli.prediction.settling import settle_all

        return settle_all(
            self.strategy,
            intents,
            replace(self.gathered, rules=bases),
            self.labels,
            large=self.side.ask.keys(),
            override_precision=self.override_precision,
        )


def _alone(intents: Intents) -> dict[str, Settled]:
    from kdsl_cli.prediction.settling import Settled

    return {task: Settled("rules") for task in intents}


def intents_of(
    settings: Settings, bases: Iterable[RuleBase], named: Path | None = None, files: Iterable[Path] = ()
) -> dict[str, tuple[str, ...]]:
    """Return the intents of each task of rules: the catalogue's, or without one those that the rules name.

    `named` and `files` are those of `opening.find_catalogue`.

    Raises
    ------
    DatasetError
        If the catalogue does not have a task.
    RuleFileError
        If it does not have an intent that a rule is for.
    """
    from kdsl_cli.errors import Problem, RuleFileError, did_you_mean

    known = find_catalogue(named, files, settings)
    found: dict[str, dict[str, None]] = {}
    for base in bases:
        spoken = [rule.intent for rule in base.active] + list(base.starts)
        found.setdefault(base.task, {}).update(dict.fromkeys(spoken))
    if known is None:
        return {task: tuple(names) for task, names in found.items()}
    of_task = {task: known.task(task).names for task in found}
    problems = [
        Problem(f"{task}.yaml", f"unknown intent '{name}'", fix=did_you_mean(name, of_task[task]))
        for task, names in found.items()
        for name in names
        if name not in of_task[task]
    ]
    if problems:
        raise RuleFileError(problems)
    return of_task


def joint_decision(folder: Path, settings: Settings, command: str) -> tuple[Joint, Intents] | None:
    """Return the joint decision that ``kdsl predict`` left in a folder, with the intents; None: it left none.

    `command` is what leaves one there, where another verb did (`runs.inputs.again`).

    Raises
    ------
    StageError
        If it is not whole, or something that it was made from is no longer what it was, rules apart.
    """
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.prediction.foretelling import remembered_side
    from kdsl_cli.prediction.gathering import gather
    from kdsl_cli.prediction.table import read_predictions
    from kdsl_cli.runs.inputs import again, require_success
    from kdsl_cli.runs.manifest import read_manifest

    space, name = current_workspace(), "predictions.parquet"
    if read_manifest(folder) is None:
        return None
    made = require_success(folder, command=command, only=[name])
    anew = f"{again(made, command)} --force"
    catalogue = Catalogue.load(space.path(settings.data.catalogue))
    intents = {task.name: task.names for task in catalogue.tasks}
    _check_as_then(made, folder, {f"{task}.yaml" for task in intents}, anew)
    strategy = made.config["strategy"]
    gathered = gather(strategy, intents, rules=space.rules_out, large=space.large_out, pruned=space.prune_out)
    train = dialogues_in(space.split_dialogues("train")) if gathered.out_of_fold else ()
    joint = Joint(
        remembered_side(read_predictions(folder / name)),
        strategy,
        made.config["override_precision"],
        gathered,
        {one.id: one.label for one in train if one.label},
        f"as in {folder}: {strategy}, with what the large model said there",
        anew,
    )
    return joint, intents


def _check_as_then(made: Manifest, folder: Path, rules: set[str], anew: str) -> None:
    from kdsl_cli.runs.hashing import sha256_file

    for record in made.inputs:
        path = (folder / record.path).resolve()
        if path.name not in rules and not (path.is_file() and sha256_file(path) == record.sha256):
            raise StageError(
                f"{path.name} is not what these predictions were made from",
                where=str(folder),
                fix=f"Run first: {anew}; or look at the rules alone: --rules-only",
            )
