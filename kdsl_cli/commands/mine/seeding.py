"""What seed rules ask, put to the small model before the searches: else those rules would be true nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.extract.asking import Inquiry, ask, rows

if TYPE_CHECKING:
    from kdsl_cli.backends.backend import Backend
    from kdsl_cli.evidence.answers import Row
    from kdsl_cli.evidence.labelled import Labelled
    from kdsl_cli.evidence.questions import Shown
    from kdsl_cli.logic.rule import Rule


def answers_for(
    seeds: Mapping[str, Sequence[Rule]],
    tasks: Sequence[Labelled],
    shown: Mapping[str, Shown],
    backend: Backend,
) -> list[Row]:
    """Return the answers to what the seed rules of each task ask of its labelled training dialogues.

    What the budget does not reach is left out, with a warning.

    Parameters
    ----------
    seeds
        By task.
    tasks
        All of them.
    shown
        The dialogues as the model is shown them, by id.

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
    inquiry = Inquiry(questions, {task.task.name: task.ids for task in tasks}, shown)
    questioner = Questioner(backend)
    if ended := ask(inquiry, questioner):
        current_output().warn(ended)
    return [row for row in rows(inquiry, questioner) if row[2].error is None]


def informed(task: Labelled, answers: Sequence[Row]) -> Labelled:
    """Return a task's dialogues with the answers that are known of each."""
    from kdsl_cli.evidence.answers import decided, with_answers

    known = decided((id, question, answer.value) for id, question, answer in answers)
    facts = with_answers({each.facts.id: each.facts for each in task.dialogues}, known)
    dialogues = [replace(each, facts=facts[each.facts.id]) for each in task.dialogues]
    return replace(task, dialogues=tuple(dialogues))
