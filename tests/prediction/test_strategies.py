"""Strategies: the laws that joining both sides keeps, and what the rules' side is."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax

from kdsl_cli.logic.predicates import CountPredicate
from kdsl_cli.logic.rule import BaseRate, Evidence, Rule, RuleBase
from kdsl_cli.prediction.strategies import RulesSide, Weights, by_rules, log_odds, rules_first, rules_side

INTENTS = ("a", "b", "c")
WHEN = CountPredicate("turns", "gte", 1)


def rule(intent, weight=1.0, low=None, status="mined"):
    evidence = None if low is None else Evidence(fired=10, correct=9, precision_low=low)
    return Rule(f"{intent}{weight}{low}", intent, WHEN, status, weight, evidence=evidence)


@st.composite
def both_sides(draw):
    n, k = draw(st.integers(1, 5)), draw(st.integers(2, 6))
    scores = draw(arrays(float, (n, k), elements=st.floats(-6, 6)))
    large = softmax(draw(arrays(float, (n, k), elements=st.floats(-12, 12))), axis=1)
    silent = ~(scores > 0).any(axis=1)
    precision = draw(arrays(float, (n, k), elements=st.floats(0, 1))) * (scores > 0)
    return RulesSide(np.where(silent[:, None], 0.0, scores), silent, precision), large


weights = st.floats(0, 5)


@settings(max_examples=40, deadline=None)
@given(both_sides())
def test_log_odds_without_the_rules_is_the_large_model(sides):
    rules, large = sides
    joint = log_odds(rules, large, Weights(0, 1))
    assert np.allclose(joint.scores, large, atol=1e-9)
    assert (joint.choice >= 0).all()


@settings(max_examples=40, deadline=None)
@given(both_sides())
def test_log_odds_without_the_large_model_is_the_rules(sides):
    rules, large = sides
    joint, alone = log_odds(rules, large, Weights(1, 0)), by_rules(rules)
    assert np.allclose(joint.scores, alone.scores)
    assert (joint.choice == alone.choice).all()
    assert ((joint.choice == -1) == rules.silent).all()


@settings(max_examples=40, deadline=None)
@given(both_sides(), weights, weights)
def test_probabilities_sum_to_one_and_every_choice_is_the_likeliest(sides, a, b):
    rules, large = sides
    joint = log_odds(rules, large, Weights(a, b))
    assert np.allclose(joint.scores.sum(axis=1), 1)
    assert ((joint.scores >= 0) & (joint.scores <= 1)).all()
    rows = joint.choice >= 0
    assert (joint.scores[rows, joint.choice[rows]] == joint.scores[rows].max(axis=1)).all()


@settings(max_examples=40, deadline=None)
@given(both_sides(), weights, weights, st.floats(0.01, 3), st.data())
def test_more_evidence_for_an_intent_never_makes_it_less_likely(sides, a, b, more, data):
    rules, large = sides
    row, column = data.draw(st.integers(0, len(large) - 1)), data.draw(st.integers(0, large.shape[1] - 1))
    raised = rules.scores.copy()
    raised[row, column] += more
    before = log_odds(rules, large, Weights(a, b)).scores
    after = log_odds(RulesSide(raised, rules.silent, rules.precision), large, Weights(a, b)).scores
    assert after[row, column] >= before[row, column] - 1e-12
    others = np.arange(large.shape[1]) != column
    assert (after[row, others] <= before[row, others] + 1e-12).all()


@settings(max_examples=40, deadline=None)
@given(both_sides(), st.floats(0, 1))
def test_rules_first_keeps_probabilities_and_leaves_untrusted_rows_to_the_large_model(sides, threshold):
    rules, large = sides
    joint = rules_first(rules, large, override_precision=threshold)
    assert np.allclose(joint.scores.sum(axis=1), 1)
    trusted = ((rules.precision >= threshold) & (rules.precision > 0)).any(axis=1)
    assert np.array_equal(joint.scores[~trusted], large[~trusted])
    assert (joint.choice[~trusted] == large[~trusted].argmax(axis=1)).all()
    rows = np.flatnonzero(trusted)
    assert (rules.precision[rows, joint.choice[rows]] == rules.precision[rows].max(axis=1)).all()


def test_the_rules_side_keeps_the_best_bound_of_rules_that_speak_for_an_intent():
    rules = (rule("a", low=0.7), rule("a", low=0.9), rule("b", -1.0, low=0.99), rule("c"))
    off = rule("a", low=1.0, status="disabled")
    firing = np.array([[1, 1, 1, 1], [1, 0, 1, -1], [0, -1, 1, 0]], dtype=np.int8)
    made = rules_side(RuleBase("t", (off, *rules)), INTENTS, firing)
    assert made.precision.tolist() == [[0.9, 0, 0], [0.7, 0, 0], [0, 0, 0]]
    assert made.scores.tolist() == [[2, -1, 1], [1, -1, 0], [0, 0, 0]]  # silent: nothing against b either
    assert made.silent.tolist() == [False, False, True]


def test_the_rules_side_starts_from_the_base_rates_where_it_speaks():
    base = RuleBase("t", (rule("a"), rule("b", -1.0)), base_rates=(BaseRate("a", -0.5), BaseRate("c", -2.0)))
    made = rules_side(base, INTENTS, np.array([[1, 0], [0, 1]], dtype=np.int8))
    assert made.scores.tolist() == [[0.5, 0, -2], [0, 0, 0]]
    assert made.silent.tolist() == [False, True]
