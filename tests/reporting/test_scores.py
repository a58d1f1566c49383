"""Overall, per intent and paired: the same rows for each system, and what is left out is said."""

from __future__ import annotations

import numpy as np
import pytest

from kdsl_cli import metrics
from kdsl_cli.reporting.scores import SCORES, mcnemar, overall, per_intent
from kdsl_cli.reporting.systems import ALL_TASKS, SYSTEMS, scored_rows, took_part
from kdsl_cli.runs.seeds import child_seed


def pick(frame, **wanted):
    rows = [row for row in frame.iter_rows(named=True) if all(row[key] == wanted[key] for key in wanted)]
    assert len(rows) == 1
    return rows[0]


def test_every_row_is_scored_failed_or_unlabelled_and_the_failed_are_named(table):
    for row in overall(table, seed=0, resamples=0).iter_rows(named=True):
        assert row["n"] == row["n_scored"] + row["n_failed"] + row["n_unlabelled"]
        assert row["failed_ids"] == ([] if row["task"] == "chat" else ["s5"])
    scene = pick(overall(table, seed=0, resamples=0), system="together", task="scene")
    assert (scene["n"], scene["n_scored"], scene["n_failed"], scene["n_unlabelled"]) == (6, 4, 1, 1)


def test_a_failed_row_with_no_label_is_counted_once(row, table_of):
    found = overall(table_of([row("a", None, error="x"), row("b", "refund")]), seed=0, resamples=0)
    together = pick(found, system="together", task="scene")
    assert (together["n_scored"], together["n_failed"], together["n_unlabelled"]) == (1, 1, 0)


def test_scores_count_an_abstention_as_wrong_and_no_failed_row_at_all(table):
    found = overall(table, seed=0, resamples=0)
    labels = ["refund", "refund", "parcel", "parcel"]
    said = {
        "rules": ["refund", "refund", None, "refund"],
        "large": ["refund", "parcel", "parcel", "parcel"],
        "together": ["refund", "refund", "parcel", None],
    }
    for system, predictions in said.items():
        row = pick(found, system=system, task="scene")
        assert row["accuracy"] == metrics.accuracy(labels, predictions)
        assert row["weighted_f1"] == metrics.weighted_f1(labels, predictions)
        assert row["macro_f1"] == metrics.macro_f1(labels, predictions)
        assert row["abstained"] == predictions.count(None)
        assert row["coverage"] == 1 - predictions.count(None) / 4
        assert row["undefined"] == 1  # nobody has or says "coupon"


def test_all_tasks_pool_the_rows_and_keep_intents_apart(table):
    row = pick(overall(table, seed=0, resamples=0), system="large", task=ALL_TASKS)
    assert (row["n"], row["n_scored"], row["accuracy"]) == (8, 6, 4 / 6)
    assert (row["n_failed"], row["undefined"]) == (1, 1)
    labels = scored_rows(table, "large", ALL_TASKS)["label"].to_list()
    assert labels == [f"chat: {name}" for name in ("return", "hurry")] + [
        f"scene: {name}" for name in ("refund", "refund", "parcel", "parcel")
    ]


def test_intervals_are_the_grouped_bootstrap_of_the_scored_rows(row, table_of):
    rows = [
        row(f"{n:03}", "refund", (None, None, "refund" if n % 3 else "parcel"), group=f"g{n // 4}")
        for n in range(60)
    ]
    found = pick(overall(table_of(rows), seed=5, resamples=200), system="together", task="scene")
    expected = metrics.bootstrap(
        ["refund"] * 60,
        [each.prediction for each in rows],
        rng=np.random.default_rng(child_seed(5, "bootstrap", "scene")),
        groups=[each.group for each in rows],
        resamples=200,
    )
    for name in SCORES:
        assert found[f"{name}_low"] == getattr(expected, name).low < found[name]
        assert found[f"{name}_high"] == getattr(expected, name).high > found[name]


def test_the_same_seed_gives_the_same_table(table):
    assert overall(table, seed=1, resamples=50).equals(overall(table, seed=1, resamples=50))


