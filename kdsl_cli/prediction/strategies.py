"""Strategies of a joint decision: pure functions from what rules and the large model say to probabilities.

===========  ============================================================================================
strategy     who decides
===========  ============================================================================================
rules        the rules alone: the softmax of their scores; nobody where they are silent
large        the large model alone
rules-first  a firing rule whose precision is at least `override_precision` as a lower bound; of several the
             most precise, then the one whose intent scores highest; else the large model
log-odds     both, weighted: p is proportional to exp(a * rule score + b * log p_large + c), a and b >= 0
             and c one number an intent
===========  ============================================================================================

Of equal scores the intent that stands first in the catalogue wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from kdsl_cli.logic.rule import RuleBase
from kdsl_cli.logic.votes import Firing, abstains, rule_scores

Floats = npt.NDArray[np.float64]
Choice = npt.NDArray[np.int64]
"""(n,) columns of intents; -1 where there is no prediction."""

FLOOR = 1e-12
"""No probability of the large model is taken as less: one certain error must not outweigh everything."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each side's word counts in `log-odds`. By default both are taken as they come.

    Attributes
    ----------
    rules, large
        0 or more.
    intercepts
        What is added to the log-odds of each intent, in the catalogue's order: what both sides together say
        too seldom gets more than 0. Empty: nothing.
    """

    rules: float = 1.0
    large: float = 1.0
    intercepts: tuple[float, ...] = ()


AS_THEY_COME = Weights()


@dataclass(frozen=True, slots=True, eq=False)
class RulesSide:
    """What the rules say on n dialogues of a task with k intents.

    Attributes
    ----------
    scores
        (n, k) log-odds, zeros where they are silent: base rates, and evidence against an intent, alone do not
        count.
    silent
        (n,) bool: no rule with a positive weight fires.
    precision
        (n, k) highest lower bound of precision among the rules that fire for the intent, 0 without one.
    """

    scores: Floats
    silent: npt.NDArray[np.bool_]
    precision: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """What was decided.

    Attributes
    ----------
    scores
        (n, k) probabilities.
    choice
        The prediction.
    rules, large
        What each side said to it, so that one can tell whose word it was.
    """

    scores: Floats
    choice: Choice
    rules: Choice
    large: Choice


def rules_side(base: RuleBase, intents: Sequence[str], firing: Firing) -> RulesSide:
    """Return what firing rules say; `base` and `firing` as in `logic.votes`."""
    silent = abstains(base, firing)
    scores = np.where(silent[:, None], 0.0, rule_scores(base, intents, firing))
    precision = np.zeros(scores.shape)
    places = {name: place for place, name in enumerate(intents)}
    for column, rule in enumerate(base.active):
        low = rule.evidence.precision_low if rule.evidence else None
        if rule.weight > 0 and low is not None:
            place = places[rule.intent]
            fires = np.where(firing[:, column] == 1, low, 0.0)
            precision[:, place] = np.maximum(precision[:, place], fires)
    return RulesSide(scores, silent, precision)


def by_rules(side: RulesSide) -> Joint:
    """Let the rules decide alone; silence is an abstention with equal scores."""
    said = _said(side)
    return Joint(softmax(side.scores, axis=1), said, said, np.full_like(said, -1))


def by_large(large: Floats) -> Joint:
    """Let the large model decide alone."""
    best = _best(large)
    return Joint(large, best, np.full_like(best, -1), best)


def rules_first(side: RulesSide, large: Floats, *, override_precision: float) -> Joint:
    """Let a rule that is precise enough overrule the large model.

    Where one does, its intent gets the rule's bound as probability (or the large model's, if that is higher),
    and the others share the rest as the large model would have it.
    """
    rows = np.arange(len(large))
    # Stable sorts, last key first: the precision counts, then the score, then the place in the catalogue.
    ranked = np.lexsort((-side.scores, -side.precision), axis=1)
    chosen = ranked[:, 0]
    bound = side.precision[rows, chosen]
    # A threshold of 0 still asks for a rule that fires.
    overruled = (bound > 0) & (bound >= override_precision)
    own = large[rows, chosen]
    stated = np.maximum(bound, own)
    shared = np.divide(1 - stated, 1 - own, out=np.zeros(len(own)), where=own < 1)
    scores = large * shared[:, None]
    scores[rows, chosen] = stated
    return Joint(
        np.where(overruled[:, None], scores, large),
        np.where(overruled, chosen, _best(large)),
        np.where(overruled, chosen, _said(side)),
        _best(large),
    )


def log_odds(side: RulesSide, large: Floats, weights: Weights) -> Joint:
    """Let both decide: p proportional to ``exp(a * rule score + b * log p_large + c)``.

    Where nobody with a weight says anything (silent rules, and b is 0) it is an abstention.
    """
    scores = softmax(joint_logits(side.scores, large, weights), axis=1)
    nobody = (side.silent | (weights.rules == 0)) & (weights.large == 0)
    return Joint(scores, np.where(nobody, -1, _best(scores)), _said(side), _best(large))


def joint_logits(rules: Floats, large: Floats, weights: Weights) -> Floats:
    """Return ``a * rules + b * log(large) + c``, with no probability below `FLOOR`."""
    logits = weights.rules * rules + weights.large * np.log(np.maximum(large, FLOOR))
    return logits + np.array(weights.intercepts) if weights.intercepts else logits


def _said(side: RulesSide) -> Choice:
    # Of the probabilities, as everywhere: scores that differ by less than those can tell are equal.
    return np.where(side.silent, -1, _best(softmax(side.scores, axis=1)))


def _best(scores: Floats) -> Choice:
    return np.asarray(scores.argmax(axis=1), dtype=np.int64)
