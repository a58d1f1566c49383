"""What rules, and the model that learnt beside them, ask of a dialogue, and how much of it is answered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl_cli.commands.workspace.layout import Workspace

if TYPE_CHECKING:
    from kdsl_cli.logic.rule import RuleBase

Questions = Mapping[str, Sequence[str]]
"""By task, the questions that its rules ask; a task that asks none is not in it."""


def questions_in(folder: Path) -> Questions:
    """Return what the rule files in a folder ask.

    Raises
    ------
    RuleFileError
        If one of them is wrong.
    """
    from kdsl_cli.logic.codec import load_rules

    return questions_of(load_rules(path) for path in sorted(folder.glob("*.yaml")))


def questions_of(bases: Iterable[RuleBase]) -> Questions:
    """Return what the rules of some tasks ask."""
    from kdsl_cli.evidence.questions import asked_by

    return {base.task: list(asked) for base in bases if (asked := asked_by(base.rules))}


def questions_here(space: Workspace, rules: Path | None = None) -> Questions:
    """Return what the rules of a workspace ask, and what its large model was to hear of when it learnt.

    Parameters
    ----------
    rules
        Folder of the rule files. None: the workspace's.
    """
    from kdsl_cli.runs.manifest import read_manifest

    made = read_manifest(space.large_out)
    heard: Questions = made.config.get("questions", {}) if made and made.status == "success" else {}
    return merged(questions_in(rules or space.rules_out), heard)


def merged(first: Questions, second: Questions) -> Questions:
    """Return the questions of both, each once, sorted.

    Examples
    --------
    >>> merged({"talk": ["Red?"]}, {"talk": ["Red?", "New?"], "scene": ["Torn?"]})
    {'talk': ['New?', 'Red?'], 'scene': ['Torn?']}
    """
    tasks = dict.fromkeys([*first, *second])
    return {task: sorted({*first.get(task, ()), *second.get(task, ())}) for task in tasks}


def answers_of(
    space: Workspace, split: str, questions: Questions
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Return the file of a split's answers, if a finished stage left it whole, and what it is short of.

    What is short is no error: the rules that ask are unknown there, and the others decide.
    """
    from kdsl_cli.runs.hashing import sha256_file
    from kdsl_cli.runs.inputs import changed_outputs
    from kdsl_cli.runs.manifest import read_manifest

    out, path, dialogues = space.answers_out, space.answers(split), space.split_dialogues(split)
    again = f"run: kdsl extract --split {split} --small SPEC"
    made = read_manifest(out)
    if made is None or made.status != "success" or changed_outputs(out, made, only=[path.name]):
        return (), (f"{short(questions, split)}; {again}",)
    warnings = []
    known: Questions = made.config["questions"]
    missing = {task: set(asked) - set(known.get(task, ())) for task, asked in questions.items()}
    if any(missing.values()):
        warnings.append(f"{short(missing, split)}; {again}")
    read_from = {(out / record.path).resolve(): record.sha256 for record in made.inputs}
    if read_from.get(dialogues.resolve()) != sha256_file(dialogues):
        warnings.append(f"{dialogues} is not the file that was asked about; {again}")
    return (path,), tuple(warnings)


def short(questions: Mapping[str, Collection[str]], where: str) -> str:
    """Return a sentence on how many questions have no answers."""
    number = len({question for asked in questions.values() for question in asked})
    return f"questions of the rules without answers for '{where}', which stay unknown: {number}"
