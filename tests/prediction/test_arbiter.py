"""The arbiter: who decides, by which strategy, and whose word it was."""

from __future__ import annotations

import numpy as np
import pytest

from kdsl_cli.prediction.arbiter import STRATEGIES, Sides, decide, usable
from kdsl_cli.prediction.strategies import RulesSide

INTENTS = ("a", "b", "c")


def side(scores, precision=None):
    """Rules that speak wherever a score is positive."""
    scores = np.array(scores, dtype=float)
    given = np.zeros(scores.shape) if precision is None else np.array(precision, dtype=float)
    return RulesSide(scores, ~(scores > 0).any(axis=1), given)


@pytest.mark.parametrize(
    ("precision", "scores", "chosen"),
    [
        ([0.95, 0, 0], [1, 0, 0], "a"),  # precise enough
        ([0.89, 0, 0], [9, 0, 0], "c"),  # not precise enough, however heavy
        ([0.90, 0, 0], [1, 0, 0], "a"),  # just so
        ([0.92, 0.95, 0], [9, 1, 0], "b"),  # the most precise of two
        ([0.95, 0.95, 0], [1, 2, 0], "b"),  # equally precise: the higher score
        ([0.95, 0.95, 0], [2, 2, 0], "a"),  # equal in both: the first in the catalogue
        ([0, 0, 0], [0, 0, 0], "c"),  # silent
    ],
)
def test_rules_first_overrides_only_where_the_bound_is_high_enough(precision, scores, chosen):
    sides = Sides(INTENTS, side([scores], [precision]), np.array([[0.1, 0.2, 0.7]]))
    (decision,) = decide("rules-first", sides, override_precision=0.9)
    assert decision.prediction == chosen
    assert decision.decided_by == ("large" if chosen == "c" else "rules")


def test_an_overruled_large_model_shares_what_the_rule_leaves():
    sides = Sides(INTENTS, side([[1, 0, 0]], [[0.9, 0, 0]]), np.array([[0.2, 0.2, 0.6]]))
    assert decide("rules-first", sides)[0].scores == pytest.approx((0.9, 0.025, 0.075))
    certain = Sides(INTENTS, side([[1, 0, 0]], [[0.9, 0, 0]]), np.array([[1.0, 0.0, 0.0]]))
    assert decide("rules-first", certain)[0].scores == (1, 0, 0)


def test_a_threshold_of_zero_still_asks_for_a_rule_that_fires():
    sides = Sides(INTENTS, side([[0, 0, 0]]), np.array([[0.1, 0.2, 0.7]]))
    assert decide("rules-first", sides, override_precision=0.0)[0].prediction == "c"


def test_who_decided_is_whose_own_answer_it_is():
    rules = side([[5, 0, 0], [0, 5, 0], [0, 0, 0], [2, 0, 1.9]])
    large = np.array([[0.5, 0.3, 0.2], [0.5, 0.4, 0.1], [0.2, 0.3, 0.5], [0.05, 0.5, 0.45]])
    sides = Sides(INTENTS, rules, large)
    assert [(d.prediction, d.decided_by) for d in decide("log-odds", sides)] == [
        ("a", "both"), ("b", "rules"), ("c", "large"), ("c", "both")
    ]  # fmt: skip
    assert [d.decided_by for d in decide("rules", sides)] == ["rules", "rules", "none", "rules"]
    assert {d.decided_by for d in decide("large", sides)} == {"large"}
    assert {d.strategy for d in decide("large", sides)} == {"large"}


def test_silent_rules_abstain_with_equal_scores():
    (decision,) = decide("rules", Sides(INTENTS, side([[0, 0, 0]]), None))
    assert decision.prediction is None
    assert decision.scores == pytest.approx((1 / 3,) * 3)


def test_a_strategy_that_cannot_be_followed_is_refused():
    alone = Sides(INTENTS, side([[1, 0, 0]]), None)
    with pytest.raises(ValueError, match="needs a large model"):
        decide("log-odds", alone)
    with pytest.raises(ValueError, match="unknown strategy 'vote'"):
        decide("vote", Sides(INTENTS, alone.rules, np.ones((1, 3)) / 3))


@pytest.mark.parametrize(
    ("rules", "large", "used"),
    [
        (True, True, list(STRATEGIES)),
        (True, False, ["rules", None, "rules", "rules"]),
        (False, True, ["rules", "large", "large", "large"]),
        (False, False, ["rules", None, None, None]),
    ],
)
def test_what_is_used_when_a_side_is_missing(rules, large, used):
    assert [usable(each, rules=rules, large=large) for each in STRATEGIES] == used
