"""Likely mislabelled dialogues, from scores that did not see them: confident learning.

After Northcutt, Jiang & Chuang (2021), "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR.
An intent's threshold is the mean probability that dialogues labelled with it get of it. A dialogue belongs
confidently to the likeliest of the intents whose threshold it reaches; where that is not its label, it is
suspect. So an intent that is seldom sure of anything does not make suspects of all its dialogues. They are
ranked by the margin: the probability of the label less that of the best other intent.

The package cleanlab finds the same in the same order (version 2.9.0, ``find_label_issues`` with ``filter_by=
"confident_learning"``, ``return_indices_ranked_by="normalized_margin"``, ``min_examples_per_class=0``); it
brings pandas for what is a few lines of NumPy here.

One thing is ours. Wrong labels are rare; two intents that are taken for each other often, and both ways, are
hard to tell apart rather than mislabelled. Their suspects are marked, and come after the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from kdsl_cli.prediction.arbiter import Floats
from kdsl_cli.prediction.held_out import HeldOut
from kdsl_cli.prediction.weighing import Truth

OFTEN: Final = 0.1
"""Share of an intent's dialogues that belong confidently to another one, from which on it is no accident."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A dialogue whose label is likely wrong.

    Attributes
    ----------
    id, task, label
        As in the data.
    suggested
        The intent that it confidently belongs to.
    p_label, p_suggested
        Their probabilities, both sides together.
    margin
        Probability of the label less that of the best other intent, -1 to 1; the lower, the more suspect.
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
    margin: float
    rules: str | None
    large: str | None
    confusable: bool = False

    @property
    def against(self) -> int:
        """How many sides, asked alone, say another intent than the label."""
        return sum(said is not None and said != self.label for said in (self.rules, self.large))


def suspects(said: HeldOut, task: str, intents: Sequence[str]) -> tuple[Suspect, ...]:
    """Return the suspects of a task: the most suspect first, those of confusable intents last."""
    belongs, margin = confident(said.together, said.truth), margins(said.together, said.truth)
    often = _often(belongs, said.truth, len(intents))
    rows = np.flatnonzero((belongs >= 0) & (belongs != said.truth))
    both_ways = often & often.T
    found = [
        _suspect(
            said,
            task,
            intents,
            row,
            int(belongs[row]),
            float(margin[row]),
            bool(both_ways[said.truth[row], belongs[row]]),
        )
        for row in rows.tolist()
    ]
    return tuple(sorted(found, key=lambda one: (one.confusable, one.margin, one.id)))


def _often(belongs: Truth, truth: Truth, k: int) -> npt.NDArray[np.bool_]:
    """Return (k, k) bool: whether dialogues labelled i belong confidently to j often."""
    counts = np.zeros((k, k))
    known = belongs >= 0
    np.add.at(counts, (truth[known], belongs[known]), 1)
    support = np.bincount(truth, minlength=k)[:, None]
    return np.asarray(counts >= np.maximum(OFTEN * support, 2))


def confident(scores: Floats, truth: Truth) -> npt.NDArray[np.int64]:
    """Return the intent that each row confidently belongs to; -1: none reaches its threshold.

    Parameters
    ----------
    scores
        (n, k) probabilities that did not see the row.
    truth
        (n,) columns of the labels.

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.5, 0.5]])
    >>> confident(scores, np.array([0, 1, 1, 1])).tolist()
    [0, -1, 1, -1]
    """
    n, k = scores.shape
    thresholds = np.ones(k)
    for intent in range(k):
        own = scores[truth == intent, intent]
        if len(own):  # without a sample nothing is known of it, and nothing suggested
            thresholds[intent] = own.mean()
    reached = np.where(scores >= thresholds - 1e-9, scores, -1.0)
    best = reached.argmax(axis=1)
    return np.where(reached[np.arange(n), best] >= 0, best, -1)


def margins(scores: Floats, truth: Truth) -> Floats:
    """Return (n,) probabilities of the labels less those of the best other intents.

    Examples
    --------
    >>> margins(np.array([[0.75, 0.25], [0.5, 0.5]]), np.array([1, 0])).tolist()
    [-0.5, 0.0]
    """
    rows = np.arange(len(truth))
    others = scores.copy()
    others[rows, truth] = -np.inf
    return np.asarray(scores[rows, truth] - others.max(axis=1, initial=-np.inf))


def _suspect(
    said: HeldOut,
    task: str,
    intents: Sequence[str],
    row: int,
    belongs: int,
    margin: float,
    confusable: bool,
) -> Suspect:
    scores = said.together[row]
    return Suspect(
        said.ids[row],
        task,
        intents[said.truth[row]],
        intents[belongs],
        float(scores[said.truth[row]]),
        float(scores[belongs]),
        margin,
        None if said.rules is None or said.silent[row] else intents[int(said.rules[row].argmax())],
        None if said.large is None else intents[int(said.large[row].argmax())],
        confusable,
    )
