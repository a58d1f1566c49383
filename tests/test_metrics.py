"""Every score against scikit-learn, scipy.stats or brute force, and the conventions stated in `metrics`."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as reference

from kdsl_cli import metrics

quick = settings(max_examples=30, deadline=None)
"""Machines that run the tests are shared: few examples, no deadline for one."""

INTENTS = ["a", "b", "c", "d"]
decided = st.lists(st.tuples(st.sampled_from(INTENTS), st.sampled_from(INTENTS)), min_size=1, max_size=30)
with_abstentions = st.lists(
    st.tuples(st.sampled_from(INTENTS), st.none() | st.sampled_from(INTENTS)), min_size=1, max_size=30
)
counts = st.integers(1, 60).flatmap(lambda fired: st.tuples(st.integers(0, fired), st.just(fired)))


def columns(rows):
    labels, predictions = zip(*rows, strict=True)
    return list(labels), list(predictions)


@quick
@given(decided)
def test_without_abstentions_the_scores_are_those_of_scikit_learn(rows):
    labels, predictions = columns(rows)
    assert metrics.accuracy(labels, predictions) == pytest.approx(
        reference.accuracy_score(labels, predictions)
    )
    for ours, average in ((metrics.weighted_f1, "weighted"), (metrics.macro_f1, "macro")):
        expected = reference.f1_score(labels, predictions, average=average, zero_division=0)
        assert ours(labels, predictions) == pytest.approx(expected)


@quick
@given(with_abstentions)
def test_an_abstention_costs_as_much_as_an_intent_that_no_one_has(rows):
    labels, predictions = columns(rows)
    told = [name or "<nothing>" for name in predictions]
    occurring = sorted({*labels, *predictions} - {None})
    expected = {
        average: reference.f1_score(labels, told, labels=occurring, average=average, zero_division=0)
        for average in ("weighted", "macro")
    }
    assert metrics.weighted_f1(labels, predictions) == pytest.approx(expected["weighted"])
    assert metrics.macro_f1(labels, predictions) == pytest.approx(expected["macro"])
    assert metrics.accuracy(labels, predictions) == pytest.approx(reference.accuracy_score(labels, told))


@quick
@given(with_abstentions)
def test_scores_per_intent_are_those_of_scikit_learn_and_undefined_is_none(rows):
    labels, predictions = columns(rows)
    told = [name or "<nothing>" for name in predictions]
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        labels, told, labels=INTENTS, zero_division=np.nan
    )
    for place, score in enumerate(metrics.intent_scores(labels, predictions, INTENTS)):
        assert score.intent == INTENTS[place]
        assert score.support == support[place]
        assert score.predicted == predictions.count(score.intent)
        assert (score.precision is None) == (score.predicted == 0)
        assert (score.recall is None) == (score.support == 0)
        assert (score.f1 is None) == (score.support + score.predicted == 0)
        for ours, theirs in ((score.precision, precision), (score.recall, recall), (score.f1, f1)):
            assert ours is None or ours == pytest.approx(theirs[place])


def test_no_rows_have_no_score():
    for score in (metrics.accuracy, metrics.weighted_f1, metrics.macro_f1):
        assert score([], []) is None
    assert metrics.expected_calibration_error([], []) is None
    assert metrics.log_loss([], []) is None
    assert metrics.mcnemar([], []).p is None


def test_columns_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="2 labels for 1 predictions"):
        metrics.accuracy(["a", "b"], ["a"])
    with pytest.raises(ValueError, match="not among the intents: z"):
        metrics.intent_scores(["a"], ["z"], ["a"])
    with pytest.raises(ValueError, match="same rows"):
        metrics.mcnemar([True], [True, False])
    with pytest.raises(ValueError, match="3 correct of 2"):
        metrics.precision_low(3, 2)


def brute_force_bootstrap(labels, predictions, groups, rng, resamples):
    """Draw the same groups as `metrics.bootstrap`, but gather their rows and score them one by one."""
    members = {}
    for row, group in enumerate(groups):
        members.setdefault(("alone", row) if group is None else group, []).append(row)
    blocks = list(members.values())
    found = []
    for draw in rng.integers(len(blocks), size=(resamples, len(blocks))):
        rows = [row for block in draw for row in blocks[block]]
        drawn = [labels[row] for row in rows], [predictions[row] for row in rows]
        found.append([score(*drawn) for score in (metrics.accuracy, metrics.weighted_f1, metrics.macro_f1)])
    return np.quantile(np.array(found), [0.025, 0.975], axis=0).T


@settings(quick, max_examples=20)
@given(with_abstentions.filter(lambda rows: len(rows) > 2), st.integers(0, 99), st.booleans())
def test_the_bootstrap_equals_scoring_every_resample_by_itself(rows, seed, grouped):
    labels, predictions = columns(rows)
    groups = [None if row % 3 == 0 else f"g{row // 4}" for row in range(len(rows))] if grouped else None
    ours = metrics.bootstrap(
        labels, predictions, rng=np.random.default_rng(seed), groups=groups, resamples=20
    )
    expected = brute_force_bootstrap(
        labels, predictions, groups or [None] * len(rows), np.random.default_rng(seed), 20
    )
    for interval, ends in zip((ours.accuracy, ours.weighted_f1, ours.macro_f1), expected, strict=True):
        assert (interval.low, interval.high) == pytest.approx(tuple(ends))


def test_rows_of_one_group_that_stand_or_fall_together_widen_the_interval():
    labels = ["a", "b"] * 50
    predictions = labels[:50] + ["b", "a"] * 25
    groups = [f"customer-{row // 10}" for row in range(100)]
    alone = metrics.bootstrap(labels, predictions, rng=np.random.default_rng(0)).accuracy
    grouped = metrics.bootstrap(labels, predictions, rng=np.random.default_rng(0), groups=groups).accuracy
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_a_single_group_has_no_interval():
    rng = np.random.default_rng(0)
    assert metrics.bootstrap(["a", "b"], ["a", "b"], rng=rng, groups=["g", "g"]) is None
    assert metrics.bootstrap(["a", "b"], ["a", "b"], rng=rng, resamples=0) is None


@quick
@given(counts, st.sampled_from([0.8, 0.9, 0.95, 0.975]))
def test_the_lower_bounds_are_those_of_scipy(pair, confidence):
    correct, fired = pair
    two_sided = stats.binomtest(correct, fired).proportion_ci(2 * confidence - 1, method="wilson")
    assert metrics.wilson_low(correct, fired, confidence) == pytest.approx(two_sided.low, abs=1e-12)
    jeffreys = stats.beta(correct + 0.5, fired - correct + 0.5).ppf(1 - confidence)
    assert metrics.precision_low(correct, fired, confidence) == pytest.approx(jeffreys)
    clopper = stats.binomtest(correct, fired).proportion_ci(2 * confidence - 1, method="exact")
    exact = metrics.precision_low(correct, fired, confidence, prior=(0, 1))
    assert exact == pytest.approx(clopper.low, abs=1e-9)


@quick
@given(counts)
def test_a_bound_lies_below_the_raw_precision_and_grows_with_the_sample(pair):
    correct, fired = pair
    for bound in (metrics.wilson_low, metrics.precision_low):
        low = bound(correct, fired)
        assert low >= 0 and (low < correct / fired or correct == 0)
        assert bound(3 * correct, 3 * fired) >= low or correct == 0


def test_a_rule_that_never_fired_has_no_bound():
    assert metrics.wilson_low(0, 0) is None
    assert metrics.precision_low(0, 0, prior=(1, 1)) is None


@quick
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_mcnemar_is_the_exact_binomial_test_on_the_rows_where_one_is_right(rows):
    first, second = columns(rows)
    test = metrics.mcnemar(first, second)
    assert (test.both, test.first_only, test.second_only, test.neither) == tuple(
        rows.count(pair) for pair in ((True, True), (True, False), (False, True), (False, False))
    )
    discordant = test.first_only + test.second_only
    exact = stats.binomtest(test.first_only, discordant).pvalue if discordant else 1.0
    assert test.p == pytest.approx(exact)
    swapped = metrics.mcnemar(second, first)
    assert (swapped.first_only, swapped.p) == (test.second_only, test.p)
    fewer = min(test.first_only, test.second_only)
    mid = 2 * stats.binom.cdf(fewer - 1, discordant, 0.5) + stats.binom.pmf(fewer, discordant, 0.5)
    assert metrics.mcnemar(first, second, mid_p=True).p == pytest.approx(mid)


@quick
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40), st.integers(1, 20))
def test_the_calibration_error_is_the_weighted_gap_of_every_bin(rows, bins):
    stated, right = columns(rows)
    total = 0.0
    for place in range(bins):
        low, high = place / bins, (place + 1) / bins
        inside = [
            row for row in rows if math.ceil(row[0] * bins) - 1 == place or (place == 0 and row[0] == 0)
        ]
        assert all(low - 1e-9 <= row[0] <= high + 1e-9 for row in inside)
        if inside:
            gap = np.mean([row[1] for row in inside]) - np.mean([row[0] for row in inside])
            total += len(inside) / len(rows) * abs(gap)
    assert metrics.expected_calibration_error(stated, right, bins) == pytest.approx(total, abs=1e-12)


def test_stated_confidence_that_comes_true_is_calibrated():
    right = [True] * 8 + [False] * 2
    assert metrics.expected_calibration_error([0.8] * 10, right) == pytest.approx(0, abs=1e-12)
    assert metrics.expected_calibration_error([1.0] * 10, right) == pytest.approx(0.2)


@quick
@given(
    st.lists(st.tuples(st.integers(0, 3), st.lists(st.floats(0.01, 1), min_size=4, max_size=4)), min_size=1)
)
def test_the_log_loss_is_that_of_scikit_learn(rows):
    truth, raw = columns(rows)
    scores = np.array(raw) / np.sum(raw, axis=1, keepdims=True)
    assert metrics.log_loss(scores, truth) == pytest.approx(
        reference.log_loss(truth, scores, labels=range(4))
    )


def test_a_certain_error_costs_much_but_not_everything():
    assert metrics.log_loss([[1.0, 0.0]], [1]) == pytest.approx(-math.log(1e-12))


def test_the_same_state_gives_the_same_intervals():
    labels, predictions = ["a", "b", "c"] * 100, ["a", None, "b"] * 100
    first, second = (metrics.bootstrap(labels, predictions, rng=np.random.default_rng(7)) for _ in range(2))
    assert first == second
