"""How well each intent is told, for a terminal: the weakest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl
from rich.console import Group, RenderableType
from rich.text import Text

from kdsl_cli.reporting.fitting import Fitting
from kdsl_cli.reporting.systems import SYSTEMS

COLUMNS: Final = ("Intent", "Rows", *(f"F1 {system}" for system in SYSTEMS), "Precision", "Recall")
SPARE: Final = ("Recall", "Precision", "F1 rules", "F1 large")


def intent_summary(per_intent: pl.DataFrame) -> RenderableType:
    """Return a table a task: F1 of each side, and precision and recall of both together.

    Parameters
    ----------
    per_intent
        As `scores.per_intent` makes it.
    """
    parts: list[RenderableType] = []
    for (task,), rows in per_intent.group_by("task", maintain_order=True):
        table = Fitting(COLUMNS, list(_rows(rows)), numbers=COLUMNS[1:], spare=SPARE)
        parts += [Text(f"{task}, by intent", style="bold"), table, ""]
    return Group(*parts, Text("Precision and recall are of both together.", style="dim"))


def _rows(frame: pl.DataFrame) -> Iterator[list[Text]]:
    f1 = {(row["system"], row["intent"]): row["f1"] for row in frame.iter_rows(named=True)}
    together = frame.filter(pl.col("system") == "together").sort("f1", nulls_last=True, maintain_order=True)
    for row in together.iter_rows(named=True):
        sides = [f1.get((system, row["intent"])) for system in SYSTEMS]
        scores = [*sides, row["precision"], row["recall"]]
        yield [Text(row["intent"]), Text(str(row["support"])), *(Text(_number(one)) for one in scores)]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