def test_calibration_is_told_of_what_was_decided_and_log_loss_only_of_all_rows(table):
    found = overall(table, seed=0, resamples=0)
    together = pick(found, system="together", task="scene")
    assert together["ece"] == pytest.approx(0.2)  # 3 of 3 right at a stated 0.8
    assert together["log_loss"] == pytest.approx(-(3 * np.log(0.8) + np.log(1 / 3)) / 4)
    rules = pick(found, system="rules", task="scene")
    assert rules["ece"] == pytest.approx(0.8 - 2 / 3)
    assert rules["log_loss"] is None  # no scores where no rule fired


def test_a_system_nobody_asked_has_no_row_rather_than_a_zero(row, table_of):
    rows = [row(f"{n}", "refund", (None, None, "refund"), strategy="rules") for n in range(3)]
    silent = table_of(rows)
    assert [took_part(silent, system, "scene") for system in SYSTEMS] == [True, False, True]
    found = overall(silent, seed=0, resamples=0)
    assert set(found["system"]) == {"rules", "together"}
    assert pick(found, system="rules", task="scene")["weighted_f1"] == 0
    only_large = table_of([row("a", "refund", (None, "refund", "refund"), strategy="large")])
    assert set(overall(only_large, seed=0, resamples=0)["system"]) == {"large", "together"}
    assert set(mcnemar(only_large)["first"]) == {"large"}


def test_a_system_that_knows_one_task_of_two_has_no_score_over_both(row, table_of):
    rows = [row("a", "refund", (None, "refund", "refund")), row("b", "return", task="chat")]
    found = overall(table_of(rows), seed=0, resamples=0)
    assert [row["task"] for row in found.iter_rows(named=True) if row["system"] == "large"] == ["scene"]


def test_rows_that_all_failed_leave_scores_null(row, table_of):
    found = overall(table_of([row("a", "refund", error="x"), row("b", "parcel", error="y")]), seed=0)
    together = pick(found, system="together", task="scene")
    assert (together["n_failed"], together["failed_ids"]) == (2, ["a", "b"])
    for name in (*SCORES, "weighted_f1_low", "coverage", "ece", "log_loss"):
        assert together[name] is None


def test_no_predictions_at_all_make_tables_without_scores(table_of):
    empty = table_of([])
    assert overall(empty, seed=0)["weighted_f1"].null_count() == overall(empty, seed=0).height
    assert per_intent(empty).height == 0


def test_every_intent_of_the_catalogue_has_a_row_and_a_bound_where_there_is_one(table):
    found = per_intent(table)
    assert [row["intent"] for row in found.iter_rows(named=True) if row["system"] == "large"] == [
        "refund",
        "parcel",
        "coupon",
        "return",
        "hurry",
    ]
    refund = pick(found, system="rules", intent="refund")
    assert (refund["support"], refund["predicted"], refund["correct"]) == (2, 3, 2)
    assert (refund["precision"], refund["recall"], refund["f1"]) == (2 / 3, 1.0, 0.8)
    assert refund["precision_low"] == metrics.precision_low(2, 3)
    coupon = pick(found, system="rules", intent="coupon")
    assert (coupon["precision"], coupon["precision_low"], coupon["recall"], coupon["f1"]) == (None,) * 4


def test_pairs_are_compared_on_the_rows_that_all_of_them_are_scored_on(table):
    found = mcnemar(table)
    scene = pick(found, first="rules", second="large", task="scene")
    assert scene["n"] == 4
    assert (scene["both"], scene["first_only"], scene["second_only"], scene["neither"]) == (1, 1, 2, 0)
    assert scene["p"] == 1.0
    pooled = pick(found, first="rules", second="large", task=ALL_TASKS)
    assert (pooled["n"], pooled["first_only"], pooled["second_only"]) == (6, 2, 3)
    assert [(row["first"], row["second"]) for row in found.iter_rows(named=True)][:3] == [
        ("rules", "large"),
        ("rules", "together"),
        ("large", "together"),
    ]
