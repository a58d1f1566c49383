"""How much each side's word is worth: learnt on what either said of dialogues it had not learnt from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from kdsl_cli.metrics import log_loss
from kdsl_cli.prediction.arbiter import FLOOR, Floats, Weights, joint_logits

Truth = npt.NDArray[np.int64]
"""(n,) columns of the labels."""

SHRINKAGE = 1.0
"""How strongly weights are drawn to 1: worth about as much as one dialogue's evidence."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean log loss in nats on the dialogues learnt from; each None without dialogues."""

    rules: float | None
    large: float | None
    together: float | None


def learn_weights(rules: Floats, large: Floats, truth: Truth, *, shrinkage: float = SHRINKAGE) -> Weights:
    """Return the weights under which `arbiter.log_odds` gives the labels the highest probability.

    Minimises, over a and b from 0 up, the summed log loss plus ``shrinkage/2 * ((a - 1)² + (b - 1)²)``. That
    is convex, so the answer is the only one; without dialogues it is 1 and 1.

    Parameters
    ----------
    rules
        (n, k) rule scores (log-odds), zeros where the rules are silent, out of fold.
    large
        (n, k) probabilities, out of fold.
    truth
        See `Truth`.

    Examples
    --------
    >>> large = np.array([[0.8, 0.2], [0.2, 0.8], [0.8, 0.2], [0.2, 0.8]] * 25)
    >>> always_the_first = np.array([[1.0, 0.0]] * 100)
    >>> learnt = learn_weights(always_the_first, large, np.array([0, 1, 0, 1] * 25))
    >>> learnt.large > 1 > learnt.rules
    True
    """
    features = np.stack([rules, np.log(np.maximum(large, FLOOR))])  # (2, n, k)
    rows = np.arange(len(truth))
    of_label = features[:, rows, truth].sum(axis=1)

    def loss(weights: Floats) -> tuple[float, Floats]:
        logits = np.tensordot(weights, features, axes=1)
        expected = (softmax(logits, axis=1) * features).sum(axis=(1, 2))
        value = (
            logsumexp(logits, axis=1).sum() - weights @ of_label + shrinkage / 2 * ((weights - 1) ** 2).sum()
        )
        return float(value), expected - of_label + shrinkage * (weights - 1)

    found = minimize(loss, np.ones(2), jac=True, method="L-BFGS-B", bounds=[(0, None)] * 2)
    return Weights(float(found.x[0]), float(found.x[1]))


def losses(rules: Floats, large: Floats, truth: Truth, weights: Weights) -> Losses:
    """Return how surprised each side alone, as it comes, and both under `weights` are by the labels."""
    return Losses(
        *(
            log_loss(softmax(joint_logits(rules, large, each), axis=1), truth.tolist())
            for each in (Weights(1, 0), Weights(0, 1), weights)
        )
    )
