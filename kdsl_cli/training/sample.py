"""The training sample of each task: dialogues with a label, and who is left out for want of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kdsl_cli.dialogues.catalogue import Catalogue, Task
from kdsl_cli.dialogues.schema import Dialogue
from kdsl_cli.errors import DatasetError, Problem, did_you_mean
from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.indexing import Indexed, index
from kdsl_cli.training.linear import Truth


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The labelled dialogues of one task, sorted by id; every list has one entry a dialogue."""

    task: Task
    ids: tuple[str, ...]
    dialogues: tuple[Indexed, ...]
    labels: tuple[str, ...]
    groups: tuple[str | None, ...]

    @property
    def truth(self) -> Truth:
        """The labels as places in the catalogue's order."""
        places = {name: place for place, name in enumerate(self.task.names)}
        return np.array([places[label] for label in self.labels], dtype=np.int64)

    @property
    def without_sample(self) -> tuple[str, ...]:
        """The intents that no dialogue is labelled with."""
        return tuple(name for name in self.task.names if name not in self.labels)


def samples(
    dialogues: Sequence[Dialogue], facts: Mapping[str, Facts], catalogue: Catalogue, where: str
) -> tuple[Sample, ...]:
    """Return one sample a task, in the catalogue's order; dialogues without a label are in none.

    Parameters
    ----------
    facts
        Of each labelled dialogue, by id.
    where
        The file of the dialogues, for messages.

    Raises
    ------
    DatasetError
        Naming each dialogue whose task or label the catalogue does not have.
    """
    labelled = sorted((each for each in dialogues if each.label is not None), key=lambda each: each.id)
    problems = [problem for each in labelled if (problem := _unknown(each, catalogue, where))]
    if problems:
        raise DatasetError(problems)
    return tuple(
        _sample(task, [d for d in labelled if d.task == task.name], facts) for task in catalogue.tasks
    )


def _sample(task: Task, own: Sequence[Dialogue], facts: Mapping[str, Facts]) -> Sample:
    return Sample(
        task,
        tuple(each.id for each in own),
        tuple(index(facts[each.id]) for each in own),
        tuple(each.label for each in own if each.label is not None),
        tuple(each.group for each in own),
    )


def _unknown(dialogue: Dialogue, catalogue: Catalogue, where: str) -> Problem | None:
    place = f"{where}:{dialogue.id}"
    if dialogue.task not in catalogue.names:
        near = did_you_mean(dialogue.task, catalogue.names)
        what = f"the catalogue has no task '{dialogue.task}'"
        return Problem(place, what, ", ".join(catalogue.names), near)
    names = catalogue.task(dialogue.task).names
    if dialogue.label is None or dialogue.label in names:
        return None
    near = did_you_mean(dialogue.label, names)
    return Problem(place, f"the task has no intent '{dialogue.label}'", ", ".join(names), near)
