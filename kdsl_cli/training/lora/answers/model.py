"""A tuned model as it is asked: dialogues in, calibrated probabilities of their task's intents out.

The model is a `Backend`, whichever: in this process, behind a server, or remembered. It is asked how likely
each intent's name is as the answer, which no wording can escape, and what it says is divided by the
temperature that held-out dialogues told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kdsl_cli.backends.backend import Backend, Failed, Method, Scored
from kdsl_cli.dialogues.prompting import Picture, Prompt, intent_prompt
from kdsl_cli.dialogues.schema import Dialogue
from kdsl_cli.training.calibration import Floats, probabilities
from kdsl_cli.training.lora.answers.record import TunedRecord

BATCH: Final = 64
"""Prompts handed to a backend at once: several rounds of what it works on at a time, yet few enough that
progress is seen."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a tuned model says of one dialogue.

    Attributes
    ----------
    logprobs
        Log-likelihood (nats) of each intent's name, in the record's order; minus infinity where the method
        holds it for impossible. None: failed.
    probabilities
        The same calibrated, with sum 1. None: failed.
    method
        How the model was asked. None: failed.
    error
        Why it failed. None: it did not.
    """

    logprobs: tuple[float, ...] | None = None
    probabilities: tuple[float, ...] | None = None
    method: Method | None = None
    error: str | None = None


class TunedModel:
    """A tuned model of all tasks of a record.

    Parameters
    ----------
    record
        What was tuned.
    backend
        Who answers; that it is the model of the record is for whoever opens it to see (`TunedRecord.check`).
    picture
        Finds a picture by the name that dialogues call it.
    """

    def __init__(self, record: TunedRecord, backend: Backend, picture: Callable[[str], Picture]) -> None:
        self._record = record
        self._backend = backend
        self._picture = picture

    @property
    def intents(self) -> dict[str, tuple[str, ...]]:
        """The names of each task's intents, in the order of the scores."""
        return self._record.intents

    def scores(self, task: str, dialogues: Sequence[Dialogue]) -> Floats:
        """Return (n, n_intents) calibrated probabilities; the row of a dialogue that failed is NaN."""
        nothing = (np.nan,) * len(self.intents[task])
        rows = [told.probabilities or nothing for told in self.told(task, dialogues)]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(nothing))

    def told(
        self,
        task: str,
        dialogues: Sequence[Dialogue],
        notes: Mapping[str, Sequence[str]] = {},
        tell: Callable[[float], None] = lambda done: None,
    ) -> list[Told]:
        """Return what the model says of dialogues of one task, in order.

        Parameters
        ----------
        notes
            Sentences shown behind a dialogue, by its id.
        tell
            Called after each batch with its number of dialogues.

        Raises
        ------
        BackendError
            If nothing can be answered at all.
        """
        told = []
        for start in range(0, len(dialogues), BATCH):
            some = dialogues[start : start + BATCH]
            prompts = [self.prompt(one, notes.get(one.id, ())) for one in some]
            told += [self._told(task, row) for row in self._backend.score(prompts, self.intents[task])]
            tell(len(some))
        return told

    def prompt(self, dialogue: Dialogue, notes: Sequence[str] = ()) -> Prompt:
        """Return what the model is asked of a dialogue: to the byte what it was tuned on."""
        return intent_prompt(
            dialogue,
            self._record.task(dialogue.task).choices,
            self._picture,
            described=self._record.described,
            notes=notes,
        )

    def _told(self, task: str, row: Scored | Failed) -> Told:
        if isinstance(row, Failed):
            return Told(error=row.reason)
        known = logits(row.logprobs)
        calibrated = probabilities(known[None], self._record.task(task).temperature)[0]
        return Told(tuple(known.tolist()), tuple(calibrated.tolist()), row.method)


def logits(logprobs: Sequence[float | None]) -> Floats:
    """Return log-likelihoods of all choices, where a method may tell some of them only.

    What probability is left by those that are told is shared evenly by the others.

    Examples
    --------
    >>> logits((-1.0, -2.0)).tolist()
    [-1.0, -2.0]
    >>> np.exp(logits((float(np.log(0.5)), None, None))).round(2).tolist()
    [0.5, 0.25, 0.25]
    >>> logits((0.0, None)).tolist()
    [0.0, -inf]
    """
    known = np.array([np.nan if value is None else value for value in logprobs], dtype=np.float64)
    untold = np.isnan(known)
    if untold.any():
        left = max(0.0, 1.0 - float(np.exp(known[~untold]).sum()))
        with np.errstate(divide="ignore"):
            known[untold] = np.log(left / untold.sum())
    return known
