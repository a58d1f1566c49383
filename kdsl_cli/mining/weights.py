"""Weights: how much each rule says for its intent, and what intents start from, learnt out of fold.

The model is the one that decides (`kdsl_cli.logic.votes`): the score of an intent is its base rate plus the
weights of its rules that fire, and the probabilities are the softmax of the scores. Weights w and base rates
b minimise ::

    - sum_i log p(label_i | firings_i)
    + sum_r ridge_r / 2 * (w_r - prior_r) ** 2 + lasso_r * |w_r - prior_r|
    + sum_k base_ridge / 2 * b_k ** 2

multinomial logistic regression in which every rule speaks for its own intent alone, pulled towards what was
believed before: a person's weight for a seed rule, 0 for a mined one. The second pull (Tibshirani 1996)
leaves rules that add nothing at exactly their prior. Base rates are the intercepts: what the labels say where
no rule does, so that no rule need carry how common its intent is. Ours, not the paper's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

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
    base_ridge
        How firmly intents are believed to be equally common: one number for all base rates.
    """

    prior: Floats
    ridge: Floats
    lasso: Floats
    base_ridge: float


class Fitted(NamedTuple):
    """What was learnt.

    Attributes
    ----------
    weights
        (n_rules,) log-odds that a rule adds; where the lasso holds, exactly its prior.
    base_rates
        (n_intents,) log-odds that an intent starts from. Only their differences change a probability, so the
        highest is set to 0. An intent without a dialogue is believed to be of average rarity: it may be
        absent only because nobody collected it.
    """

    weights: Floats
    base_rates: Floats


def fit_weights(votes: Votes, labels: Columns, belief: Belief) -> Fitted:
    """Return the weights and base rates that explain the labels best, given what was believed before.

    Parameters
    ----------
    votes
        Out-of-fold firings.
    labels
        (n_dialogues,) column of each dialogue's intent.
    belief
        See `Belief`.
    """
    n_rules, n_intents = len(votes.intent), votes.n_intents
    truth = np.eye(n_intents)[labels]
    rows, rules = np.arange(len(labels)), np.arange(n_rules)

    def loss(parts: Floats) -> tuple[float, Floats]:
        # Departures up and down are kept apart: bounded below by 0, each makes |w - prior| smooth.
        up, down, base = np.split(parts, [n_rules, 2 * n_rules])
        away = up - down
        scores = base + votes.scores(belief.prior + away)
        scores -= scores.max(axis=1, keepdims=True)
        exp = np.exp(scores)
        shares = exp / exp.sum(axis=1, keepdims=True)
        fit = -float(np.log(shares[rows, labels] + 1e-12).sum())
        pull = float(
            0.5 * (belief.ridge @ away**2 + belief.base_ridge * base @ base) + belief.lasso @ (up + down)
        )
        wrong = shares - truth
        slope = (wrong.T @ votes.firings)[votes.intent, rules] + belief.ridge * away
        base_slope = wrong.sum(axis=0) + belief.base_ridge * base
        return fit + pull, np.concatenate([slope + belief.lasso, -slope + belief.lasso, base_slope])

    found = minimize(
        loss,
        np.zeros(2 * n_rules + n_intents),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * (2 * n_rules) + [(None, None)] * n_intents,
        options={"maxiter": 150},
    ).x
    up, down, base = np.split(found, [n_rules, 2 * n_rules])
    return Fitted(belief.prior + up - down, _told(base, labels))


def _told(base: Floats, labels: Columns) -> Floats:
    present = np.isin(np.arange(len(base)), labels)
    average = base[present].mean() if present.any() else 0.0
    rates = np.where(present, base, average)
    return np.asarray(rates - rates.max())
