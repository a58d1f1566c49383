"""What seed rules ask, put to the small model before the searches: else those rules would be true nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.extract.asking import ask, inquire, rows
from kdsl_cli.commands.extract.training_data import TrainingData
from kdsl_cli.commands.workspace.layout import Workspace
from kdsl_cli.commands.workspace.splits import dialogues_in, picture_root

if TYPE_CHECKING:
    from kdsl_cli.backends.backend import Backend
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.evidence.answers import Row
    from kdsl_cli.evidence.labelled import Labelled
    from kdsl_cli.logic.rule import Rule


def answers_for(
    seeds: Mapping[str, Sequence[Rule]],
    data: TrainingData,
    settings: Settings,
    space: Workspace,
    backend: Backend,
) -> list[Row]:
    """Return the answers to what the seed rules of each task ask of its labelled training dialogues.

    What the budget does not reach is left out, with a warning.

    Raises
    ------
    BackendError
        If the model can answer nothing at all.
    KeyboardInterrupt
        If it was stopped; what was answered is remembered, and the same command goes on.
    """
    from kdsl_cli.evidence.questions import Questioner, asked_by

    questions = {task: list(asked) for task, rules in seeds.items() if (asked := asked_by(rules))}
    if not questions:
        return []
    labelled = {id for task in data.labelled for id in task.ids}
    dialogues = [one for one in dialogues_in(space.split_dialogues("train")) if one.id in labelled]
    inquiry = inquire(questions, dialogues, picture_root(space, settings))
    questioner = Questioner(backend)
    if ended := ask(inquiry, questioner):
        current_output().warn(ended)
    return [row for row in rows(inquiry, questioner) if row[2].error is None]


def told(task: Labelled, answers: Sequence[Row]) -> Labelled:
    """Return a task's dialogues with the answers that are known of each."""
    from kdsl_cli.evidence.answers import with_answers
    from kdsl_cli.logic.indexing import index

    known: dict[str, dict[str, bool]] = {}
    for id, question, answer in answers:
        if answer.value is not None:
            known.setdefault(id, {})[question] = answer.value
    facts = with_answers({each.facts.id: each.facts for each in task.dialogues}, known)
    dialogues = [index(facts[each.facts.id]) if each.facts.id in known else each for each in task.dialogues]
    return replace(task, dialogues=tuple(dialogues))
