"""What is settled before a task is decided: the fallback that is said, the weights that are learnt."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kdsl_cli.errors import StageError
from kdsl_cli.prediction.outoffold import Joined
from kdsl_cli.prediction.settling import settle
from kdsl_cli.prediction.strategies import Weights

JOINED = Joined(
    np.array([[3.0, 0.0], [0.0, 3.0]] * 30),
    np.array([[0.9, 0.1], [0.9, 0.1]] * 30),
    np.array([0, 1] * 30),
)


def test_weights_are_learnt_and_told_with_the_losses():
    settled = settle("log-odds", "scene", rules=True, large=True, joined=JOINED)
    assert settled.strategy == "log-odds"
    assert settled.weights.rules > 1 > settled.weights.large
    assert settled.learnt_from == 60
    assert settled.losses.together < settled.losses.large
    assert settled.notes == ()
    record = json.loads(json.dumps(settled.record(["refund", "parcel"])))
    assert record["weights"]["rules"] == settled.weights.rules
    first, second = settled.weights.intercepts
    assert record["weights"]["intercepts"] == {"refund": first, "parcel": second}
    assert record["losses"]["together"] == settled.losses.together


def test_other_strategies_learn_nothing():
    settled = settle("rules-first", "scene", rules=True, large=True, joined=JOINED, override_precision=0.7)
    assert (settled.weights, settled.learnt_from, settled.override_precision) == (Weights(), 0, 0.7)


@pytest.mark.parametrize(
    ("strategy", "rules", "large", "used", "note"),
    [
        ("log-odds", False, True, "large", "scene has no rules: the large model decides alone"),
        ("rules-first", False, True, "large", "scene has no rules: the large model decides alone"),
        ("log-odds", True, False, "rules", "the large model does not know it, the rules decide alone"),
        ("rules", False, False, "rules", "scene has no rules: every dialogue of it is an abstention"),
    ],
)
def test_a_missing_side_leads_to_a_fallback_that_is_said(strategy, rules, large, used, note):
    settled = settle(strategy, "scene", rules=rules, large=large)
    assert settled.strategy == used
    assert len(settled.notes) == 1
    assert note in settled.notes[0]


def test_nothing_to_learn_from_is_said():
    settled = settle("log-odds", "scene", rules=True, large=True, unlearnt="the fold file is not there")
    assert settled.weights == Weights(1, 1)
    assert settled.record(["refund", "parcel"])["weights"]["intercepts"] == {}
    assert settled.notes == ("scene: the fold file is not there, so both sides count as they come",)


def test_what_cannot_be_done_is_refused():
    with pytest.raises(StageError, match="Did you mean 'log-odds'"):
        settle("logodds", "scene", rules=True, large=True)
    for rules in (True, False):
        with pytest.raises(StageError, match="kdsl train-large"):
            settle("large", "scene", rules=rules, large=False)
