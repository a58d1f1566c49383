"""``kdsl calls``: what the models of this workspace were asked, and what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from kdsl_cli.backends.calls import Call, Totals


def command(
    last: Annotated[
        int | None,
        typer.Option(min=1, help="Show the latest calls, one by one, in place of sums.", show_default=False),
    ] = None,
) -> None:
    """Show what models were asked, what was remembered, and what it cost."""
    from dataclasses import asdict

    from kdsl_cli.backends.calls import read_last, read_totals
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.workspace.layout import current_workspace

    path, output = current_workspace().calls, current_output()
    if last is not None:
        calls = read_last(path, last)
        output.result(_calls(calls), [asdict(call) for call in calls], str(path))
        return
    totals = read_totals(path)
    output.result(_totals(totals), [_record(row) for row in totals], str(path))


def _record(row: Totals) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(row) | {"answers": row.answers, "tokens_per_second": row.tokens_per_second}


def _totals(rows: Iterable[Totals]) -> Table | str:
    headings = "purpose,model,answers,of these cached,calls,failed,tokens in,out,tokens/s,seconds"
    cells = [
        (
            row.purpose,
            row.model,
            *(f"{number:,}" for number in (row.answers, row.cached, row.calls, row.failed)),
            f"{row.prompt_tokens:,}",
            f"{row.completion_tokens:,}",
            "–" if row.tokens_per_second is None else f"{row.tokens_per_second:,.1f}",
            f"{row.seconds:,.1f}",
        )
        for row in rows
    ]
    return _table(headings.split(","), cells)


def _calls(rows: Iterable[Call]) -> Table | str:
    headings = "time,purpose,operation,model,tokens in,of pictures,out,seconds,error"
    cells = [
        (
            row.time,
            row.purpose,
            row.operation,
            row.model,
            *(f"{number:,}" for number in (row.prompt_tokens, row.image_tokens, row.completion_tokens)),
            f"{row.seconds:.2f}",
            row.error or "",
        )
        for row in rows
    ]
    return _table(headings.split(","), cells)


def _table(headings: Iterable[str], rows: list[tuple[str, ...]]) -> Table | str:
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return "No model was asked in this workspace yet"
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        words = heading in ("time", "purpose", "operation", "model", "error")
        table.add_column(heading, justify="left" if words else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
