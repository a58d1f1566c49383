"""Two runs on the same dialogues: how much better one is, how sure that is, and where they differ.

What is compared is what both decided on the same labelled rows; a row that failed in either is in no score.
A difference is drawn together for both runs: whole groups with replacement, the same ones for either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from kdsl_cli import metrics
from kdsl_cli.errors import CheckFailed, StageError
from kdsl_cli.prediction.table import PredictionTable
from kdsl_cli.reporting.scores import SCORES
from kdsl_cli.reporting.systems import COLUMNS_OF, FAILED, System, tasks_of, took_part
from kdsl_cli.runs.seeds import child_seed

POWER: Final = 0.8
"""How surely a difference is to be seen that is there, for `Difference.detectable`."""

SIGNIFICANCE: Final = 0.05
"""How rarely a difference may be seen that is not there, two-sided."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One score of both runs.

    Attributes
    ----------
    score
        One of `scores.SCORES`.
    first, second
        Its value in each run.
    low, high
        95 % bootstrap interval of `second` less `first`. None: there are too few groups.
    detectable
        The least difference that rows like these would show four times of five, at 5 %:
        ``(z(1 - 0.05 / 2) + z(0.8))`` standard errors of the difference. None: it cannot be told, as runs
        never differ or groups are too few.
    """

    score: str
    first: float
    second: float
    low: float | None
    high: float | None
    detectable: float | None

    @property
    def value(self) -> float:
        """By how much the second is better."""
        return self.second - self.first

    @property
    def told(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, slots=True)
class IntentChange:
    """How one intent fares in both runs; F1 is None where it is neither a label nor an answer."""

    intent: str
    support: int
    first: float | None
    second: float | None
    gained: int
    lost: int


@dataclass(frozen=True, slots=True)
class Flip:
    """A dialogue that the runs answer differently; None is an abstention. `right`: of first and second."""

    id: str
    label: str
    first: str | None
    second: str | None
    right: tuple[bool, bool]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One task.

    Attributes
    ----------
    task
        Its name.
    n, groups
        Rows that are compared, and groups that they come from.
    left_out
        Ids by the reason: failed in one of the runs, not in both, no label, another label.
    mcnemar
        The exact paired test of who is right (`metrics.mcnemar`); the first run is `first`.
    differences
        Of each score.
    intents
        In the catalogue's order, those that occur.
    flips
        By id.
    """

    task: str
    n: int
    groups: int
    left_out: dict[str, tuple[str, ...]]
    mcnemar: metrics.McNemar
    differences: tuple[Difference, ...]
    intents: tuple[IntentChange, ...]
    flips: tuple[Flip, ...]

    @property
    def too_small(self) -> tuple[Difference, ...]:
        """The differences that are there and that so few rows cannot tell from chance."""
        return tuple(one for one in self.differences if one.value and not one.told)


def compare(
    first: PredictionTable, second: PredictionTable, *, system: System = "together", seed: int, resamples: int
) -> tuple[Comparison, ...]:
    """Compare what two runs decided, one task after the other.

    Parameters
    ----------
    system
        Whose word is compared.
    seed, resamples
        Of the bootstrap; the same seed, the same intervals.

    Raises
    ------
    CheckFailed
        If the runs have no labelled dialogue in common.
    StageError
        If the system took no part in a task of one of the runs.
    """
    tasks = [task for task in tasks_of(first) if task in tasks_of(second)]
    for table, name in ((first, "first"), (second, "second")):
        for task in tasks:
            if not took_part(table, system, task):
                raise StageError(f"'{system}' took no part in the task '{task}' of the {name} run")
    found = [_compare(first, second, task, system, seed, resamples) for task in tasks]
    if not any(one.n for one in found):
        fix = "Predict the same split, or the same file, with both"
        raise CheckFailed("the two runs have no labelled dialogue in common", fix=fix)
    return tuple(one for one in found if one.n)


