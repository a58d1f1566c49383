"""The summary counts every row once and names what failed."""

from __future__ import annotations

from kdsl_cli.prediction.summary import render, summarise
from kdsl_cli.prediction.table import Prediction, prediction_table

INTENTS = {"scene": ("a", "b"), "wish": ("c",), "unused": ("d",)}


def row(number, decided_by="none", error=None, task="scene", fired=()):
    scores = None if error else (0.5, 0.5)
    said = None if decided_by == "none" else "a"
    strategy = "log-odds" if error is None else "none"
    return Prediction(
        f"d{number:02}",
        task,
        "test",
        None,
        None,
        said,
        scores,
        fired,
        strategy,
        decided_by=decided_by,
        error=error,
    )


def test_rows_are_counted_by_task_and_by_who_decided():
    rows = [row(1, "rules"), row(2, "large"), row(3, "both"), row(4, "both"), row(5), row(6, error="lost")]
    told = summarise(prediction_table([*rows, row(7, error="unknown task", task="other")], INTENTS))
    assert told["tasks"] == {
        "scene": {
            "n": 6,
            "strategy": "log-odds",
            "rules": 1,
            "large": 1,
            "both": 2,
            "abstained": 1,
            "failed": 1,
        },
        "other": {"n": 1, "strategy": None, "rules": 0, "large": 0, "both": 0, "abstained": 0, "failed": 1},
    }
    assert told["failed"] == {"d06": "lost", "d07": "unknown task"}


def test_the_rules_that_fired_most_come_first_then_by_name():
    rows = [row(1, fired=("z", "b")), row(2, fired=("z", "a"))]
    assert list(summarise(prediction_table(rows, INTENTS))["fired"].items()) == [("z", 2), ("a", 1), ("b", 1)]


def test_long_lists_are_cut_on_the_screen_and_say_so():
    rows = [row(n, error=f"reason {n}") for n in range(12)]
    text = render(
        summarise(prediction_table(rows, INTENTS)), "p.parquet", unread=[f"u{n}" for n in range(11)]
    )
    assert "failed: d09: reason 9" in text and "d10" not in text
    assert "and 2 more that failed" in text
    assert "11 of them have a picture that could not be read: u0, " in text and ", and 1 more" in text
    assert text.endswith("p.parquet")


def test_no_rows_are_said_to_be_none():
    assert (
        render(summarise(prediction_table([], INTENTS)), "p.parquet", unread=[]) == "no dialogues\np.parquet"
    )
