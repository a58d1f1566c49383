"""Every intent with its F1, the weakest first; a narrow terminal loses what can be spared and says so."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from kdsl_cli.reporting.intent_summary import intent_summary
from kdsl_cli.reporting.scores import per_intent


def printed(table, width):
    file = io.StringIO()
    Console(file=file, width=width).print(intent_summary(per_intent(table)))
    return file.getvalue()


def test_the_weakest_intent_of_a_task_comes_first(row, table_of):
    said = ("refund", "refund", "refund")
    rows = [
        row("a", "refund", said),
        row("b", "parcel", said),
        row("c", "refund", ("parcel", "parcel", "refund")),
    ]
    lines = [line.split() for line in printed(table_of(rows), 80).splitlines()]
    assert lines[0] == ["scene,", "by", "intent"]
    assert [line for line in lines if line and line[0] in ("refund", "parcel")] == [
        ["parcel", "1", "0.000", "0.000", "0.000", "–", "0.000"],
        ["refund", "2", "0.500", "0.500", "0.800", "0.667", "1.000"],
    ]


@pytest.mark.parametrize(
    ("width", "missing"),
    [(80, None), (60, None), (50, "Recall, Precision"), (30, "Recall, Precision, F1 rules")],
)
def test_a_narrow_terminal_breaks_no_figure(table, width, missing):
    text = printed(table, width)
    assert max(map(len, text.splitlines())) <= width
    assert (f"no room for: {missing}" in " ".join(text.split())) == (missing is not None)
