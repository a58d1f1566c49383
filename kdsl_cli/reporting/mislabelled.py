"""Likely mislabelled dialogues, from scores that did not see them.

A dialogue is suspect if both sides together say another intent than its label, and the more so the less
probability they leave to the label: its self-confidence (Northcutt, Jiang & Chuang 2021, "Confident Learning:
Estimating Uncertainty in Dataset Labels", JAIR). The package cleanlab gives the same list in the same order
(version 2.9.0, ``find_label_issues`` with ``filter_by="predicted_neq_given"``, ``return_indices_ranked_by=
"self_confidence"``, ``min_examples_per_class=0``); it brings pandas for what is a few lines of NumPy here.

One thing is ours. Wrong labels are rare; two intents that are taken for each other often, and both ways, are
hard to tell apart rather than mislabelled. Their suspects are marked, and come after the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from kdsl_cli.prediction.held_out import HeldOut
from kdsl_cli.prediction.weighing import Truth

OFTEN: Final = 0.1
"""Share of an intent's dialogues that are taken for another one, from which on it is no accident."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A dialogue whose label is likely wrong.

    Attributes
    ----------
    id, task, label
        As in the data.
    suggested
        What both sides together say it is.
    p_label, p_suggested
        Their probabilities; the lower that of the label, the more suspect.
    rules, large
        What each side says on its own. None: it is silent, or was not asked.
    confusable
        Whether label and suggestion are taken for each other often, both ways (`OFTEN`).
    """

    id: str
    task: str
    label: str
    suggested: str
    p_label: float
    p_suggested: float
    rules: str | None
    large: str | None
    confusable: bool = False

    @property
    def against(self) -> int:
        """How many sides, asked alone, say another intent than the label."""
        return sum(said is not None and said != self.label for said in (self.rules, self.large))


def suspects(said: HeldOut, task: str, intents: Sequence[str]) -> tuple[Suspect, ...]:
    """Return the suspects of a task: the most suspect first, those of confusable intents last."""
    taken_for = said.together.argmax(axis=1)
    often = _often(said.truth, taken_for, len(intents))
    found = []
    for row in np.flatnonzero(taken_for != said.truth).tolist():
        label, other = int(said.truth[row]), int(taken_for[row])
        rules = None if said.rules is None or said.silent[row] else intents[int(said.rules[row].argmax())]
        found.append(
            Suspect(
                said.ids[row],
                task,
                intents[label],
                intents[other],
                float(said.together[row, label]),
                float(said.together[row, other]),
                rules,
                None if said.large is None else intents[int(said.large[row].argmax())],
                bool(often[label, other] and often[other, label]),
            )
        )
    return tuple(sorted(found, key=suspicion))


def suspicion(one: Suspect) -> tuple[bool, float, str]:
    """Return what suspects are sorted by."""
    return one.confusable, one.p_label, one.id


def _often(truth: Truth, taken_for: Truth, k: int) -> npt.NDArray[np.bool_]:
    """Return (k, k) bool: whether dialogues labelled i are taken for j often; once is an accident."""
    counts = np.zeros((k, k))
    np.add.at(counts, (truth, taken_for), 1)
    support = np.bincount(truth, minlength=k)[:, None]
    return np.asarray(counts >= np.maximum(OFTEN * support, 2))
