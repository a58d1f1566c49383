from __future__ import annotations

import numpy as np
import pytest

from kdsl_cli.mining.weights import Belief, Columns, Floats, Votes, fit_weights


def toy(seed: int = 0) -> tuple[Votes, Columns]:
    """Sixty dialogues of three intents, five rules that are right more often than not."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 60)
    intent = np.array([0, 1, 2, 0, 1])
    firings = (rng.random((60, 5)) < np.where(labels[:, None] == intent, 0.7, 0.2)).astype(np.float64)
    return Votes(firings, intent, 3), labels


def belief(
    prior: float = 0.0, ridge: float = 1.0, lasso: float = 0.0, rules: int = 5, base_ridge: float = 1.0
) -> Belief:
    return Belief(np.full(rules, prior), np.full(rules, ridge), np.full(rules, lasso), base_ridge)


def loss(weights: Floats, rates: Floats, votes: Votes, labels: Columns, held: Belief) -> float:
    """Return what the module's docstring says is minimised, written plainly."""
    total = 0.0
    for firings, label in zip(votes.firings, labels, strict=True):
        scores = [
            rates[column] + sum((weights * firings)[votes.intent == column])
            for column in range(votes.n_intents)
        ]
        total -= scores[label] - np.log(np.exp(scores).sum())
    away = weights - held.prior
    total += (held.ridge / 2 * away**2 + held.lasso * abs(away)).sum()
    return float(total + held.base_ridge / 2 * (rates**2).sum())


def centred(rates: Floats) -> Floats:
    """Return base rates as they are pulled: of those that differ alike, the ones nearest to 0."""
    return rates - rates.mean()


@pytest.mark.parametrize("held", [belief(), belief(prior=0.8, ridge=3.0), belief(base_ridge=0.2)])
def test_no_step_away_explains_the_labels_better(held: Belief) -> None:
    votes, labels = toy()
    weights, rates = fit_weights(votes, labels, held)
    found = np.concatenate([weights, centred(rates)])
    for place in range(8):
        step = np.zeros(8)
        step[place] = 1e-3
        up, down, here = (loss(*np.split(found + way * step, [5]), votes, labels, held) for way in (1, -1, 0))
        assert (up - down) / 2e-3 == pytest.approx(0, abs=0.01)  # the slope by finite differences
        assert min(up, down) > here - 1e-6


def test_where_the_lasso_holds_the_slope_is_smaller_than_it() -> None:
    votes, labels = toy()
    held = belief(prior=0.3, lasso=4.0)
    weights, rates = fit_weights(votes, labels, held)
    stays = weights == 0.3
    assert stays.any()
    assert not stays.all()
    smooth = belief(prior=0.3)
    for rule in range(5):
        step = np.zeros(5)
        step[rule] = 1e-4
        up, down = (loss(weights + way * step, centred(rates), votes, labels, smooth) for way in (1, -1))
        slope = (up - down) / 2e-4
        if stays[rule]:
            assert abs(slope) <= 4.01
        else:
            assert slope == pytest.approx(-4 * np.sign(weights[rule] - 0.3), abs=0.02)


@pytest.mark.parametrize("firm", [{"ridge": 1e9}, {"lasso": 1e4}])
def test_a_firm_belief_is_what_comes_out(firm: dict[str, float]) -> None:
    votes, labels = toy()
    weights, rates = fit_weights(votes, labels, belief(prior=-0.7, base_ridge=1e9, **firm))
    assert weights == pytest.approx([-0.7] * 5, abs=1e-6)
    assert rates == pytest.approx([0] * 3, abs=1e-6)


def test_a_rule_that_never_fires_keeps_its_prior() -> None:
    votes, labels = toy()
    silent = Votes(np.column_stack([votes.firings, np.zeros(60)]), np.append(votes.intent, 1), 3)
    weights, _ = fit_weights(silent, labels, belief(prior=1.25, rules=6))
    assert weights[5] == 1.25
    assert weights[:5] == pytest.approx(fit_weights(votes, labels, belief(prior=1.25)).weights, abs=1e-3)


def test_right_rules_gain_weight_and_wrong_ones_speak_against() -> None:
    labels = np.array([0] * 10 + [1] * 10)
    right, wrong = (labels == 0).astype(float), (labels == 1).astype(float)
    votes = Votes(np.column_stack([right, wrong]), np.array([0, 0]), 2)
    good, bad = fit_weights(votes, labels, belief(rules=2)).weights
    assert good > 1
    assert bad < -1
    assert good == pytest.approx(-bad, abs=0.02)


def test_base_rates_are_how_common_intents_are_where_no_rule_tells() -> None:
    labels = np.repeat([0, 1, 2], [20, 60, 120])
    votes = Votes(np.zeros((200, 1)), np.array([0]), 4)
    _, rates = fit_weights(votes, labels, belief(rules=1, base_ridge=1e-3))
    assert rates[2] == 0
    assert rates[:2] == pytest.approx(np.log([20 / 120, 60 / 120]), abs=0.02)
    assert rates[3] == pytest.approx(rates[:3].mean())  # perhaps nobody collected it

    silent = Votes(np.zeros((0, 1)), np.array([0]), 2)
    assert fit_weights(silent, np.array([], dtype=np.int64), belief(rules=1)).base_rates.tolist() == [0, 0]


def test_scores_add_the_weights_of_an_intents_rules_that_fire() -> None:
    votes = Votes(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]), np.array([0, 0, 1]), 3)
    assert votes.scores(np.array([1.0, 2.0, 4.0])).tolist() == [[3, 0, 0], [2, 4, 0]]
    assert votes.rows(np.array([False, True])).scores(np.ones(3)).tolist() == [[1, 1, 0]]
