from __future__ import annotations

import polars as pl
import pytest

from kdsl_cli.reporting.page.curves import reliability, selective
from tests.reporting.page.made import material


@pytest.fixture(scope="module")
def table():
    return material(120).predictions


def test_every_scored_decision_is_in_one_bin_and_bins_are_as_full_as_each_other(table):
    bins = reliability(table, "scene").filter(pl.col("system") == "together")
    assert bins["n"].sum() == 121  # 120 and one more; abstained, failed and unlabelled are in none
    assert bins["n"].max() - bins["n"].min() <= 1
    assert bins["confidence"].is_sorted() and bins.height == 10


def test_the_interval_holds_the_share_that_was_right(table):
    for row in reliability(table, "scene").iter_rows(named=True):
        assert 0 <= row["low"] <= row["accuracy"] <= row["high"] <= 1


def test_few_rows_are_one_bin(table):
    assert reliability(table, "chat")["n"].to_list() == [4, 4, 4]


def test_at_full_coverage_precision_is_that_of_all_decisions(table):
    curve = selective(table, "scene").filter(pl.col("system") == "together")
    last = curve.row(-1, named=True)
    assert last["n"] == 121
    assert last["coverage"] == pytest.approx(121 / 122)  # the abstention is a scored row too
    assert last["precision"] == pytest.approx(108 / 121)
    assert curve["coverage"].is_sorted() and curve["confidence"].is_sorted(descending=True)


def test_rows_of_one_confidence_come_together(table):
    assert selective(table, "chat")["coverage"].to_list() == [1.0, 1.0, 1.0]


def test_a_system_that_took_no_part_has_no_curve(table):
    silent = material(30).predictions.frame.with_columns(
        pl.lit(None, pl.String).alias("large_prediction"),
        pl.lit(None, pl.List(pl.Float64)).alias("large_scores"),
    )
    found = selective(type(table)(silent, table.intents), "scene")
    assert set(found["system"]) == {"rules", "together"}
