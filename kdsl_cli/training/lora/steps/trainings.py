"""A training as such: what it learns in which steps, how far it is, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kdsl_cli.training.lora.adapters.settings import LoraSettings
from kdsl_cli.training.lora.samples.feeding import Step, steps
from kdsl_cli.training.lora.samples.ordering import order
from kdsl_cli.training.lora.samples.samples import Sample
from kdsl_cli.training.lora.steps.checkpoints import Best

Judge = Callable[[], tuple[float, float]]
"""Scores the validation split: weighted F1, and log loss."""


@dataclass(frozen=True, slots=True)
class Training:
    """What one training learns.

    Attributes
    ----------
    name
        ``fold-0``, ..., or ``all``.
    samples, lengths
        All labelled; how many tokens each has.
    checkpoint
        The file to go on from.
    """

    name: str
    samples: Sequence[Sample]
    lengths: Sequence[int]
    checkpoint: Path

    def steps(self, settings: LoraSettings, seed: int) -> list[Step]:
        """Return all its steps."""
        labels = [sample.right.name for sample in self.samples]
        tasks = [sample.task for sample in self.samples]
        orders = (
            order(labels, tasks, epoch, seed, balanced=settings.balanced) for epoch in range(settings.epochs)
        )
        return steps(orders, settings.batch, settings.evaluations)


@dataclass(frozen=True, slots=True)
class Told:
    """How far a training is.

    Attributes
    ----------
    training
        Its name.
    step, steps
        Done, and in all.
    loss
        Of this step.
    samples_per_second
        Since it was started, evaluations included.
    peak_gib
        Memory: the device's, or on a CPU the process's.
    """

    training: str
    step: int
    steps: int
    loss: float
    samples_per_second: float
    peak_gib: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """How a training ended; the weights that did best are in the model.

    Attributes
    ----------
    steps
        Taken.
    best
        After which step the weights are taken, and what they scored. None: the last, nothing was scored.
    """

    steps: int
    best: Best | None
