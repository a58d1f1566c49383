"""Logits become probabilities that mean what they say: a temperature, and a floor under every intent."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from kdsl_cli.metrics import log_loss

Floats = npt.NDArray[np.float64]

Truth = npt.NDArray[np.int64]
"""The column of the label of each row."""

FLOOR = 0.01
"""Probability shared evenly by all intents, so that none is impossible: not one without a sample either."""

HOTTEST = 4.0
"""The temperature lies between this and its inverse: scores of a small sample without any mistake would
otherwise call for certainty about everything, also about dialogues unlike all of the sample."""


def probabilities(logits: Floats, temperature: float) -> Floats:
    """Return (n, n_intents) probabilities at a temperature, mixed with `FLOOR`.

    An intent whose logit is minus infinity was never seen: it gets its share of the floor alone.

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
