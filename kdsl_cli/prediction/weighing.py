"""How much each side's word is worth: learnt on what either said of dialogues it had not learnt from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from kdsl_cli.metrics import log_loss
from kdsl_cli.prediction.strategies import FLOOR, Floats, Weights, joint_logits

Truth = npt.NDArray[np.int64]
"""(n,) columns of the labels."""

SHRINKAGE = 1.0
"""How strongly weights are drawn to 1 and intercepts to 0: worth about as much as one dialogue's evidence."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean log loss in nats on the dialogues learnt from; each None without dialogues."""

    rules: float | None
    large: float | None
    together: float | None


def learn_weights(rules: Floats, large: Floats, truth: Truth, *, shrinkage: float = SHRINKAGE) -> Weights:
    """Return the weights under which `strategies.log_odds` gives the labels the highest probability.

    Minimises, over a and b from 0 up and an intercept c for each of the k intents, the summed log loss plus
    ``shrinkage/2 * ((a - 1)² + (b - 1)² + sum(c²))``. That is convex, and without dialogues the answer is 1,
    1 and no intercepts. The intercepts mend what a few samples do to either side, which is to name the rare
    intents too seldom and the common ones too often, or the other way round: temperature scaling with a bias
    for each class (Alexandari, Kundaje & Shrikumar 2020; vector scaling in Guo et al. 2017), here of two
    sides at once.

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
    if not len(truth):
        return Weights()
    features = np.stack([rules, np.log(np.maximum(large, FLOOR))])  # (2, n, k)
    rows, k = np.arange(len(truth)), rules.shape[1]
    of_label = np.concatenate([features[:, rows, truth].sum(axis=1), np.bincount(truth, minlength=k)])
    drawn_to = np.concatenate([np.ones(2), np.zeros(k)])

    def loss(found: Floats) -> tuple[float, Floats]:
        logits = np.tensordot(found[:2], features, axes=1) + found[2:]
        shares = softmax(logits, axis=1)
        expected = np.concatenate([(shares * features).sum(axis=(1, 2)), shares.sum(axis=0)])
        away = found - drawn_to
        value = logsumexp(logits, axis=1).sum() - found @ of_label + shrinkage / 2 * (away**2).sum()
        return float(value), expected - of_label + shrinkage * away

    bounds = [(0, None)] * 2 + [(None, None)] * k
    found = minimize(loss, drawn_to, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Weights(float(found[0]), float(found[1]), tuple(found[2:].tolist()))


def losses(rules: Floats, large: Floats, truth: Truth, weights: Weights) -> Losses:
    """Return how surprised each side alone, as it comes, and both under `weights` are by the labels."""
    return Losses(
        *(
            log_loss(softmax(joint_logits(rules, large, each), axis=1), truth.tolist())
            for each in (Weights(1, 0), Weights(0, 1), weights)
        )
    )
