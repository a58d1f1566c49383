"""What a reader wants to know first: how good is it, and can it be trusted; in numbers and in sentences.

A sentence claims no more than the rows carry: a difference that the paired test does not show is said to be
none that was shown, and a score comes with the room its interval leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from kdsl_cli import metrics
from kdsl_cli.prediction.table import PredictionTable
from kdsl_cli.reporting.page.curves import selective
from kdsl_cli.reporting.page.material import listing
from kdsl_cli.reporting.summary import p_value
from kdsl_cli.reporting.systems import SYSTEMS, System, scored_rows
from kdsl_cli.reporting.tables import Tables

NAMES: Final[dict[System, str]] = {"rules": "rules", "large": "large model", "together": "together"}

_ALONE: Final = {"rules": "by the rules alone", "large": "by the large model alone"}
_BOTH: Final = "rules and model together"
_SIGNIFICANT: Final = 0.05
_SURE_SHARE: Final = 0.5
_WIDE: Final = 0.2  # of an interval
_ONE_SIDED: Final = 0.975  # what the lower end of a 95 % interval is


@dataclass(frozen=True, slots=True)
class Sentence:
    """A remark: `good`, `bad` or `plain`, and a link to the dialogues it speaks of, if there are any."""

    text: str
    tone: str = "plain"
    link: str | None = None


def scores(tables: Tables, task: str) -> dict[System, dict[str, Any]]:
    """Return the row of `scores.overall` of each system that took part in a task."""
    rows = tables.overall.filter(pl.col("task") == task)
    return {row["system"]: row for row in rows.iter_rows(named=True)}


def deciders(table: PredictionTable, task: str) -> str:
    """Return in words who decides a task under the strategy of its rows."""
    strategies = set(table.frame.filter(pl.col("task") == task)["strategy"])
    return _ALONE[strategies.pop()] if len(strategies) == 1 and strategies <= _ALONE.keys() else _BOTH


def trust(tables: Tables, table: PredictionTable, task: str) -> list[Sentence]:
    """Return what speaks for and against believing the score of a task."""
    row = scores(tables, task)["together"]
    told = [_room(row), *_compared(tables, task), _sureness(table, task), _surest(table, task)]
    return [sentence for sentence in (*told, *_left_out(row, task)) if sentence is not None]


def _room(row: dict[str, Any]) -> Sentence | None:
    """Tell how far the score may be off on other dialogues; resamples of rows all right never differ."""
    low, high, n = row["weighted_f1_low"], row["weighted_f1_high"], row["n_scored"]
    if low is None:
        return None
    if low == high:
        bound = metrics.precision_low(round(row["accuracy"] * n), n, _ONE_SIDED)
        return Sentence(
            f"All alike, which a few dialogues can be: on others, expect {bound:.0%} right or more."
        )
    few = "Few dialogues, so little is sure: on" if high - low > _WIDE else "On"
    return Sentence(f"{few} others like these {n}, expect {low:.2f} to {high:.2f}.")


def _compared(tables: Tables, task: str) -> Iterator[Sentence]:
    """Tell of each side alone against both together."""
    for row in tables.mcnemar.filter(pl.col("task") == task, pl.col("second") == "together").iter_rows(
        named=True
    ):
        other, lost, won = row["first"], row["first_only"], row["second_only"]
        name = "the large model" if other == "large" else "rules"
        if row["p"] is None:
            continue
        if not lost + won:
            yield Sentence(f"Together and {name} alone are right on the same dialogues.")
            continue
        counts = f"{won} gained, {lost} lost (p {p_value(row['p'])})"
        if row["p"] < _SIGNIFICANT:
            verdict, tone = ("better", "good") if won > lost else ("worse", "bad")
            text = f"Together is {verdict} than {name} alone: {counts}."
        else:
            text, tone = f"Together is not shown to differ from {name} alone: {counts}.", "plain"
        yield Sentence(text, tone, listing(task=task, sides=f"not-{other}"))


def _sureness(table: PredictionTable, task: str) -> Sentence | None:
    """Compare how sure it says it is with how often it is right; two standard errors are a difference."""
    said = scored_rows(table, "together", task)
    decided = None if said is None else said.drop_nulls("confidence")
    if decided is None or not decided.height:
        return None
    stated = sum(decided["confidence"]) / decided.height
    right = int(decided["right"].sum()) / decided.height
    off, error = stated - right, (right * (1 - right) / decided.height) ** 0.5
    figures = f"it gives {stated:.0%} on average and is right on {right:.0%}"
    if abs(off) <= 2 * error or abs(off) < 0.02:
        return Sentence(f"Its probabilities can be taken at their word: {figures}.", "good")
    if off > 0:
        return Sentence(f"It is too sure of itself: {figures}.", "bad")
    return Sentence(f"It is right more often than it says: {figures}.")


def _surest(table: PredictionTable, task: str) -> Sentence | None:
    curve = selective(table, task).filter(pl.col("system") == "together", pl.col("coverage") >= _SURE_SHARE)
    if not curve.height:
        return None
    row = curve.row(0, named=True)
    right = round(row["n"] * row["precision"])
    text = (
        f"Of the {row['n']} dialogues it is surest of ({row['confidence']:.0%} or more), {right} are right."
    )
    return Sentence(text, "good" if row["precision"] >= 0.9 else "plain")


def _left_out(row: dict[str, Any], task: str) -> Iterator[Sentence]:
    if row["n_failed"]:
        text = f"{row['n_failed']} of {row['n']} failed: in no score."
        yield Sentence(text, "bad", listing(task=task, state="failed"))
    if row["n_unlabelled"]:
        text = f"{row['n_unlabelled']} of {row['n']} have no label: in no score."
        yield Sentence(text, "plain", listing(task=task, state="unlabelled"))
    if row["abstained"]:
        text = f"On {row['abstained']} it abstained, which counts as wrong."
        yield Sentence(text, "plain", listing(task=task, state="abstained"))


def worst_confusions(tables: Tables, task: str, at_most: int = 5) -> list[tuple[str, str | None, int]]:
    """Return what together takes for what most often: label, prediction (None: abstained), times."""
    wrong = tables.confusions.filter(pl.col("task") == task, pl.col("system") == "together")
    return [
        (row["label"], row["prediction"], row["count"]) for row in wrong.head(at_most).iter_rows(named=True)
    ]


def left_aside(tables: Tables, task: str) -> list[str]:
    """Return the systems that took no part in a task."""
    return [NAMES[system] for system in SYSTEMS if system not in scores(tables, task)]
