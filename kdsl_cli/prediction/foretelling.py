"""What other rules would decide: predictions again, with what the large model said before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kdsl_cli.logic.facts import Facts
from kdsl_cli.prediction.predict import LargeSide
from kdsl_cli.prediction.strategies import Floats
from kdsl_cli.prediction.table import Prediction, PredictionTable


@dataclass(frozen=True, slots=True)
class Change:
    """A dialogue whose answer changes; None is an abstention, or a failed row.

    Attributes
    ----------
    id, task, label
        As in the data.
    before, after
        The predictions.
    decided_before, decided_after
        By whom: see `table.Prediction`.
    stopped, began
        Rules that fired before alone, and after alone.
    """

    id: str
    task: str
    label: str | None
    before: str | None
    after: str | None
    decided_before: str
    decided_after: str
    stopped: tuple[str, ...]
    began: tuple[str, ...]

    @property
    def effect(self) -> str:
        """`mended`: it becomes right; `broken`: wrong; `other`: neither, or there is no label."""
        if self.label is None or self.label not in (self.before, self.after):
            return "other"
        return "mended" if self.label == self.after else "broken"


def remembered_side(table: PredictionTable) -> LargeSide:
    """Return the large model as predictions remember it: the same numbers, to the last bit.

    A row that failed is one that it has no answer to; why it failed stays as it was told.
    """
    rows = table.frame.select("id", "task", "large_scores", "large_method", "error").rows()
    said = {id: scores for id, _, scores, _, _ in rows if scores is not None}
    tasks = {task for _, task, scores, _, _ in rows if scores is not None}

    def ask(facts: Sequence[Facts]) -> Floats:
        return np.array([said[fact.id] for fact in facts], dtype=np.float64)

    return LargeSide(
        dict.fromkeys(sorted(tasks), ask),
        {id: error for id, _, _, _, error in rows if error is not None},
        {id: method for id, _, _, method, _ in rows if method is not None},
    )


def changes(before: Iterable[Prediction], after: Iterable[Prediction]) -> tuple[Change, ...]:
    """Return the dialogues whose prediction differs, by id; both sides predict the same dialogues."""
    then = {row.id: row for row in before}
    return tuple(
        Change(
            row.id,
            row.task,
            row.label,
            then[row.id].prediction,
            row.prediction,
            then[row.id].decided_by,
            row.decided_by,
            tuple(sorted({*then[row.id].fired} - {*row.fired})),
            tuple(sorted({*row.fired} - {*then[row.id].fired})),
        )
        for row in sorted(after, key=lambda row: row.id)
        if row.prediction != then[row.id].prediction
    )
