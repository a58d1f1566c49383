"""What a model in training says of samples it does not learn: asked as in prediction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from kdsl_cli.errors import BackendError
from kdsl_cli.metrics import accuracy, log_loss, weighted_f1
from kdsl_cli.training.calibration import probabilities
from kdsl_cli.training.lora.adapters.adapting import Adapted
from kdsl_cli.training.lora.answers.calibrating import Held
from kdsl_cli.training.lora.answers.model import TunedModel
from kdsl_cli.training.lora.samples.samples import Sample
from kdsl_cli.training.lora.steps.processes import World
from kdsl_cli.training.quality import Quality

VALIDATION = -1
"""The fold of the validation split."""


def held_out(
    model: TunedModel,
    adapted: Adapted,
    samples: Sequence[Sample],
    fold: int,
    world: World,
    tell: Callable[[float], None] = lambda done: None,
) -> list[Held]:
    """Return what the model says of labelled samples that it did not learn.

    Parameters
    ----------
    model
        What answers: the model in training, asked as a tuned one is.
    adapted
        The same as it learns.
    samples
        Of any tasks.
    fold
        Which they are; `VALIDATION` for the validation split.
    world
        The processes that share the work.
    tell
        Called after each batch with its number of samples.

    Raises
    ------
    BackendError
        If one of them cannot be scored.
    """
    own = [
        sample
        for task in dict.fromkeys(sample.task for sample in samples)
        for sample in world.share([sample for sample in samples if sample.task == task])
    ]
    with adapted.judging():
        found = asked(model, own, fold, tell)
    whole = {one.id: one for one in world.whole(found)}
    return [whole[sample.id] for sample in samples]


def asked(
    model: TunedModel,
    samples: Sequence[Sample],
    fold: int,
    tell: Callable[[float], None] = lambda done: None,
) -> list[Held]:
    """Return the same of a model that learns no more, task by task.

    Raises
    ------
    BackendError
        If one of them cannot be scored.
    """
    found = []
    for task in dict.fromkeys(sample.task for sample in samples):
        own = [sample for sample in samples if sample.task == task]
        notes = {sample.id: sample.notes for sample in own}
        told = model.told(task, [sample.dialogue for sample in own], notes, tell)
        for sample, said in zip(own, told, strict=True):
            if said.logprobs is None:
                raise BackendError(f"cannot be scored: {said.error}", where=sample.id)
            place = model.intents[task].index(sample.right.name)
            found.append(Held(sample.id, task, fold, said.logprobs, place))
    return found


def by_task(
    held: Sequence[Held], intents: Mapping[str, Sequence[str]], temperatures: Mapping[str, float]
) -> dict[str, Quality]:
    """Return how well scores tell the labels of each task that has some.

    Parameters
    ----------
    intents
        Names of each task's intents.
    temperatures
        By task; 1 where none is named.

    Examples
    --------
    >>> held = [Held("a", "t", -1, (0.0, -9.0), 0), Held("b", "t", -1, (0.0, -9.0), 1)]
    >>> found = by_task(held, {"t": ("x", "y")}, {})["t"]
    >>> found.n, round(found.weighted_f1, 3), found.accuracy
    (2, 0.333, 0.5)
    """
    found = {}
    for task in dict.fromkeys(one.task for one in held):
        own = [one for one in held if one.task == task]
        names, truth = intents[task], [one.label for one in own]
        scores = probabilities(np.array([one.logprobs for one in own]), temperatures.get(task, 1.0))
        predicted = [names[place] for place in scores.argmax(axis=1)]
        labels = [names[place] for place in truth]
        found[task] = Quality(
            len(own), weighted_f1(labels, predicted), accuracy(labels, predicted), log_loss(scores, truth)
        )
    return found


def overall(qualities: Iterable[Quality]) -> tuple[float, float]:
    """Return weighted F1 and log loss, each the mean over the samples of all tasks.

    Examples
    --------
    >>> overall([Quality(3, 1.0, 1.0, 0.5), Quality(1, 0.0, 0.0, 2.5)])
    (0.75, 1.0)
    """
    known = [(one.n, one.weighted_f1 or 0.0, one.log_loss or 0.0) for one in qualities]
    n = sum(count for count, _, _ in known)
    return sum(count * f1 for count, f1, _ in known) / n, sum(count * loss for count, _, loss in known) / n
