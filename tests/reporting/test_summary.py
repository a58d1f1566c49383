"""What a person reads: nothing left out is left unsaid, on wide and narrow terminals."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from kdsl_cli.logic.predicates import OcrPredicate
from kdsl_cli.logic.rule import Rule, RuleBase
from kdsl_cli.reporting.cross_validation import Fold, cross_validate
from kdsl_cli.reporting.summary import cross_validation_summary, summary
from kdsl_cli.reporting.tables import evaluate


def printed(renderable, width=100):
    file = io.StringIO()
    Console(file=file, width=width).print(renderable)
    return file.getvalue()


def line_of(text, start):
    return next(line.split() for line in text.splitlines() if line.startswith(start))


@pytest.fixture
def bases():
    rules = [("r-refund", "refund"), ("r-parcel", "parcel"), ("r-return", "return")]
    made = [Rule(name, intent, OcrPredicate("contains", (name,))) for name, intent in rules]
    return [RuleBase("scene", tuple(made[:2])), RuleBase("chat", (made[2],))]


def test_scores_stand_with_their_intervals_and_what_is_in_no_score_is_named(table, bases):
    text = printed(summary(evaluate(table, bases, seed=0, resamples=100)))
    assert line_of(text, "together")[:4] == ["together", "4", "0.750", "0.750"]
    assert "0.25–1.00" in text
    assert "1 of 6 rows failed and are in no score: s5" in text
    assert "1 rows of scene have no label and are in no score." in text
    assert "all tasks" in text
    assert line_of(text, "rules / large")[:7] == ["rules", "/", "large", "scene", "1", "2", "1.000"]
    assert line_of(text, "parcel ")[-2:] == ["(abstained)", "1"]


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_narrow_terminal_folds_and_loses_no_figure(table, bases, width):
    text = printed(summary(evaluate(table, bases, seed=0, resamples=0)), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert "s5" in text


def test_a_single_task_is_not_repeated_as_all_tasks(row, table_of):
    tables = evaluate(table_of([row("a", "refund", ("refund", "refund", "refund"))]), [], seed=0)
    assert "all tasks" not in printed(summary(tables))


def test_a_system_that_took_no_part_is_said_to_have_no_score(row, table_of):
    tables = evaluate(table_of([row("a", "refund", (None, None, "refund"), strategy="rules")]), [], seed=0)
    assert "large: took no part, so no score." in printed(summary(tables))


def test_many_failed_rows_are_named_in_part_and_counted_in_full(row, table_of):
    rows = [row(f"{n:02}", "refund", error="x") for n in range(30)]
    text = " ".join(printed(summary(evaluate(table_of(rows), [], seed=0))).split())
    assert "30 of 30 rows failed" in text and "19, and 10 more" in text


def test_other_peoples_text_is_not_markup(row, table_of):
    text = printed(summary(evaluate(table_of([row("[red]x[/red]", "refund", error="x")]), [], seed=0)))
    assert "[red]x[/red]" in text


def test_a_cross_validation_tells_the_mean_the_deviation_and_the_spread(row, table_of):
    def chain(fold):
        right = fold.seed == 0 or fold.number == 0
        return table_of(
            [row(name, "refund", (None, None, "refund" if right else "coupon")) for name in fold.ids]
        )

    folds = [Fold(seed, number, (f"id-{number}",)) for seed in (0, 1) for number in (0, 1)]
    text = printed(cross_validation_summary(cross_validate(folds, chain, seed=0, resamples=0)))
    assert line_of(text, "together")[:5] == ["together", "2", "0.750", "±", "0.354"]
    assert "0.00–1.00" in text
    assert "took no part" in text
