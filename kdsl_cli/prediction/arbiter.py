"""The arbiter: decides on one task's dialogues by a strategy, and says whose word each decision was.

A side that takes no part in a task cannot be asked: `usable` says what is then used in place of a strategy.
"""

from __future__ import annotations

from dataclasses import dataclass

from kdsl_cli.prediction.strategies import (
    AS_THEY_COME,
    Floats,
    Joint,
    RulesSide,
    Weights,
    by_large,
    by_rules,
    log_odds,
    rules_first,
)
from kdsl_cli.prediction.table import DecidedBy

STRATEGIES = ("rules", "large", "rules-first", "log-odds")
"""What each does: `prediction.strategies`."""


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """What both sides say on the same n dialogues.

    Attributes
    ----------
    intents
        The task's, in the catalogue's order.
    rules
        Silent everywhere if the task has none.
    large
        (n, k) probabilities of the large model. None: there is none, or it does not know the task.
    """

    intents: tuple[str, ...]
    rules: RulesSide
    large: Floats | None


@dataclass(frozen=True, slots=True)
class Decision:
    """One dialogue's decision.

    Attributes
    ----------
    prediction
        None: an abstention.
    scores
        k probabilities.
    decided_by
        Whose answer the prediction is, of the sides that the strategy asks; "both" also if it is neither's,
        "none" without a prediction.
    strategy
        The one that was used.
    """

    prediction: str | None
    scores: tuple[float, ...]
    decided_by: DecidedBy
    strategy: str


def usable(strategy: str, *, rules: bool, large: bool) -> str | None:
    """Return the strategy to use for a task in which a side may take no part; None if there is none.

    The strategies of both sides fall back on the one that is there. `rules` stays even without rules, and is
    then an abstention everywhere.

    Examples
    --------
    >>> usable("log-odds", rules=False, large=True), usable("rules-first", rules=True, large=False)
    ('large', 'rules')
    >>> usable("large", rules=True, large=False) is None
    True
    """
    if strategy == "rules" or large:
        return strategy if rules or strategy == "rules" else "large"
    return "rules" if rules and strategy != "large" else None


def decide(
    strategy: str, sides: Sides, *, weights: Weights = AS_THEY_COME, override_precision: float = 0.9
) -> tuple[Decision, ...]:
    """Decide on every dialogue.

    Parameters
    ----------
    strategy
        One of `STRATEGIES`, and `usable` with these sides.
    weights
        For log-odds.
    override_precision
        For rules-first, 0 to 1.

    Raises
    ------
    ValueError
        If the strategy is not known, or asks for a large model that there is not.

    Examples
    --------
    >>> import numpy as np
    >>> rules = RulesSide(np.array([[2.0, 0.0]]), np.array([False]), np.array([[0.8, 0.0]]))
    >>> sides = Sides(("refund", "parcel"), rules, np.array([[0.4, 0.6]]))
    >>> [decide(each, sides)[0].prediction for each in STRATEGIES]
    ['refund', 'parcel', 'parcel', 'refund']
    """
    joint = _joint(strategy, sides, weights, override_precision)
    return tuple(
        Decision(
            sides.intents[chosen] if chosen >= 0 else None,
            tuple(map(float, scores)),
            _decided_by(chosen, rules, large),
            strategy,
        )
        for scores, chosen, rules, large in zip(
            joint.scores, joint.choice.tolist(), joint.rules.tolist(), joint.large.tolist(), strict=True
        )
    )


def _joint(strategy: str, sides: Sides, weights: Weights, override_precision: float) -> Joint:
    if strategy == "rules":
        return by_rules(sides.rules)
    if sides.large is None:
        raise ValueError(f"'{strategy}' needs a large model")
    match strategy:
        case "large":
            return by_large(sides.large)
        case "rules-first":
            return rules_first(sides.rules, sides.large, override_precision=override_precision)
        case "log-odds":
            return log_odds(sides.rules, sides.large, weights)
    raise ValueError(f"unknown strategy '{strategy}'")


def _decided_by(chosen: int, rules: int, large: int) -> DecidedBy:
    if chosen < 0:
        return "none"
    if (rules == chosen) == (large == chosen):
        return "both"
    return "rules" if rules == chosen else "large"
