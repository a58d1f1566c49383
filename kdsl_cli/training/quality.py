"""How well the scores of a model tell the labels of a sample."""

from __future__ import annotations

from dataclasses import dataclass

from kdsl_cli.evidence.labelled import Labelled
from kdsl_cli.metrics import accuracy, log_loss, weighted_f1
from kdsl_cli.training.calibration import Floats


@dataclass(frozen=True, slots=True)
class Quality:
    """How well scores tell the labels of `n` rows: each score None if there is no row."""

    n: int
    weighted_f1: float | None
    accuracy: float | None
    log_loss: float | None


def quality(sample: Labelled, scores: Floats) -> Quality:
    """Return how well (n, n_intents) scores tell the labels of a sample."""
    names = sample.task.names
    predicted = [names[place] for place in scores.argmax(axis=1)]
    return Quality(
        len(sample.labels),
        weighted_f1(sample.labels, predicted),
        accuracy(sample.labels, predicted),
        log_loss(scores, sample.truth.tolist()),
    )
