"""Pooling: one score a seed over all held-out rows, the spread beside it, and no row lost on the way."""

from __future__ import annotations

import statistics

import pytest

from kdsl_cli.errors import StageError
from kdsl_cli.reporting.cross_validation import Fold, cross_validate
from kdsl_cli.reporting.scores import overall

LABELS = {"a": "refund", "b": "refund", "c": "parcel", "d": "parcel"}
FOLDS = [
    Fold(0, 0, ("a", "b")),
    Fold(0, 1, ("c", "d")),
    Fold(1, 0, ("a", "c")),
    Fold(1, 1, ("b", "d")),
]


@pytest.fixture
def chain(row, table_of):
    """Under seed 0 all is right but d; under seed 1 all is a refund."""

    def predict(fold):
        said = {name: LABELS[name] if fold.seed == 0 and name != "d" else "refund" for name in fold.ids}
        return table_of([row(name, LABELS[name], (None, None, said[name])) for name in fold.ids])

    return predict


def together(frame):
    return [
        row for row in frame.iter_rows(named=True) if (row["system"], row["task"]) == ("together", "scene")
    ]


def test_a_seeds_score_is_that_of_its_pooled_rows_and_not_the_mean_of_its_folds(chain):
    found = cross_validate(FOLDS, chain, seed=0, resamples=50)
    first, second = together(found.per_seed)
    assert (first["seed"], first["accuracy"], first["n_scored"]) == (0, 0.75, 4)
    assert (second["seed"], second["accuracy"]) == (1, 0.5)
    assert second["weighted_f1"] == pytest.approx(1 / 3)  # a mean over its folds would give 1/3 too ...
    assert first["weighted_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    in_folds = [row["weighted_f1"] for row in together(found.per_fold)][:2]
    assert statistics.mean(in_folds) == pytest.approx((1 + 2 / 3) / 2)  # ... but not here
    assert first["accuracy_low"] < 0.75
    assert overall(found.pooled[0], seed=0, resamples=50).equals(
        found.per_seed.filter(found.per_seed["seed"] == 0).drop("seed")
    )


def test_the_summary_is_mean_and_deviation_over_seeds_with_the_spread_of_folds(chain):
    (row,) = together(cross_validate(FOLDS, chain, seed=0, resamples=0).summary)
    assert (row["seeds"], row["folds"], row["n"], row["n_failed"]) == (2, 4, 4, 0)
    assert row["accuracy_mean"] == 0.625
    assert row["accuracy_sd"] == pytest.approx(statistics.stdev([0.75, 0.5]))
    assert row["accuracy_fold_sd"] == pytest.approx(statistics.stdev([1.0, 0.5, 0.5, 0.5]))
    assert (row["accuracy_fold_low"], row["accuracy_fold_high"]) == (0.5, 1.0)


def test_one_seed_has_no_deviation(chain):
    (row,) = together(cross_validate(FOLDS[:2], chain, seed=0, resamples=0).summary)
    assert (row["accuracy_mean"], row["accuracy_sd"]) == (0.75, None)


def test_failed_rows_are_pooled_as_failed(row, table_of):
    def chain(fold):
        return table_of([row(name, LABELS[name], error="picture: truncated") for name in fold.ids])

    found = cross_validate(FOLDS[:2], chain, seed=0, resamples=0)
    (pooled,) = together(found.per_seed)
    assert pooled["failed_ids"] == ["a", "b", "c", "d"]
    assert (pooled["accuracy"], together(found.summary)[0]["n_failed"]) == (None, 4)


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        (("a",), "seed 0, fold 0: held out but not predicted, nor said to have failed: b"),
        (("a", "b", "c"), "seed 0, fold 0: predicted but not held out: c"),
    ],
)
def test_a_chain_that_loses_or_adds_a_row_is_refused(row, table_of, predicted, message):
    with pytest.raises(StageError, match=message):
        cross_validate(
            FOLDS[:1], lambda fold: table_of([row(name, LABELS[name]) for name in predicted]), seed=0
        )


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ([], "no folds"),
        ([Fold(0, 0, ("a", "b")), Fold(0, 1, ("b",))], "seed 0: held out in two folds: b"),
        ([*FOLDS[:2], FOLDS[2]], "seed 1: not held out under every seed: b, d"),
    ],
)
def test_folds_that_do_not_hold_out_each_row_once_a_seed_are_refused_before_any_work(folds, message):
    def chain(fold):
        raise AssertionError("the chain ran")

    with pytest.raises(StageError, match=message):
        cross_validate(folds, chain, seed=0)
