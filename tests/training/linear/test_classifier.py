"""The classifier alone: matrices in, probabilities out."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from sklearn.linear_model import LogisticRegression

from kdsl_cli.training.calibration import FLOOR
from kdsl_cli.training.linear import classifier as module
from kdsl_cli.training.linear.classifier import PENALTY_C, fit


def points(n=40, columns=90, intents=3, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % intents
    dense = rng.normal(size=(n, columns))
    dense[:, :intents] += 1.5 * np.eye(intents)[truth]
    return scipy.sparse.csr_matrix(dense), truth


def said(classifier, matrix):
    return classifier.probabilities(matrix, np.ones(matrix.shape[0], dtype=bool))


@pytest.mark.parametrize("intents", [2, 3])
def test_the_short_way_gives_the_same_fit_as_scikit_learn(intents, monkeypatch):
    matrix, truth = points(intents=intents)
    theirs = LogisticRegression(C=PENALTY_C, max_iter=1000, tol=1e-8).fit(matrix, truth).predict_proba(matrix)
    expected = (1 - FLOOR) * theirs + FLOOR / intents
    assert np.allclose(said(fit(matrix, truth, intents), matrix), expected, atol=2e-3)
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 1)  # the long way
    assert np.allclose(said(fit(matrix, truth, intents), matrix), expected, atol=2e-3)


@pytest.mark.parametrize("truth", [[], [1], [1, 1], [0, 2], [0, 1, 2, 2]])
def test_rows_sum_to_one_and_the_unseen_gets_the_floor(truth):
    matrix = scipy.sparse.csr_matrix(np.eye(4)[: len(truth)])
    found = said(fit(matrix, np.array(truth, dtype=np.int64), 4), scipy.sparse.csr_matrix(np.eye(4)))
    assert np.allclose(found.sum(axis=1), 1)
    unseen = sorted(set(range(4)) - set(truth))
    expected = FLOOR / 4 if truth else 0.25
    assert np.allclose(found[:, unseen], expected)


def test_rows_without_any_feature_can_be_learnt_from():
    found = fit(scipy.sparse.csr_matrix((3, 5)), np.array([0, 0, 1]), 2)
    first, second = said(found, scipy.sparse.csr_matrix((1, 5)))[0]
    assert first > second > FLOOR


def test_rows_that_were_not_observed_get_the_shares_of_the_sample():
    matrix, _ = points(n=40, intents=2)
    found = fit(matrix, np.arange(40) // 30, 3).probabilities(matrix[:2], np.array([True, False]))
    assert found[1] == pytest.approx((1 - FLOOR) * np.array([0.75, 0.25, 0]) + FLOOR / 3)
    assert found[0] != pytest.approx(found[1], abs=0.01)
