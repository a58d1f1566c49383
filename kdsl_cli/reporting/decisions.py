"""What was decided on each dialogue, and what is taken for what."""

from __future__ import annotations

import polars as pl

from kdsl_cli.prediction.table import PredictionTable
from kdsl_cli.reporting.systems import (
    COLUMNS_OF,
    FAILED,
    SCORED,
    SYSTEMS,
    System,
    scored_rows,
    tasks_of,
    took_part,
)

CONFUSIONS: dict[str, pl.DataType] = {
    "system": pl.String(),
    "task": pl.String(),
    "label": pl.String(),
    "prediction": pl.String(),
    "count": pl.Int64(),
    "ids": pl.List(pl.String()),
}


def per_dialogue(table: PredictionTable) -> pl.DataFrame:
    """Return every row, sorted by id: what each side said, whether it was right, and who decided.

    `state` is "decided", "abstained" or "failed". `right`, `rules_right` and `large_right` are false for an
    abstention and null where nothing can be said: no label, a failed row, a side that took no part.
    `confidence` is the highest probability, of whatever intent; null if the row failed.
    """
    state = (
        pl.when(FAILED)
        .then(pl.lit("failed"))
        .when(pl.col("prediction").is_null())
        .then(pl.lit("abstained"))
        .otherwise(pl.lit("decided"))
    )
    return table.frame.select(
        "id",
        "task",
        "group",
        "label",
        state.alias("state"),
        "prediction",
        _right(table, "together").alias("right"),
        pl.col("scores").list.max().alias("confidence"),
        "decided_by",
        "rules_prediction",
        _right(table, "rules").alias("rules_right"),
        "large_prediction",
        _right(table, "large").alias("large_right"),
        "fired",
        "error",
    )


def _right(table: PredictionTable, system: System) -> pl.Expr:
    said, _ = COLUMNS_OF[system]
    asked = [task for task in tasks_of(table) if took_part(table, system, task)]
    return pl.when(SCORED & pl.col("task").is_in(asked)).then(pl.col(said).eq_missing(pl.col("label")))


def confusions(table: PredictionTable) -> pl.DataFrame:
    """Return what each system takes for what: label, prediction (null: abstained), count and ids.

    Right predictions are left out; `per_intent` counts them. The most frequent come first within a task and
    system, then in the order of the names.
    """
    found = [
        said.filter(~pl.col("right"))
        .group_by("label", "prediction")
        .agg(pl.len().cast(pl.Int64).alias("count"), pl.col("id").sort().alias("ids"))
        .sort("count", "label", "prediction", descending=[True, False, False], nulls_last=True)
        .select(pl.lit(system).alias("system"), pl.lit(task).alias("task"), pl.all())
        for task in tasks_of(table)
        for system in SYSTEMS
        if (said := scored_rows(table, system, task)) is not None
    ]
    return pl.concat([pl.DataFrame(schema=CONFUSIONS), *found])
