"""The labelled dialogues of each task with their facts: what rules are mined from and models trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kdsl_cli.dialogues.catalogue import Catalogue, Task
from kdsl_cli.dialogues.schema import Dialogue
from kdsl_cli.errors import DatasetError, Problem, did_you_mean
from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.indexing import Indexed, index


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """The labelled dialogues of one task, sorted by id; every list has one entry a dialogue."""

    task: Task
    ids: tuple[str, ...]
    dialogues: tuple[Indexed, ...]
    labels: tuple[str, ...]
    groups: tuple[str | None, ...]

    @property
    def truth(self) -> npt.NDArray[np.int64]:
        """The labels as places in the catalogue's order."""
        places = {name: place for place, name in enumerate(self.task.names)}
        return np.array([places[label] for label in self.labels], dtype=np.int64)

    @property
    def without_sample(self) -> tuple[str, ...]:
        """The intents that no dialogue is labelled with."""
        return tuple(name for name in self.task.names if name not in self.labels)


def labelled(
    dialogues: Sequence[Dialogue], facts: Mapping[str, Facts], catalogue: Catalogue, where: str
) -> tuple[Labelled, ...]:
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
    known = sorted((each for each in dialogues if each.label is not None), key=lambda each: each.id)
    problems = [problem for each in known if (problem := _unknown(each, catalogue, where))]
    if problems:
        raise DatasetError(problems)
    return tuple(_sample(task, [d for d in known if d.task == task.name], facts) for task in catalogue.tasks)


def _sample(task: Task, own: Sequence[Dialogue], facts: Mapping[str, Facts]) -> Labelled:
    return Labelled(
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
