"""What a model in training says of samples it does not learn: asked as in prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from kdsl_cli.errors import BackendError
from kdsl_cli.metrics import log_loss, weighted_f1
from kdsl_cli.training.calibration import probabilities
from kdsl_cli.training.lora.adapting import Adapted
from kdsl_cli.training.lora.calibrating import Held
from kdsl_cli.training.lora.model import TunedModel
from kdsl_cli.training.lora.processes import World
from kdsl_cli.training.lora.samples import Sample

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
    found: dict[str, Held] = {}
    with adapted.judging():
        for task in dict.fromkeys(sample.task for sample in samples):
            own = world.share([sample for sample in samples if sample.task == task])
            notes = {sample.id: sample.notes for sample in own}
            told = model.told(task, [sample.dialogue for sample in own], notes, tell)
            for sample, said in zip(own, told, strict=True):
                if said.logprobs is None:
                    raise BackendError(f"cannot be scored: {said.error}", where=sample.id)
                place = model.intents[task].index(sample.right.name)
                found[sample.id] = Held(sample.id, task, fold, said.logprobs, place)
    whole = {one.id: one for one in world.whole(list(found.values()))}
    return [whole[sample.id] for sample in samples]


def quality(held: Sequence[Held], intents: Mapping[str, Sequence[str]]) -> tuple[float, float]:
    """Return weighted F1 and log loss (nats, at temperature 1), each the mean over the samples of all tasks.

    Examples
    --------
    >>> held = [Held("a", "t", -1, (0.0, -9.0), 0), Held("b", "t", -1, (0.0, -9.0), 1)]
    >>> [round(value, 3) for value in quality(held, {"t": ("x", "y")})]
    [0.333, 2.652]
    """
    f1s, losses = [], []
    for task in dict.fromkeys(one.task for one in held):
        own = [one for one in held if one.task == task]
        logits = np.array([one.logprobs for one in own])
        names, truth = intents[task], [one.label for one in own]
        f1 = weighted_f1([names[place] for place in truth], [names[place] for place in logits.argmax(axis=1)])
        loss = log_loss(probabilities(logits, 1.0), truth)
        assert f1 is not None and loss is not None  # each task has a sample
        f1s += [f1] * len(own)
        losses += [loss] * len(own)
    return float(np.mean(f1s)), float(np.mean(losses))
