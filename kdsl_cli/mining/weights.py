"""Weights: how much each rule says for its intent, learnt from out-of-fold firings.

The model is the one that decides (`kdsl_cli.logic.votes`): the score of an intent is the sum of the weights
of its rules that fire, and the probabilities are the softmax of the scores. Weights minimise ::

    - sum_i log p(label_i | firings_i)
    + sum_r ridge_r / 2 * (w_r - prior_r) ** 2 + lasso_r * |w_r - prior_r|

multinomial logistic regression in which every rule speaks for its own intent alone, pulled towards what was
believed before: a person's weight for a seed rule, 0 for a mined one. The second pull (Tibshirani 1996)
leaves rules that add nothing at exactly their prior. Ours, not the paper's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Floats = npt.NDArray[np.float64]
Columns = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """Rules that vote.

    Attributes
    ----------
    firings
        (n_dialogues, n_rules) 0 or 1.
    intent
        (n_rules,) column of the intent that each rule speaks for.
    n_intents
        Number of columns.
    """

    firings: Floats
    intent: Columns
    n_intents: int

    def scores(self, weights: Floats) -> Floats:
        """Return (n_dialogues, n_intents) sums of weights."""
        return self.firings @ (weights[:, None] * np.eye(self.n_intents)[self.intent])

    def rows(self, rows: npt.NDArray[np.bool_]) -> Votes:
        """Return the votes on some dialogues."""
        return Votes(self.firings[rows], self.intent, self.n_intents)


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """What is believed of the weights before any dialogue is seen: (n_rules,) each.

    Attributes
    ----------
    prior
        The believed weight.
    ridge
        How firmly: the inverse variance of the belief.
    lasso
        How much a departure must pay before there is one.
    """

    prior: Floats
    ridge: Floats
    lasso: Floats


def fit_weights(votes: Votes, labels: Columns, belief: Belief) -> Floats:
    """Return the weights that explain the labels best, given what was believed before.

    Parameters
    ----------
    votes
        Out-of-fold firings.
    labels
        (n_dialogues,) column of each dialogue's intent.
    belief
        See `Belief`.

    Returns
    -------
    array
        (n_rules,) weights; where the lasso holds, exactly the prior.
    """
    n_rules = len(votes.intent)
    truth = np.eye(votes.n_intents)[labels]
    rows, rules = np.arange(len(labels)), np.arange(n_rules)

    def loss(parts: Floats) -> tuple[float, Floats]:
        # Departures up and down are kept apart: bounded below by 0, each makes |w - prior| smooth.
        away = parts[:n_rules] - parts[n_rules:]
        scores = votes.scores(belief.prior + away)
        scores -= scores.max(axis=1, keepdims=True)
        exp = np.exp(scores)
        shares = exp / exp.sum(axis=1, keepdims=True)
        fit = -float(np.log(shares[rows, labels] + 1e-12).sum())
        pull = float(
            (0.5 * belief.ridge * away**2).sum() + (belief.lasso @ (parts[:n_rules] + parts[n_rules:]))
        )
        slope = ((shares - truth).T @ votes.firings)[votes.intent, rules] + belief.ridge * away
        return fit + pull, np.concatenate([slope + belief.lasso, -slope + belief.lasso])

    found = minimize(
        loss,
        np.zeros(2 * n_rules),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * (2 * n_rules),
        options={"maxiter": 150},
    ).x
    return np.asarray(belief.prior + found[:n_rules] - found[n_rules:])
