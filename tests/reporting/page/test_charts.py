"""Curves as they stand in the page; they need the extra `report`."""

from __future__ import annotations

import re

import polars as pl
import pytest

from kdsl_cli.reporting.page import charts
from kdsl_cli.reporting.page.curves import reliability, selective
from kdsl_cli.reporting.page.page import page
from tests.reporting.page.made import material

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not charts.available(), reason="the extra `report` is not installed"),
]


@pytest.fixture(scope="module")
def drawn():
    table = material(40).predictions
    measured = {
        "step": [1, 2, 3],
        "epoch": [1, 1, 1],
        "val_weighted_f1": [None, 0.4, 0.5],
        "loss": [2.0, 1.5, 1.0],
    }
    return {
        "reliability": charts.reliability_chart(reliability(table, "scene")),
        "selective": charts.selective_chart(selective(table, "scene")),
        **charts.training_charts(pl.DataFrame(measured)),
    }


def test_a_chart_has_a_name_and_the_colours_of_the_page(drawn):
    for svg in drawn.values():
        assert svg.startswith('<svg role="img" aria-label="')
        assert "var(--" in svg
    for system in ("rules", "large", "together"):
        assert f'"var(--{system})"' in drawn["reliability"]
        assert f'"var(--{system})"' in drawn["selective"]


def test_nothing_in_a_chart_is_against_the_policy_of_the_page(drawn):
    for svg in drawn.values():
        assert not re.search(r"\sstyle=|<style|<script|<image|href=", svg)


def test_what_was_measured_in_training_has_a_curve_and_what_was_counted_has_none(drawn):
    assert list(drawn)[2:] == ["loss", "val_weighted_f1"]


def test_the_page_shows_them():
    html = page(material(20, training=pl.DataFrame({"step": [1, 2], "loss": [2.0, 1.0]})), {})
    assert html.count('<svg role="img"') == 4  # two of scenes, one of four chats, and the loss
    assert "kdsl-cli[report]" not in html


def test_a_split_without_labels_has_no_curves():
    made = material(4)
    table = made.predictions
    bare = type(table)(table.frame.with_columns(pl.lit(None, pl.String).alias("label")), table.intents)
    assert reliability(bare, "scene").is_empty() and selective(bare, "scene").is_empty()
