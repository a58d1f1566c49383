"""How good each system is: over all, per intent, and against the others on the same rows.

A failed row is in none of the scores. It is counted and named beside them, so that nobody takes a score over
90 rows for one over 100. A score without rows to stand on is null.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from kdsl_cli import metrics
from kdsl_cli.prediction.table import PredictionTable
from kdsl_cli.reporting.systems import (
    ALL_TASKS,
    FAILED,
    PAIRS,
    SYSTEMS,
    System,
    rows_of,
    scored_rows,
    tasks_of,
)
from kdsl_cli.runs.seeds import child_seed

SCORES = ("accuracy", "weighted_f1", "macro_f1")

OVERALL: dict[str, pl.DataType] = {
    "system": pl.String(),
    "task": pl.String(),
    "n": pl.Int64(),
    "n_scored": pl.Int64(),
    "n_failed": pl.Int64(),
    "n_unlabelled": pl.Int64(),
    "coverage": pl.Float64(),
    "abstained": pl.Int64(),
    **{name + end: pl.Float64() for name in SCORES for end in ("", "_low", "_high")},
    "undefined": pl.Int64(),
    "ece": pl.Float64(),
    "log_loss": pl.Float64(),
    "failed_ids": pl.List(pl.String()),
}
PER_INTENT: dict[str, pl.DataType] = {
    "system": pl.String(),
    "task": pl.String(),
    "intent": pl.String(),
    "support": pl.Int64(),
    "predicted": pl.Int64(),
    "correct": pl.Int64(),
    "precision": pl.Float64(),
    "precision_low": pl.Float64(),
    "recall": pl.Float64(),
    "recall_low": pl.Float64(),
    "f1": pl.Float64(),
}
MCNEMAR: dict[str, pl.DataType] = {
    "first": pl.String(),
    "second": pl.String(),
    "task": pl.String(),
    "n": pl.Int64(),
    "both": pl.Int64(),
    "first_only": pl.Int64(),
    "second_only": pl.Int64(),
    "neither": pl.Int64(),
    "p": pl.Float64(),
}


def overall(table: PredictionTable, *, seed: int, resamples: int = 2000) -> pl.DataFrame:
    """Return one row a task and system that took part in it; the last task is `ALL_TASKS`, pooled.

    ``n = n_scored + n_failed + n_unlabelled``: a failed row counts as failed whether it has a label or not.
    `coverage` is the share of scored rows with a prediction, `abstained` the number of those without. `_low`
    and `_high` are the ends of a 95 % bootstrap interval over groups; null with `resamples` 0 or fewer than
    two groups. `undefined` counts intents of the task that occur neither in labels nor in predictions, and so
    have no F1. `ece` is over rows with a prediction, `log_loss` over all scored rows; null if one of them
    lacks scores.
    """
    rows = [
        {
            "system": system,
            "task": task,
            **_counts(table, task),
            **_scores(table, task, said, seed, resamples),
        }
        for task, system, said in _said(table)
    ]
    return pl.DataFrame(rows, schema=OVERALL)


def per_intent(table: PredictionTable) -> pl.DataFrame:
    """Return one row a task, system and intent, in the catalogue's order; intents without support included.

    `precision_low` and `recall_low` are one-sided 90 % bounds (`metrics.precision_low`). Null: 0 / 0.
    """
    rows = [
        {
            "system": system,
            "task": task,
            "intent": score.intent,
            "support": score.support,
            "predicted": score.predicted,
            "correct": score.correct,
            "precision": score.precision,
            "precision_low": metrics.precision_low(score.correct, score.predicted),
            "recall": score.recall,
            "recall_low": metrics.precision_low(score.correct, score.support),
            "f1": score.f1,
        }
        for task, system, said in _said(table)
        if task != ALL_TASKS
        for score in metrics.intent_scores(
            said["label"].to_list(), said["prediction"].to_list(), table.intents[task]
        )
    ]
    return pl.DataFrame(rows, schema=PER_INTENT)


def mcnemar(table: PredictionTable) -> pl.DataFrame:
    """Return the exact McNemar test of each pair of systems, per task and pooled (`metrics.mcnemar`)."""
    said = {(task, system): rows for task, system, rows in _said(table)}
    rows = []
    for task in (*tasks_of(table), ALL_TASKS):
        for first, second in PAIRS:
            if (task, first) not in said or (task, second) not in said:
                continue
            right = [said[task, system]["right"].to_list() for system in (first, second)]
            test = metrics.mcnemar(*right)
            rows.append(
                {
                    "first": first,
                    "second": second,
                    "task": task,
                    "n": len(right[0]),
                    "both": test.both,
                    "first_only": test.first_only,
                    "second_only": test.second_only,
                    "neither": test.neither,
                    "p": test.p,
                }
            )
    return pl.DataFrame(rows, schema=MCNEMAR)


def _said(table: PredictionTable) -> list[tuple[str, System, pl.DataFrame]]:
    """Return (task, system, scored rows) of all systems that took part, `ALL_TASKS` last."""
    return [
        (task, system, said)
        for task in (*tasks_of(table), ALL_TASKS)
        for system in SYSTEMS
        if (said := scored_rows(table, system, task)) is not None
    ]


def _counts(table: PredictionTable, task: str) -> dict[str, Any]:
    rows = rows_of(table, task)
    failed = rows.filter(FAILED)["id"].to_list()
    unlabelled = rows.filter(~FAILED)["label"].null_count()
    return {
        "n": rows.height,
        "n_scored": rows.height - len(failed) - unlabelled,
        "n_failed": len(failed),
        "n_unlabelled": unlabelled,
        "failed_ids": failed,
    }


def _scores(
    table: PredictionTable, task: str, said: pl.DataFrame, seed: int, resamples: int
) -> dict[str, Any]:
    labels, predictions = said["label"].to_list(), said["prediction"].to_list()
    decided = said.filter(pl.col("prediction").is_not_null())
    names = sum(len(table.intents[each]) for each in (tasks_of(table) if task == ALL_TASKS else (task,)))
    found: dict[str, Any] = {
        "coverage": decided.height / said.height if said.height else None,
        "abstained": said.height - decided.height,
        "accuracy": metrics.accuracy(labels, predictions),
        "weighted_f1": metrics.weighted_f1(labels, predictions),
        "macro_f1": metrics.macro_f1(labels, predictions),
        "undefined": names - len({*labels, *predictions} - {None}),
        "ece": _calibration(decided),
        "log_loss": _log_loss(said),
    }
    # One seed a task: the systems are drawn on the same resamples, so that their intervals can be compared.
    rng = np.random.default_rng(child_seed(seed, "bootstrap", task))
    groups = said["group"].to_list()
    intervals = metrics.bootstrap(labels, predictions, rng=rng, groups=groups, resamples=resamples)
    for name in SCORES if intervals else ():
        interval = getattr(intervals, name)
        found |= {f"{name}_low": interval.low, f"{name}_high": interval.high}
    return found


def _calibration(decided: pl.DataFrame) -> float | None:
    if decided["confidence"].null_count():
        return None
    return metrics.expected_calibration_error(decided["confidence"].to_list(), decided["right"].to_list())


def _log_loss(said: pl.DataFrame) -> float | None:
    if said["label_score"].null_count():
        return None
    # Tasks differ in their number of intents; the loss needs the label's column alone.
    return metrics.log_loss(said["label_score"].to_numpy().reshape(-1, 1), [0] * said.height)
