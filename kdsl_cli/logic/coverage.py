"""What each rule does on labelled dialogues: how often it fires, how often rightly, and beside whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        Columns as in `SCHEMA`. `fired`, `unknown`: dialogues where the rule is true, unknown. `labelled`,
        `correct`: firings on dialogues with a label, and with the rule's intent as label. `precision`,
        `precision_low`: of the labelled firings; null if there are none. `recall`: share of the intent's
        dialogues; null if it has none. `overlaps`, `conflicts`: firings beside a rule of the same intent,
        of another intent. Disabled rules are counted as they would fire, but not as somebody's neighbour.

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
    votes = _votes(rules, true)
    total = sum(votes.values(), np.zeros(len(labels), dtype=np.int64))
    known = np.array([label is not None for label in labels], dtype=bool)
    rows = []
    for place, rule in enumerate(rules):
        mine = true[:, place]
        of_intent = np.array([label == rule.intent for label in labels], dtype=bool)
        labelled, correct = int((mine & known).sum()), int((mine & of_intent).sum())
        same = votes[rule.intent] - (mine & rule.active)
        other = total - votes[rule.intent]
        row = {
            "rule": rule.id,
            "intent": rule.intent,
            "status": rule.status,
            "fired": int(mine.sum()),
            "unknown": int((fired[:, place] == -1).sum()),
            "labelled": labelled,
            "correct": correct,
            "precision": correct / labelled if labelled else None,
            "precision_low": lower_bound(correct, labelled) if labelled else None,
            "recall": correct / int(of_intent.sum()) if of_intent.any() else None,
            "overlaps": int((mine & (same > 0)).sum()),
            "conflicts": int((mine & (other > 0)).sum()),
        }
        rows.append(row)
    return pl.DataFrame(rows, schema=SCHEMA)


def _votes(rules: Sequence[Rule], true: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[np.int64]]:
    """Count, for each intent, the active rules that fire on each dialogue."""
    votes = {rule.intent: np.zeros(len(true), dtype=np.int64) for rule in rules}
    for place, rule in enumerate(rules):
        if rule.active:
            votes[rule.intent] += true[:, place]
    return votes
