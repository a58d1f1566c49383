"""Votes: the scores that mining and prediction both take from firing rules."""

from __future__ import annotations

import numpy as np
import pytest

from kdsl_cli.logic.predicates import CountPredicate
from kdsl_cli.logic.rule import BaseRate, Rule, RuleBase
from kdsl_cli.logic.votes import abstains, rule_scores

INTENTS = ("a", "b", "c")
WHEN = CountPredicate("turns", "gte", 1)


def rule(intent, weight, status="mined"):
    return Rule(f"{intent}{weight}", intent, WHEN, status, weight)


def base(*rules, rates=()):
    return RuleBase("t", rules, base_rates=rates)


def firing(*rows):
    return np.array(rows, dtype=np.int8)


def test_weights_of_one_intent_add_up_and_unknown_says_nothing():
    rules = base(rule("a", 1.0), rule("a", 0.5), rule("c", -2.0))
    scores = rule_scores(rules, INTENTS, firing([1, 1, 1], [1, -1, 0], [0, 0, -1]))
    assert scores.tolist() == [[1.5, 0, -2], [1, 0, 0], [0, 0, 0]]


def test_every_dialogue_starts_from_the_base_rates():
    rates = (BaseRate("b", -1.0), BaseRate("a", -0.5, "reviewed"), BaseRate("c", -9.0, "disabled"))
    rules = base(rule("a", 1.0), rule("c", 2.0), rates=rates)
    assert rule_scores(rules, INTENTS, firing([1, 0], [0, -1])).tolist() == [[0.5, -1, 0], [-0.5, -1, 0]]


def test_a_base_rate_is_a_word_for_no_intent():
    rules = base(rule("a", 1.0), rates=(BaseRate("b", 3.0),))
    assert abstains(rules, firing([1], [0])).tolist() == [False, True]


def test_disabled_rules_have_no_vote():
    rules = base(rule("a", 1.0, "disabled"), rule("b", 1.0, "draft"))
    fired = firing([0], [1])
    assert rule_scores(rules, INTENTS, fired).tolist() == [[0, 0, 0], [0, 1, 0]]
    assert abstains(rules, fired).tolist() == [True, False]


def test_evidence_against_alone_names_no_intent():
    rules = base(rule("a", -1.0), rule("b", 0.0), rule("c", 0.1))
    fired = firing([1, 1, 0], [1, 0, 1], [0, 0, -1])
    assert abstains(rules, fired).tolist() == [True, False, True]


def test_without_rules_everything_abstains_at_zero():
    fired = np.empty((2, 0), dtype=np.int8)
    assert rule_scores(base(), INTENTS, fired).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert abstains(base(), fired).tolist() == [True, True]


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(ValueError, match="there are 2 rules in use"):
        abstains(base(rule("a", 1.0), rule("a", 2.0)), firing([1]))
    with pytest.raises(ValueError, match="not among the intents: y, z"):
        rule_scores(base(rule("z", 1.0), rates=(BaseRate("y", 1.0),)), INTENTS, firing([1]))
