"""Rows counted by intent: every score of a classifier follows from three counts per intent.

Counts keep leading axes, so that one formula serves a single set of rows, shape (k,), and all resamples of a
bootstrap at once, shape (resamples, k). Undefined (0 / 0) is NaN here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Rows labelled, rows predicted, and rows both, per intent: arrays of shape (..., k)."""

    support: Floats
    predicted: Floats
    correct: Floats

    @property
    def precision(self) -> Floats:
        """Share of the predicted rows that are right, per intent."""
        return ratio(self.correct, self.predicted)

    @property
    def recall(self) -> Floats:
        """Share of the labelled rows that are right, per intent."""
        return ratio(self.correct, self.support)

    @property
    def f1(self) -> Floats:
        """Harmonic mean of the two, per intent."""
        return ratio(2 * self.correct, self.support + self.predicted)

    @property
    def accuracy(self) -> Floats:
        """Share of all rows that are right."""
        return ratio(self.correct.sum(axis=-1), self.support.sum(axis=-1))

    @property
    def weighted_f1(self) -> Floats:
        """F1 of the intents, weighed by how often they are labels."""
        weighed = (self.support * np.nan_to_num(self.f1)).sum(axis=-1)
        return ratio(weighed, self.support.sum(axis=-1))

    @property
    def macro_f1(self) -> Floats:
        """Plain mean of F1 over the intents that occur in labels or predictions."""
        f1 = self.f1
        return ratio(np.nan_to_num(f1).sum(axis=-1), (~np.isnan(f1)).sum(axis=-1).astype(np.float64))

    def weighed(self, weights: Floats) -> Tally:
        """Return what is counted where row i of the first axis counts ``weights[..., i]`` times."""
        return Tally(weights @ self.support, weights @ self.predicted, weights @ self.correct)


def tally(
    labels: Sequence[str], predictions: Sequence[str | None], intents: Sequence[str] | None = None
) -> Tally:
    """Count rows: arrays of shape (k,). A prediction of None is no intent's.

    Raises
    ------
    ValueError
        If there are not as many predictions as labels, or an intent is not among `intents`.

    Examples
    --------
    >>> found = tally(["a", "a", "b"], ["a", None, "a"])
    >>> found.support.tolist(), found.predicted.tolist(), found.correct.tolist()
    ([2.0, 1.0], [2.0, 0.0], [1.0, 0.0])
    """
    rows = tally_by_cluster(labels, predictions, np.zeros(len(labels), dtype=np.int64), 1, intents)
    return Tally(rows.support[0], rows.predicted[0], rows.correct[0])


def tally_by_cluster(
    labels: Sequence[str],
    predictions: Sequence[str | None],
    clusters: npt.NDArray[np.int64],
    n_clusters: int,
    intents: Sequence[str] | None = None,
) -> Tally:
    """Count per cluster of rows: arrays of shape (n_clusters, k); the rest is as in `tally`."""
    if len(labels) != len(predictions):
        raise ValueError(f"{len(labels)} labels for {len(predictions)} predictions")
    occurring = {*labels, *(name for name in predictions if name is not None)}
    columns = {name: place for place, name in enumerate(sorted(occurring) if intents is None else intents)}
    if unknown := occurring - columns.keys():
        raise ValueError(f"not among the intents: {', '.join(sorted(unknown))}")
    truth = np.array([columns[name] for name in labels], dtype=np.int64)
    said = np.array([-1 if name is None else columns[name] for name in predictions], dtype=np.int64)

    def count(rows: npt.NDArray[np.bool_], column: npt.NDArray[np.int64]) -> Floats:
        cells = clusters[rows] * len(columns) + column[rows]
        counts = np.bincount(cells, minlength=n_clusters * len(columns))
        return counts.reshape(n_clusters, len(columns)).astype(np.float64)

    return Tally(count(truth >= 0, truth), count(said >= 0, said), count(truth == said, truth))


def clusters_of(groups: Sequence[str | None] | None, n_rows: int) -> npt.NDArray[np.int64]:
    """Return a number for each row's group, from 0 in order; a row without a group gets its own.

    Examples
    --------
    >>> clusters_of(["anna", None, "anna", None], 4).tolist()
    [0, 1, 0, 2]
    """
    if groups is None:
        return np.arange(n_rows, dtype=np.int64)
    if len(groups) != n_rows:
        raise ValueError(f"{len(groups)} groups for {n_rows} rows")
    numbers: dict[object, int] = {}
    keys = (("row", row) if group is None else ("group", group) for row, group in enumerate(groups))
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def ratio(part: Floats, whole: Floats) -> Floats:
    """Divide; NaN where `whole` is 0."""
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)
