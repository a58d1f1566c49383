"""Training a task: what the model says, and what was said out of fold."""

from __future__ import annotations

import numpy as np
import pytest

from kdsl_cli.dialogues.folds import fold_numbers
from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.predicates import TextPredicate
from kdsl_cli.logic.rule import Rule
from kdsl_cli.training.calibration import FLOOR
from kdsl_cli.training.linear.trainer import FOLDS, train
from kdsl_cli.training.quality import quality
from tests.training.linear.conftest import TASK, facts, sample_of


@pytest.fixture(scope="module")
def trained(sample):
    return train(sample, seed=0)


def test_new_dialogues_are_told_apart_with_probabilities_in_the_catalogues_order(trained):
    scores = trained.model.scores([facts("x", "退款呢"), facts("y", "快递呢", broken=True)])
    assert trained.model.intents == TASK.names
    assert scores.shape == (2, 3) and scores.dtype == np.float64
    assert np.allclose(scores.sum(axis=1), 1)
    assert scores.argmax(axis=1).tolist() == [0, 1]
    assert np.allclose(scores[:, 2], FLOOR / 3)
    assert trained.warnings == ("talk: no training sample of 'season': scored at the floor, never predicted",)


def test_a_picture_that_could_not_be_read_is_not_one_that_shows_nothing():
    rows = [("", "refund")] * 3 + [("快递", "parcel")] * 3  # refunds are pictures without a word
    model = train(sample_of(rows), seed=0).model
    blank, unread = model.scores([facts("x", ""), facts("y", "", broken=True)])
    assert blank[0] > 0.8
    assert unread[:2] == pytest.approx(model.scores([Facts("empty")])[0, :2])
    assert unread[0] < 0.5  # one of the refunds could not be read either and was not learnt from
    assert model.scores([]).shape == (0, 3)


def test_out_of_fold_scores_come_from_models_that_had_not_seen_the_row(sample, trained):
    assert trained.folds.tolist() == fold_numbers(sample.labels, sample.groups, FOLDS, 0).tolist()
    assert trained.quality.n == 18 and trained.quality.accuracy == 1.0
    # One whose text nobody else has, with another's label: seen, the model would follow it; unseen it cannot.
    odd = sample_of(
        [*zip(("退款",) * 6 + ("快递",) * 6, sample.labels[3:15], strict=True), ("红色", "parcel")]
    )
    alone = train(odd, seed=0)
    assert alone.model.scores([facts("x", "红色")])[0, 1] > alone.scores[-1, 1]


def test_dialogues_of_one_group_are_never_judged_by_each_other():
    grouped = train(sample_of([("退款", "refund"), ("快递", "parcel")] * 3, group="one"), seed=0)
    assert len(set(grouped.folds.tolist())) == 1
    assert np.allclose(grouped.scores, 1 / 3)


def test_rows_are_those_of_the_file(trained):
    rows = trained.rows()
    assert [row[0] for row in rows] == [f"d{n:02}" for n in range(18)]
    assert {row[1] for row in rows} == {"talk"} and {row[2] for row in rows} <= set(range(FOLDS))
    assert all(sum(row[3]) == pytest.approx(1) for row in rows)


def test_rules_of_an_expert_help_where_samples_lack_and_disabled_ones_do_not(sample):
    def says(status):
        rule = Rule("colour", "refund", TextPredicate("customer", "contains", ("绿",)), status)
        rows = [("绿一", "refund"), ("绿二", "refund"), ("红三", "parcel"), ("红四", "parcel")]
        return train(sample_of(rows), [rule], seed=0).model

    assert says("draft").knowledge.rules and not says("disabled").knowledge.rules
    asked = [facts("x", "绿八")]
    assert says("draft").scores(asked)[0, 0] > says("disabled").scores(asked)[0, 0]


@pytest.mark.parametrize(
    "rows", [[], [("退款", "refund")], [("退款", "refund")] * 3, [("", "refund"), ("", "parcel")]]
)
def test_tiny_samples_give_whole_probabilities(rows):
    tiny = train(sample_of(rows), seed=0)
    scores = tiny.model.scores([facts("x", "退款")])
    assert np.allclose(scores.sum(axis=1), 1) and (scores > 0).all()
    assert tiny.scores.shape == (len(rows), 3)
    assert tiny.model.classifier.temperature > 0
    assert tiny.warnings
    if not rows:
        assert tiny.quality.weighted_f1 is None and np.allclose(scores, 1 / 3)


def test_quality_is_that_of_the_likeliest_intent(sample):
    scores = np.tile([0.5, 0.3, 0.2], (18, 1))
    found = quality(sample, scores)
    assert (found.n, found.accuracy) == (18, 0.5)
    assert found.log_loss == pytest.approx(-np.log([0.5, 0.3]).mean())


def test_progress_is_told_after_each_fit(sample):
    told = []
    train(sample, seed=0, tell=lambda: told.append(1))
    assert len(told) == FOLDS + 1
