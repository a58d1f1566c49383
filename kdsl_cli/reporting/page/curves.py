"""Two curves over what a system says of its own certainty: is it right as often, and where is it enough."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from kdsl_cli import metrics
from kdsl_cli.prediction.table import PredictionTable
from kdsl_cli.reporting.systems import SYSTEMS, System, scored_rows

RELIABILITY = pl.Schema(
    {
        "system": pl.String,
        "n": pl.Int64,
        "confidence": pl.Float64,
        "accuracy": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
    }
)
SELECTIVE = pl.Schema(
    {
        "system": pl.String,
        "n": pl.Int64,
        "coverage": pl.Float64,
        "precision": pl.Float64,
        "confidence": pl.Float64,
    }
)

_PER_BIN = 12
_MOST_BINS = 10
_MOST_POINTS = 120
_ONE_SIDED = 0.95  # two of these leave an interval of 90 %


def reliability(table: PredictionTable, task: str) -> pl.DataFrame:
    """Return how often each system was right, by how sure it was, in bins of equally many rows.

    `confidence` is the mean probability given to what was predicted, `accuracy` the share of right ones with
    the ends of a 90 % interval (Jeffreys). A bin has a dozen rows or more, and there are ten bins at most.
    """
    rows = [row for system, said in _said(table, task) for row in _bins(system, said)]
    return pl.DataFrame(rows, schema=RELIABILITY, orient="row")


def selective(table: PredictionTable, task: str) -> pl.DataFrame:
    """Return the precision of each system on the rows it is surest of, by the share of rows they make up.

    The `n` rows with a confidence of at least `confidence` are a share of `coverage` of all scored rows. Rows
    of the same confidence come together: nothing could tell them apart.
    """
    rows = [row for system, said in _said(table, task) for row in _shares(system, said)]
    return pl.DataFrame(rows, schema=SELECTIVE, orient="row")


def _said(table: PredictionTable, task: str) -> Iterator[tuple[System, pl.DataFrame]]:
    for system in SYSTEMS:
        said = scored_rows(table, system, task)
        if said is not None and said.height:
            yield system, said


def _bins(system: System, said: pl.DataFrame) -> Iterator[tuple[str, int, float, float, float, float]]:
    decided = said.drop_nulls("confidence").sort("confidence")
    n_bins = max(1, min(_MOST_BINS, decided.height // _PER_BIN))
    for number in range(n_bins if decided.height else 0):
        start, end = (decided.height * edge // n_bins for edge in (number, number + 1))
        part = decided.slice(start, end - start)
        confidence, right = part["confidence"].to_list(), part["right"].to_list()
        n, correct = len(right), sum(right)
        low = metrics.precision_low(correct, n, _ONE_SIDED)
        wrong_low = metrics.precision_low(n - correct, n, _ONE_SIDED)
        if low is not None and wrong_low is not None:
            yield system, n, sum(confidence) / n, correct / n, low, 1 - wrong_low


def _shares(system: System, said: pl.DataFrame) -> Iterator[tuple[str, int, float, float, float]]:
    levels = (
        said.drop_nulls("confidence")
        .group_by("confidence")
        .agg(pl.len().alias("n"), pl.col("right").sum())
        .sort("confidence", descending=True)
        .with_columns(pl.col("n", "right").cum_sum())
    )
    step = -(-levels.height // _MOST_POINTS) or 1
    for place, row in enumerate(levels.iter_rows(named=True)):
        if place % step == 0 or place == levels.height - 1:
            yield system, row["n"], row["n"] / said.height, row["right"] / row["n"], row["confidence"]
