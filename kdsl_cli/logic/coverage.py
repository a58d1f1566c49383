"""What each rule does on labelled dialogues: how often it fires, how often rightly, and beside whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from kdsl_cli.logic.rule import Rule
from kdsl_cli.metrics import precision_low

LowerBound = Callable[[int, int], float | None]
"""From right firings and all firings to a lower bound of the precision; None if it never fired."""

SCHEMA: Final = {
    "rule": pl.String,
    "intent": pl.String,
    "against": pl.Boolean,
    "status": pl.String,
    "fired": pl.Int64,
    "unknown": pl.Int64,
    "labelled": pl.Int64,
    "correct": pl.Int64,
    "precision": pl.Float64,
    "precision_low": pl.Float64,
    "recall": pl.Float64,
    "overlaps": pl.Int64,
    "conflicts": pl.Int64,
}


def coverage(
    rules: Sequence[Rule],
    fired: npt.NDArray[np.int8],
    labels: Sequence[str | None],
    lower_bound: LowerBound = precision_low,
) -> pl.DataFrame:
    """Count each rule's firings; rows in the order of the rules.

    Parameters
    ----------
    rules
        The rules, as given to `firing_matrix`.
    fired
        (n_dialogues, n_rules) int8 of `firing_matrix`.
    labels
        Intent of each dialogue; None if not known.
    lower_bound
        See `LowerBound`.

    Returns
    -------
    DataFrame
        Columns as in `SCHEMA`. `against`: the rule's weight is negative, and it is right where the label is
        another intent. `fired`, `unknown`: dialogues where the rule is true, unknown. `labelled`, `correct`:
        firings on dialogues with a label, and rightly so. `precision`, `precision_low`: of the labelled
        firings; null if there are none. `recall`: share of the intent's dialogues; null if it has none, or
        against. `overlaps`, `conflicts`: firings beside a rule that says the same, beside one that cannot be
        right as well. Disabled rules are counted as they would fire, but not as somebody's neighbour.

    Raises
    ------
    ValueError
        If the matrix has another shape than dialogues and rules.
    """
    if fired.shape != (len(labels), len(rules)):
        raise ValueError(
            f"the matrix is {fired.shape}, but there are {len(labels)} labels and {len(rules)} rules"
        )
    true = fired == 1
    votes = _Votes.of(rules, true)
    known = np.array([label is not None for label in labels], dtype=bool)
    rows = []
    for place, rule in enumerate(rules):
        mine = true[:, place]
        of_intent = np.array([label == rule.intent for label in labels], dtype=bool)
        right = known & ~of_intent if rule.against else of_intent
        labelled, correct = int((mine & known).sum()), int((mine & right).sum())
        same, other = votes.beside(rule)
        row = {
            "rule": rule.id,
            "intent": rule.intent,
            "against": rule.against,
            "status": rule.status,
            "fired": int(mine.sum()),
            "unknown": int((fired[:, place] == -1).sum()),
            "labelled": labelled,
            "correct": correct,
            "precision": correct / labelled if labelled else None,
            "precision_low": lower_bound(correct, labelled) if labelled else None,
            "recall": correct / int(of_intent.sum()) if of_intent.any() and not rule.against else None,
            "overlaps": int((mine & (same - (mine & rule.active) > 0)).sum()),
            "conflicts": int((mine & (other > 0)).sum()),
        }
        rows.append(row)
    return pl.DataFrame(rows, schema=SCHEMA)


@dataclass(frozen=True, slots=True)
class _Votes:
    """How many active rules fire on each dialogue, for and against each intent, and for any."""

    speaking: Mapping[tuple[str, bool], npt.NDArray[np.int64]]
    total: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rules: Sequence[Rule], true: npt.NDArray[np.bool_]) -> _Votes:
        nobody = np.zeros(len(true), dtype=np.int64)
        speaking = {(rule.intent, against): nobody.copy() for rule in rules for against in (False, True)}
        for place, rule in enumerate(rules):
            if rule.active:
                speaking[rule.intent, rule.against] += true[:, place]
        return cls(speaking, sum((n for (_, against), n in speaking.items() if not against), nobody))

    def beside(self, rule: Rule) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Count the rules that say the same as one does, itself included, and those that contradict it.

        "Not a refund" and "a parcel" can both be right.
        """
        for_it, against_it = self.speaking[rule.intent, False], self.speaking[rule.intent, True]
        if rule.against:
            return against_it, for_it
        return for_it, self.total - for_it + against_it
