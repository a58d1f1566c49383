"""The three systems that are compared, and the rows on which they may be: the same rows for each of them."""

from __future__ import annotations

from itertools import combinations
from typing import Final, Literal

import polars as pl

from kdsl_cli.prediction.table import PredictionTable

System = Literal["rules", "large", "together"]
SYSTEMS: Final[tuple[System, ...]] = ("rules", "large", "together")
PAIRS: Final = tuple(combinations(SYSTEMS, 2))

ALL_TASKS: Final = "all tasks"
"""Stands where a task's name does, for the rows of all tasks pooled."""

COLUMNS_OF: Final[dict[System, tuple[str, str]]] = {
    "rules": ("rules_prediction", "rules_scores"),
    "large": ("large_prediction", "large_scores"),
    "together": ("prediction", "scores"),
}
"""Where the table of predictions keeps what a system said, and its scores."""

FAILED: Final = pl.col("error").is_not_null()
SCORED: Final = ~FAILED & pl.col("label").is_not_null()


def tasks_of(table: PredictionTable) -> tuple[str, ...]:
    """Return the tasks that have a row, in the catalogue's order."""
    present = set(table.frame["task"])
    return tuple(task for task in table.intents if task in present)


def rows_of(table: PredictionTable, task: str) -> pl.DataFrame:
    """Return the rows of a task, or of `ALL_TASKS`."""
    return table.frame if task == ALL_TASKS else table.frame.filter(pl.col("task") == task)


def took_part(table: PredictionTable, system: System, task: str) -> bool:
    """Whether a system was asked at all, so that its silence is an abstention.

    "together" always was. The large model was if it said anything on any row of the task; the rules also if
    they said nothing although the strategy asked them. Of `ALL_TASKS`, a system has to have taken part in
    each.
    """
    if task == ALL_TASKS:
        return all(took_part(table, system, each) for each in tasks_of(table))
    if system == "together":
        return True
    rows = rows_of(table, task).filter(~FAILED)
    asked = system == "rules" and bool((rows["strategy"] != "large").any())
    return asked or any(rows[column].is_not_null().any() for column in COLUMNS_OF[system])


def scored_rows(table: PredictionTable, system: System, task: str) -> pl.DataFrame | None:
    """Return what a system said on the rows that have a label and did not fail.

    Which rows these are does not depend on the system. Of `ALL_TASKS`, labels and predictions carry their
    task's name, so that two tasks' intents of the same name stay apart.

    Returns
    -------
    pl.DataFrame or None
        Columns id, group, label, prediction (null: abstained), right (false if abstained), confidence
        (probability given to the prediction; null if abstained or no scores) and label_score (probability
        given to the label; null if no scores). None if the system took no part.
    """
    if not took_part(table, system, task):
        return None
    if task != ALL_TASKS:
        return _scored_rows(table, system, task)
    named = [
        _scored_rows(table, system, each).with_columns(
            (pl.lit(f"{each}: ") + pl.col("label", "prediction")).name.keep()
        )
        for each in tasks_of(table)
    ]
    return pl.concat(named).sort("id") if named else _scored_rows(table, system, task)


def _scored_rows(table: PredictionTable, system: System, task: str) -> pl.DataFrame:
    said, scores = (pl.col(column) for column in COLUMNS_OF[system])
    place = {name: number for number, name in enumerate(table.intents.get(task, ()))}

    def score_of(intent: pl.Expr) -> pl.Expr:
        return scores.list.get(intent.replace_strict(place, default=None, return_dtype=pl.Int64))

    return (
        rows_of(table, task)
        .filter(SCORED)
        .select(
            "id",
            "group",
            "label",
            said.alias("prediction"),
            said.eq_missing(pl.col("label")).alias("right"),
            score_of(said).alias("confidence"),
            score_of(pl.col("label")).alias("label_score"),
        )
    )
