"""Multinomial logistic regression whose probabilities mean what they say, for every intent of a task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

from kdsl_cli.metrics import log_loss
from kdsl_cli.training.ngrams import Floats, Sparse

Truth = npt.NDArray[np.int64]
"""The column of the label of each row."""

PENALTY_C = 10.0
"""Inverse strength of the penalty; from 5 to 30 the score is the same."""

FLOOR = 0.01
"""Probability shared evenly by all intents, so that none is impossible: not one without a sample either."""

ROWS_AT_ONCE = 3000
"""Up to so many rows the fit goes by way of their inner products, whose number is the square of it."""

HOTTEST = 4.0
"""The temperature lies between this and its inverse: scores of a small sample without any mistake would
otherwise call for certainty about everything, also about dialogues unlike all of the sample."""


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A linear classifier.

    Attributes
    ----------
    coefficients, intercepts
        (n_intents, n_features) and (n_intents,) float32, in the catalogue's order; zero where unseen.
    shares
        (n_intents,) how much of the sample is of each intent, 0 to 1; 0 where unseen.
    temperature
        What logits are divided by; above 1 the fit was too sure of itself.
    """

    coefficients: npt.NDArray[np.float32]
    intercepts: npt.NDArray[np.float32]
    shares: Floats
    temperature: float = 1.0

    def logits(self, matrix: Sparse, observed: npt.NDArray[np.bool_]) -> Floats:
        """Return (n, n_intents) unscaled log-odds, minus infinity where an intent was unseen.

        Rows that are not `observed`, (n,) bool, get those of the shares. Their features are all zero, as are
        those of a picture that was read and shows no text: what is missing would pass for what is absent.
        """
        found = np.asarray(matrix @ self.coefficients.T.astype(np.float64)) + self.intercepts
        found[~observed] = np.log(np.where(self.shares > 0, self.shares, 1.0))
        return np.where(self.shares > 0, found, -np.inf)

    def probabilities(self, matrix: Sparse, observed: npt.NDArray[np.bool_]) -> Floats:
        """Return (n, n_intents) calibrated probabilities; rows sum to 1, none is 0. See `logits`."""
        return probabilities(self.logits(matrix, observed), self.temperature)

    def at(self, temperature: float) -> Linear:
        """Return the classifier with another temperature."""
        return replace(self, temperature=temperature)


def fit(matrix: Sparse, truth: Truth, n_intents: int) -> Linear:
    """Learn to tell the intents apart; `truth` may lack some of them, or be of one intent, or empty."""
    counts = np.bincount(truth, minlength=n_intents)
    coefficients = np.zeros((n_intents, matrix.shape[1]), dtype=np.float32)
    intercepts = np.zeros(n_intents, dtype=np.float32)
    if (counts > 0).sum() > 1:
        rows, back = _row_space(matrix)
        found = LogisticRegression(C=PENALTY_C, max_iter=1000).fit(rows, truth)
        weights = found.coef_ if back is None else (matrix.T @ (back @ found.coef_.T)).T
        # Of two classes scikit-learn gives only the second one's log-odds: the first one's are then 0.
        classes = found.classes_ if len(found.classes_) == len(weights) else found.classes_[1:]
        coefficients[classes] = weights
        intercepts[classes] = found.intercept_
    return Linear(coefficients, intercepts, counts / max(1, len(truth)))


def probabilities(logits: Floats, temperature: float) -> Floats:
    """Return (n, n_intents) probabilities at a temperature, mixed with `FLOOR`; see `Linear.logits`.

    Examples
    --------
    >>> probabilities(np.array([[0.0, -np.inf], [-np.inf, -np.inf]]), 1.0).round(3).tolist()
    [[0.995, 0.005], [0.5, 0.5]]
    """
    nothing_seen = np.isneginf(logits).all(axis=1, keepdims=True)
    scaled = np.where(nothing_seen, 0.0, logits) / temperature
    odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares = odds / odds.sum(axis=1, keepdims=True)
    mixed: Floats = (1 - FLOOR) * shares + FLOOR / logits.shape[1]
    return mixed


def best_temperature(logits: Floats, truth: Truth) -> float:
    """Return the temperature at which out-of-fold logits have the least log loss (Guo et al., 2017).

    1 if there is nothing to choose by: no row, or at most one intent ever seen.
    """
    if not (np.isfinite(logits).sum(axis=1) > 1).any():
        return 1.0

    def loss(log_temperature: float) -> float:
        found = log_loss(probabilities(logits, float(np.exp(log_temperature))), truth.tolist())
        assert found is not None
        return found

    bound = np.log(HOTTEST)
    best = minimize_scalar(loss, bounds=(-bound, bound), method="bounded")
    return round(float(np.exp(best.x)), 4)


def _row_space(matrix: Sparse) -> tuple[Any, Floats | None]:
    """Return the rows as (n, rank) coordinates in the space they span, and what leads back from there.

    With an L2 penalty the best coefficients are a combination of the rows, so a fit to these coordinates is
    the same fit with some hundred unknowns an intent in place of tens of thousands. Coefficients ``c`` of it
    are ``matrix.T @ back @ c`` of the features. With too many rows: the matrix itself, and None.
    """
    if matrix.shape[0] > ROWS_AT_ONCE:
        return matrix, None
    products = (matrix @ matrix.T).toarray()
    values, vectors = np.linalg.eigh(products)
    kept = values > 1e-9 * values.max()
    if not kept.any():
        return matrix, None
    back = vectors[:, kept] / np.sqrt(values[kept])
    return products @ back, back
