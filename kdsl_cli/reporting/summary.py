"""The summary of an evaluation, for a terminal.

The second line of a row holds 95 % intervals. Cells are never parsed as markup: ids and intents are other
people's text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kdsl_cli.reporting.cross_validation import CrossValidation
from kdsl_cli.reporting.scores import SCORES
from kdsl_cli.reporting.systems import ALL_TASKS, SYSTEMS
from kdsl_cli.reporting.tables import Tables

HEADINGS = {"accuracy": "Accuracy", "weighted_f1": "Weighted F1", "macro_f1": "Macro F1"}
UNDEFINED = "–"
NAMED_AT_MOST = 20
"""Ids printed before the reader is sent to the table; the table has them all."""

WORST = 5
"""Confusions printed for each task."""


def summary(tables: Tables) -> RenderableType:
    """Return what a person reads first: scores with intervals, paired tests, and what is in no score."""
    parts: list[RenderableType] = []
    for task in _tasks(tables.overall):
        rows = tables.overall.filter(pl.col("task") == task)
        parts += [_score_table(task, rows), *_left_out(rows, task), ""]
    if tables.mcnemar.height:
        parts += [_mcnemar_table(tables.mcnemar, _tasks(tables.mcnemar)), ""]
    worst = tables.confusions.filter(pl.col("system") == "together").group_by("task", maintain_order=True)
    shown = worst.head(WORST)
    if shown.height:
        parts.append(_confusion_table(shown))
    return Group(*parts)


def cross_validation_summary(found: CrossValidation) -> RenderableType:
    """Return mean ± standard deviation over seeds, with the spread of single folds on the second line."""
    parts: list[RenderableType] = []
    for task in _tasks(found.summary):
        table = _table(task, ("System", "Seeds", *HEADINGS.values()))
        for row in found.summary.filter(pl.col("task") == task).iter_rows(named=True):
            scores = (_mean_cell(row, name) for name in SCORES)
            _add(table, row["system"], row["seeds"], *scores)
        parts += [table, *_left_out(found.per_seed.filter(pl.col("task") == task), task), ""]
    return Group(*parts)


def _tasks(frame: pl.DataFrame) -> list[str]:
    """Return the tasks of a table in its order; a pool of one task would only repeat it."""
    tasks = frame["task"].unique(maintain_order=True).to_list()
    return tasks if len(tasks) > 2 else [task for task in tasks if task != ALL_TASKS]


def _score_table(task: str, rows: pl.DataFrame) -> Table:
    table = _table(task, ("System", "Rows", "Coverage", *HEADINGS.values(), "ECE"))
    for row in rows.iter_rows(named=True):
        scores = (_interval_cell(row, name) for name in SCORES)
        _add(table, row["system"], row["n_scored"], _number(row["coverage"]), *scores, _number(row["ece"]))
    return table


def _left_out(rows: pl.DataFrame, task: str) -> Iterator[Text]:
    silent = [system for system in SYSTEMS if system not in set(rows["system"])]
    if silent:
        yield Text(f"{' and '.join(silent)}: took no part, so no score.", style="dim")
    first = rows.row(0, named=True)  # what is left out does not depend on the system
    failed = sorted(set(rows["failed_ids"].explode().drop_nulls()))
    if failed:
        more = f", and {len(failed) - NAMED_AT_MOST} more" if len(failed) > NAMED_AT_MOST else ""
        names = ", ".join(failed[:NAMED_AT_MOST]) + more
        yield Text(f"{len(failed)} of {first['n']} rows failed and are in no score: {names}", style="yellow")
    if first["n_unlabelled"]:
        yield Text(
            f"{first['n_unlabelled']} rows of {task} have no label and are in no score.", style="yellow"
        )


def _mcnemar_table(frame: pl.DataFrame, tasks: Iterable[str]) -> Table:
    table = _table("Exact McNemar test, two-sided", ("Pair", "Task", "Only first", "Only second", "p"))
    for row in frame.filter(pl.col("task").is_in(list(tasks))).iter_rows(named=True):
        pair = f"{row['first']} / {row['second']}"
        _add(table, pair, row["task"], row["first_only"], row["second_only"], p_value(row["p"]))
    return table


def _confusion_table(frame: pl.DataFrame) -> Table:
    table = _table("Most often confused", ("Label", "Taken for", "Times"))
    for row in frame.iter_rows(named=True):
        _add(table, row["label"], row["prediction"] or "(abstained)", row["count"])
    return table


def p_value(p: float | None) -> str:
    """Return a p-value as it is printed.

    Examples
    --------
    >>> p_value(0.04321), p_value(0.00001), p_value(None)
    ('0.043', '<0.001', '–')
    """
    if p is None:
        return UNDEFINED
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _table(title: str, headings: Iterable[str]) -> Table:
    table = Table(title=Text(title, style="bold"), box=None, pad_edge=False, header_style="dim")
    for place, heading in enumerate(headings):
        words = place == 0 or heading in ("Task", "Taken for")
        table.add_column(heading, justify="left" if words else "right", overflow="fold")
    return table


def _add(table: Table, *cells: object) -> None:
    table.add_row(*(Text(str(cell)) for cell in cells))


def _number(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.3f}"


def _interval_cell(row: Mapping[str, Any], name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return _number(row[name]) if low is None else f"{_number(row[name])}\n{low:.2f}–{high:.2f}"


def _mean_cell(row: Mapping[str, Any], name: str) -> str:
    mean, sd = row[f"{name}_mean"], row[f"{name}_sd"]
    if mean is None:
        return UNDEFINED
    spread = f" ± {sd:.3f}" if sd is not None else ""
    return f"{mean:.3f}{spread}\n{row[f'{name}_fold_low']:.2f}–{row[f'{name}_fold_high']:.2f}"
