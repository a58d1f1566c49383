"""What both sides say together of training dialogues that neither had learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from kdsl_cli.prediction.outoffold import OutOfFold, join
from kdsl_cli.prediction.strategies import Floats, joint_logits
from kdsl_cli.prediction.weighing import Truth, learn_weights


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """n labelled training dialogues of a task with k intents, in the catalogue's order.

    Attributes
    ----------
    ids
        Sorted.
    truth
        Columns of their labels.
    rules, large, together
        (n, k) probabilities, each row from what did not see it. None: that side was not asked.
    silent
        (n,) bool: the rules say nothing.
    """

    ids: tuple[str, ...]
    truth: Truth
    rules: Floats | None
    large: Floats | None
    together: Floats
    silent: np.ndarray[tuple[int], np.dtype[np.bool_]]


def held_out(
    rules: OutOfFold | None,
    large: OutOfFold | None,
    labels: Mapping[str, str],
    task: str,
    intents: tuple[str, ...],
) -> HeldOut:
    """Return what is said of the labelled dialogues of a task that every side at hand knows.

    Both sides are weighed as ``kdsl predict`` weighs them: two weights and k intercepts, learnt on these same
    rows, which is little enough to leave each row's word its own.

    Parameters
    ----------
    rules, large
        What either side said out of fold. None: it is not at hand.
    labels
        Intent of each training dialogue, by id.
    task, intents
        Which task, and its intents in the catalogue's order.

    Raises
    ------
    ValueError
        If no side is at hand.
    """
    if rules is None and large is None:
        raise ValueError("no side has out-of-fold scores")
    even = (1 / len(intents),) * len(intents)
    of_rules = rules.scores.get(task, {}) if rules else None
    of_large = large.scores.get(task, {}) if large else dict.fromkeys(of_rules or {}, even)
    said = OutOfFold({task: of_rules if of_rules is not None else dict.fromkeys(of_large, None)})
    joined = join(said, OutOfFold({task: of_large}), labels, task, intents)
    known = said.scores[task].keys() & of_large.keys() & labels.keys()
    ids = tuple(sorted(id for id in known if of_large[id] is not None and labels[id] in intents))
    weights = learn_weights(joined.rules, joined.large, joined.truth)
    return HeldOut(
        ids,
        joined.truth,
        None if rules is None else softmax(joined.rules, axis=1),
        None if large is None else joined.large,
        softmax(joint_logits(joined.rules, joined.large, weights), axis=1),
        np.array([said.scores[task][id] is None for id in ids], dtype=bool),
    )
