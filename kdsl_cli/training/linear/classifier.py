"""Multinomial logistic regression whose probabilities mean what they say, for every intent of a task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from kdsl_cli.training.calibration import Floats, Truth, probabilities
from kdsl_cli.training.linear.ngrams import Sparse

PENALTY_C = 10.0
"""Inverse strength of the penalty; from 5 to 30 the score is the same."""

ROWS_AT_ONCE = 3000
"""Up to so many rows the fit goes by way of their inner products, whose number is the square of it."""


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
