"""Temperature and floor: what logits become."""

from __future__ import annotations

import numpy as np
import pytest

from kdsl_cli.training.calibration import HOTTEST, best_temperature, probabilities


def test_temperature_undoes_too_much_confidence():
    rng = np.random.default_rng(0)
    honest = rng.normal(size=(4000, 3)) * 2
    shares = np.exp(honest) / np.exp(honest).sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(3, p=row) for row in shares])
    assert best_temperature(honest * 3, truth) == pytest.approx(3, rel=0.1)
    assert best_temperature(honest / 3, truth) == pytest.approx(1 / 3, rel=0.1)
    assert best_temperature(honest * 99, truth) == pytest.approx(HOTTEST, rel=0.01)


@pytest.mark.parametrize("logits", [np.zeros((0, 3)), np.full((2, 3), -np.inf), np.array([[0.0, -np.inf]])])
def test_temperature_is_one_where_nothing_tells(logits):
    assert best_temperature(logits, np.zeros(len(logits), dtype=np.int64)) == 1.0


def test_probabilities_survive_huge_logits():
    found = probabilities(np.array([[1e6, 0.0, -1e6]]), 0.1)
    assert found.round(4).tolist() == [[0.9933, 0.0033, 0.0033]]
