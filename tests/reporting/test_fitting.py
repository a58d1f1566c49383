"""A table in a terminal with and without room for all of it."""

from __future__ import annotations

import pytest
from rich.console import Console
from rich.text import Text

from kdsl_cli.reporting.fitting import Fitting

TABLE = Fitting(
    ("rule", "intent", "fired", "what it is"),
    [
        [Text(cell) for cell in ("refund-status-d70fe9", "refund-status", "12", "a line at the top " * 4)],
        [Text(cell) for cell in ("退款-1", "退款", "3", "short")],
    ],
    numbers=("fired",),
    spare=("intent", "fired"),
    elastic="what it is",
)


def printed(width, table=TABLE):
    console = Console(width=width, color_system=None)
    with console.capture() as said:
        console.print(table)
    return said.get()


@pytest.mark.parametrize(
    ("width", "without"), [(160, []), (70, []), (60, ["intent"]), (48, ["intent", "fired"])]
)
def test_columns_go_in_their_order_where_there_is_no_room_and_are_named(width, without):
    said = printed(width)
    heading = said.splitlines()[0]
    assert [name for name in TABLE.columns if name not in heading] == without
    assert ("no room for: " + ", ".join(without) in said) == bool(without)
    assert "refund-status-d70fe9" in said  # no word is broken but in the column that may
    assert max(map(len, said.splitlines())) <= width


def test_where_even_the_rest_is_too_wide_it_is_broken_rather_than_cut():
    said = printed(20)
    assert "e9" in said and "…" not in said
    assert "no room for: intent" in said
