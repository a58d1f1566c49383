"""What rules say of dialogues, for prompts: in training by rules that were not learnt from the dialogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl_cli.commands.workspace.layout import Workspace
from kdsl_cli.errors import StageError

if TYPE_CHECKING:
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.evidence.labelled import Labelled
    from kdsl_cli.logic.facts import Facts
    from kdsl_cli.logic.rule import Rule, RuleBase
    from kdsl_cli.mining.table import Findings

Notes = Mapping[str, tuple[str, ...]]
"""Sentences by the dialogue's id."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What the rules say of training and validation dialogues.

    Attributes
    ----------
    train, val
        Sentences. A mined rule stands in `train` only as the searches found it that did not see the
        dialogue's fold; in `val` rules stand as prediction will have them.
    rules
        By task, what prediction will have.
    files
        All that this was made of.
    """

    train: Notes
    val: Notes
    rules: Mapping[str, RuleBase]
    files: tuple[Path, ...]


def rule_notes(space: Workspace, settings: Settings, catalogue: Catalogue) -> Noted:
    """Return what the workspace's rule files say of its dialogues.

    Raises
    ------
    StageError
        If there are no rules, evidence is missing, or rules were mined and the miner's files are not those of
        this training split.
    RuleFileError
        If a rule file is wrong.
    """
    from kdsl_cli.commands.extract.training_data import load_training_data
    from kdsl_cli.logic.codec import load_rules

    paths = {task.name: space.rules(task.name) for task in catalogue.tasks}
    found = {task: path for task, path in paths.items() if path.is_file()}
    if not found:
        raise StageError("no rule files", where=str(space.rules_out), fix="Run: kdsl export-rules")
    rules = {task: load_rules(path, intents=catalogue.task(task).names) for task, path in found.items()}
    data = load_training_data(space, settings, answered=True)  # as the rules were found
    mined, files = _mined(space, rules)
    train: dict[str, tuple[str, ...]] = {}
    for one in data.labelled:
        if one.task.name in rules:
            train |= _of_train(one, rules[one.task.name].rules, mined.get(one.task.name), settings)
    val, val_files = _of_val(space, rules)
    return Noted(train, val, rules, (*data.files, *found.values(), *files, *val_files))


def _of_val(
    space: Workspace, rules: Mapping[str, RuleBase]
) -> tuple[dict[str, tuple[str, ...]], tuple[Path, ...]]:
    """Return what prediction would say of validation dialogues, and from which file; both empty without."""
    from kdsl_cli.commands.workspace.splits import dialogues_in
    from kdsl_cli.evidence.table import read_facts
    from kdsl_cli.runs.inputs import require_success
    from kdsl_cli.training.lora.samples.noting import notes

    path, evidence = space.split_dialogues("val"), space.evidence("val")
    if not path.is_file():
        return {}, ()
    require_success(space.evidence_out, command="kdsl extract --split val", only=[evidence.name])
    facts = {fact.id: fact for fact in _unasked(read_facts([evidence]).values())}
    told: dict[str, tuple[str, ...]] = {}
    dialogues = dialogues_in(path)
    for task, base in rules.items():
        ids = [one.id for one in dialogues if one.task == task and one.id in facts]
        told |= zip(ids, notes(base.rules, [facts[id] for id in ids]), strict=True)
    return told, (evidence,)


def _of_train(
    labelled: Labelled, rules: Sequence[Rule], findings: Findings | None, settings: Settings
) -> dict[str, tuple[str, ...]]:
    from kdsl_cli.commands.mine.prune import prune_settings
    from kdsl_cli.mining.keeping import as_rules
    from kdsl_cli.mining.learning import kept_without
    from kdsl_cli.training.lora.samples.noting import notes, notes_out_of_fold

    facts = list(_unasked(dialogue.facts for dialogue in labelled.dialogues))
    written = [rule for rule in rules if not _was_mined(rule)]
    if findings is None:
        return dict(zip(labelled.ids, notes(written, facts), strict=True))
    if findings.ids != labelled.ids:
        fix = "Run: kdsl mine-rules --force"
        raise StageError(f"rules of {findings.task} were mined from other dialogues", fix=fix)
    by_fold = {}
    for fold, kept in enumerate(kept_without(findings, labelled.dialogues, prune_settings(settings.prune))):
        sample = findings.sample.without(fold)
        by_fold[fold] = [*written, *as_rules(kept, sample, findings.ids, run="", seed=0)]
    folds = [
        next(fold for fold, mask in enumerate(findings.sample.folds) if mask >> place & 1)
        for place in range(len(findings.ids))
    ]
    return dict(zip(labelled.ids, notes_out_of_fold(by_fold, folds, facts), strict=True))


def _mined(space: Workspace, rules: Mapping[str, RuleBase]) -> tuple[dict[str, Findings], tuple[Path, ...]]:
    """Return what the miner left of each task with mined rules, and its files."""
    from kdsl_cli.commands.mine.prune import check_same_data
    from kdsl_cli.mining.table import read_findings
    from kdsl_cli.runs.inputs import require_success

    tasks = {task for task, base in rules.items() if any(map(_was_mined, base.rules))}
    if not tasks:
        return {}, ()
    files = (space.candidates, space.mined_sample)
    manifest = require_success(space.mine_out, command="kdsl mine-rules", only=[path.name for path in files])
    check_same_data(space, manifest)
    return {one.task: one for one in read_findings(*files) if one.task in tasks}, files


def _was_mined(rule: Rule) -> bool:
    return rule.provenance is not None and rule.provenance.proposer not in (None, "seed")


def _unasked(facts: Iterable[Facts]) -> list[Facts]:
    """Return facts without answers of the small model: prediction shows none to the large one."""
    return [replace(fact, answers={}) for fact in facts]
