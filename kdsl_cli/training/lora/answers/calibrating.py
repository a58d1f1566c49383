"""The temperature of a tuned model, learnt from dialogues that the answering adapter had not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kdsl_cli.training.calibration import Floats, best_temperature, probabilities

if TYPE_CHECKING:
    from kdsl_cli.runs.outoffold import Row


@dataclass(frozen=True, slots=True)
class Held:
    """A labelled dialogue, as an adapter scored it that was tuned without it.

    Attributes
    ----------
    id, task
        Of the dialogue.
    fold
        In which it was held out; -1 for the validation split.
    logprobs
        Log-likelihood of each intent (`model.Told.logprobs`).
    label
        Place of the right intent.
    """

    id: str
    task: str
    fold: int
    logprobs: tuple[float, ...]
    label: int


def temperatures(held: Sequence[Held]) -> dict[str, float]:
    """Return the temperature of each task that was held out, by the least log loss."""
    return {
        task: best_temperature(
            _logits(rows := [one for one in held if one.task == task]),
            np.array([one.label for one in rows], dtype=np.int64),
        )
        for task in dict.fromkeys(one.task for one in held)
    }


def out_of_fold(held: Sequence[Held]) -> list[Row]:
    """Return the rows of `oof.parquet`: each dialogue's probabilities at its task's temperature."""
    learnt = temperatures(held)
    return [
        (one.id, one.task, one.fold, probabilities(_logits([one]), learnt[one.task])[0].tolist())
        for one in held
    ]


def _logits(held: Sequence[Held]) -> Floats:
    return np.array([one.logprobs for one in held], dtype=np.float64)
