"""Weights learnt out of fold find the side that is worth listening to."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from kdsl_cli.metrics import log_loss
from kdsl_cli.prediction.strategies import RulesSide, Weights, log_odds
from kdsl_cli.prediction.weighing import learn_weights, losses

N, K = 400, 5


def planted(rng, skill):
    """Labels, and log-odds that are as informative as they claim to be (at skill 1)."""
    truth = rng.integers(K, size=N)
    signal = rng.normal(size=(N, K))
    signal[np.arange(N), truth] += 1.0
    return truth, skill * signal


@pytest.mark.parametrize("seed", range(3))
def test_a_noisy_side_gets_next_to_nothing_and_the_useful_one_its_due(seed):
    rng = np.random.default_rng(seed)
    truth, useful = planted(rng, 1.0)
    noise = rng.normal(scale=2.0, size=(N, K))
    found = learn_weights(noise, softmax(useful, axis=1), truth)
    assert found.rules < 0.08
    assert found.large == pytest.approx(1.0, abs=0.25)
    found = learn_weights(useful, softmax(noise, axis=1), truth)
    assert found.large < 0.08
    assert found.rules == pytest.approx(1.0, abs=0.25)


def test_a_side_that_is_too_sure_of_itself_is_tempered():
    truth, loud = planted(np.random.default_rng(1), 4.0)
    assert learn_weights(np.zeros((N, K)), softmax(loud, axis=1), truth).large == pytest.approx(
        0.25, abs=0.07
    )


def test_misleading_rules_are_ignored_never_turned_round():
    truth, useful = planted(np.random.default_rng(2), 1.0)
    assert learn_weights(-useful, np.full((N, K), 1 / K), truth).rules == 0


def test_learnt_weights_are_better_than_either_side_and_than_their_neighbours():
    rng = np.random.default_rng(3)
    truth, rules = planted(rng, 1.0)
    own = rng.normal(size=(N, K))
    own[np.arange(N), truth] += 1.0
    large = softmax(own, axis=1)
    found = learn_weights(rules, large, truth, shrinkage=0)
    at = losses(rules, large, truth, found)
    assert at.together < min(at.rules, at.large)

    silent = np.zeros(N, dtype=bool)
    for a, b in ((0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1)):
        moved = Weights(found.rules + a, found.large + b, found.intercepts)
        near = log_odds(RulesSide(rules, silent, rules), large, moved)
        assert log_loss(near.scores, truth) > at.together


def test_an_intent_that_both_sides_say_too_seldom_is_raised():
    rng = np.random.default_rng(4)
    shift = np.array([-2.0, 0.0, 0.0, 0.0, 0.0])
    truth, honest = planted(rng, 1.0)
    large = softmax(honest + shift, axis=1)
    found = learn_weights(np.zeros((N, K)), large, truth)
    relative = np.array(found.intercepts) - np.mean(found.intercepts[1:])
    assert relative[0] == pytest.approx(2.0, abs=0.4)
    assert np.abs(relative[1:]).max() < 0.5
    at = losses(np.zeros((N, K)), large, truth, found)
    assert at.together < losses(np.zeros((N, K)), large, truth, Weights(found.rules, found.large)).together


def test_an_intent_without_a_dialogue_is_lowered_not_ruled_out():
    truth, useful = planted(np.random.default_rng(5), 1.0)
    seen = truth > 0
    found = learn_weights(useful[seen], np.full((seen.sum(), K), 1 / K), truth[seen])
    assert -8 < found.intercepts[0] < min(found.intercepts[1:])


def test_without_dialogues_both_sides_count_as_they_come():
    empty = np.empty((0, K))
    assert learn_weights(empty, empty, np.empty(0, dtype=np.int64)) == Weights(1, 1)
    assert losses(empty, empty, np.empty(0, dtype=np.int64), Weights()).together is None


def test_a_certain_error_of_the_large_model_does_not_make_the_loss_infinite():
    large = np.array([[1.0, 0.0]])
    found = learn_weights(np.zeros((1, 2)), large, np.array([1]))
    assert np.isfinite([found.rules, found.large]).all()