def _compare(
    first: PredictionTable, second: PredictionTable, task: str, system: System, seed: int, resamples: int
) -> Comparison:
    joined, left_out = _joined(first, second, task, system)
    labels, groups = joined["label"].to_list(), joined["group"].to_list()
    said = [joined["first"].to_list(), joined["second"].to_list()]
    names = (
        *first.intents[task],
        *(name for name in second.intents[task] if name not in first.intents[task]),
    )
    right = [[a == b for a, b in zip(each, labels, strict=True)] for each in said]
    return Comparison(
        task,
        joined.height,
        len({group if group is not None else (row,) for row, group in enumerate(groups)}),
        left_out,
        metrics.mcnemar(*right),
        tuple(_differences(labels, said, groups, child_seed(seed, "compare", task), resamples)),
        tuple(_intents(labels, said, right, names)),
        tuple(_flips(joined)),
    )


def _joined(
    first: PredictionTable, second: PredictionTable, task: str, system: System
) -> tuple[pl.DataFrame, dict[str, tuple[str, ...]]]:
    """Return the rows to compare (id, label, group, first, second), and the ids of the others by reason."""
    column = COLUMNS_OF[system][0]

    def rows(table: PredictionTable) -> pl.DataFrame:
        own = table.frame.filter(pl.col("task") == task)
        return own.select("id", "label", "group", pl.col(column).alias("said"), FAILED.alias("failed"))

    both = rows(first).join(rows(second), on="id", how="full", suffix="_second", coalesce=True).sort("id")
    in_both = pl.col("failed").is_not_null() & pl.col("failed_second").is_not_null()
    reasons = {
        "in one run alone": ~in_both,
        "failed in a run": in_both & (pl.col("failed") | pl.col("failed_second")),
        "without a label": in_both & pl.col("label").is_null() & pl.col("label_second").is_null(),
        "labelled differently": in_both & pl.col("label").ne_missing(pl.col("label_second")),
    }
    left: dict[str, tuple[str, ...]] = {}
    for reason, condition in reasons.items():
        out = both.filter(condition)
        if out.height:
            left[reason] = tuple(out["id"])
        both = both.filter(~condition)
    named = both.select(
        "id", "label", "group", pl.col("said").alias("first"), pl.col("said_second").alias("second")
    )
    return named, left


def _differences(
    labels: list[str], said: list[list[str | None]], groups: list[str | None], seed: int, resamples: int
) -> list[Difference]:
    if not labels:
        return []
    drawn = [
        metrics.resampled(labels, each, rng=np.random.default_rng(seed), groups=groups, resamples=resamples)
        for each in said
    ]
    # What one would need to see an effect this often: the sum of two normal quantiles, in standard errors.
    needed = float(ndtri(1 - SIGNIFICANCE / 2) + ndtri(POWER))
    found = []
    for name in SCORES:
        first, second = (getattr(metrics, name)(labels, each) for each in said)
        if drawn[0] is None or drawn[1] is None:
            found.append(Difference(name, first, second, None, None, None))
            continue
        spread = drawn[1][name] - drawn[0][name]
        ends = metrics.percentiles(spread)
        found.append(
            Difference(name, first, second, ends.low, ends.high, needed * float(spread.std()) or None)
        )
    return found


def _intents(
    labels: list[str], said: list[list[str | None]], right: list[list[bool]], names: tuple[str, ...]
) -> list[IntentChange]:
    scores = [metrics.intent_scores(labels, each, names) for each in said]
    found = []
    for one, other in zip(*scores, strict=True):
        if one.f1 is None and other.f1 is None:
            continue
        rows = [row for row, label in enumerate(labels) if label == one.intent]
        gained = sum(right[1][row] and not right[0][row] for row in rows)
        lost = sum(right[0][row] and not right[1][row] for row in rows)
        found.append(IntentChange(one.intent, one.support, one.f1, other.f1, gained, lost))
    return found


def _flips(joined: pl.DataFrame) -> list[Flip]:
    differ = joined.filter(pl.col("first").ne_missing(pl.col("second")))
    return [
        Flip(
            row["id"],
            row["label"],
            row["first"],
            row["second"],
            (row["first"] == row["label"], row["second"] == row["label"]),
        )
        for row in differ.iter_rows(named=True)
    ]
