"""Which intents are told apart, and which are not: a table of intents, and the confusion matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from kdsl_cli.reporting.page.material import listing
from kdsl_cli.reporting.systems import System
from kdsl_cli.reporting.tables import Tables

SHADES: Final = 5
"""Steps of a cell's colour; 0 is none."""


@dataclass(frozen=True, slots=True)
class IntentRow:
    """How an intent fares.

    Attributes
    ----------
    f1
        By system; None where it has none.
    row
        Its row of `scores.per_intent`, of both together.
    confused
        What its dialogues are taken for most often (None: abstained) and how often; None: never.
    start
        What rules start from (its base rate, in log-odds); None: it has none.
    link
        To its dialogues.
    """

    intent: str
    f1: Mapping[System, float | None]
    row: Mapping[str, Any]
    confused: tuple[str | None, int] | None
    start: float | None
    link: str


@dataclass(frozen=True, slots=True)
class Cell:
    """`count` dialogues of one label got one prediction; `shade` is their share of the label, in steps."""

    count: int
    shade: int
    right: bool
    link: str
    name: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows are labels, columns predictions; the last column is an abstention where there is one."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, int, tuple[Cell | None, ...]], ...]


def intent_rows(tables: Tables, task: str, starts: Mapping[str, float]) -> list[IntentRow]:
    """Return the intents that occur, the worst told first; `starts` are their base rates."""
    frame = tables.per_intent.filter(pl.col("task") == task)
    f1 = {(row["intent"], row["system"]): row["f1"] for row in frame.iter_rows(named=True)}
    systems: list[System] = frame["system"].unique(maintain_order=True).to_list()
    confused: dict[str, tuple[str | None, int]] = {}
    wrong = tables.confusions.filter(pl.col("task") == task, pl.col("system") == "together")
    for label, prediction, count in wrong.select("label", "prediction", "count").iter_rows():
        confused.setdefault(label, (prediction, count))
    rows = [
        IntentRow(
            row["intent"],
            {system: f1[row["intent"], system] for system in systems},
            row,
            confused.get(row["intent"]),
            starts.get(row["intent"]),
            listing(task=task, label=row["intent"]),
        )
        for row in frame.filter(pl.col("system") == "together", pl.col("f1").is_not_null()).iter_rows(
            named=True
        )
    ]
    return sorted(rows, key=lambda one: (one.row["f1"], -one.row["support"]))


def confusion_matrix(tables: Tables, task: str, intents: Sequence[str]) -> Matrix:
    """Return what both together take for what; intents that occur on neither side are left out."""
    scored = tables.per_dialogue.filter(pl.col("task") == task, pl.col("right").is_not_null())
    counts = Counter(scored.select("label", "prediction").iter_rows())
    support = Counter(scored["label"].to_list())
    said = {prediction for _, prediction in counts}
    known = [name for name in intents if support[name] or name in said]
    columns: list[str | None] = [*known, None] if None in said else [*known]
    rows = tuple(
        (
            label,
            support[label],
            tuple(_cell(task, label, column, counts[label, column], support[label]) for column in columns),
        )
        for label in known
    )
    return Matrix(tuple(column or "(abstained)" for column in columns), rows)


def _cell(task: str, label: str, prediction: str | None, count: int, support: int) -> Cell | None:
    if not count:
        return None
    shade = max(1, round(SHADES * count / support))
    if prediction is None:
        link = listing(task=task, label=label, state="abstained")
    else:
        link = listing(task=task, label=label, said=prediction)
    name = f"{count} of {support} {label}: {prediction or 'abstained'}"
    return Cell(count, shade, prediction == label, link, name)
