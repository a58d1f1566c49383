"""Tables for terminals of any width: where there is no room for all columns, some are left out, and named."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

ELASTIC_LEAST: Final = 24
"""Cells of a terminal that a column with long texts has at least, before other columns go."""

_UNBOUNDED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Fitting:
    """A table of which a narrow terminal shows fewer columns in place of broken words.

    Attributes
    ----------
    columns
        Headings, no two alike.
    rows
        Cells, one a column.
    numbers
        Headings of columns that are set to the right.
    spare
        Headings of columns that may be left out, the first to go first.
    elastic
        Heading of the column whose texts may run over several lines. None: there is none.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Text]]
    numbers: Collection[str] = ()
    spare: Sequence[str] = ()
    elastic: str | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the table with as many columns as there is room for, and say which are not there."""
        choices = [self.spare[:gone] for gone in range(len(self.spare) + 1)]
        fitting = [one for one in choices if self._needs(console, options, one) <= options.max_width]
        without = fitting[0] if fitting else self.spare
        yield self._table(without, whole=bool(fitting))
        if without:
            yield Text(f"no room for: {', '.join(without)}", style="dim")

    def _needs(self, console: Console, options: ConsoleOptions, without: Sequence[str]) -> int:
        table = self._table(without, whole=True, elastic_most=ELASTIC_LEAST)
        return Measurement.get(console, options.update(max_width=_UNBOUNDED), table).maximum

    def _table(self, without: Sequence[str], *, whole: bool, elastic_most: int | None = None) -> Table:
        """Return the table; `whole`: no cell is broken, those of the elastic column apart."""
        table = Table(box=None, pad_edge=False, header_style="dim")
        kept = [place for place, name in enumerate(self.columns) if name not in without]
        for place in kept:
            name = self.columns[place]
            elastic = name == self.elastic
            table.add_column(
                name,
                justify="right" if name in self.numbers else "left",
                overflow="fold",
                no_wrap=whole and not elastic,
                max_width=elastic_most if elastic else None,
            )
        for row in self.rows:
            table.add_row(*(row[place] for place in kept))
        return table
