"""A comparison of two runs for a terminal: is one better, can these rows tell, and where do they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kdsl_cli.reporting.comparing import Comparison, Difference, Flip
from kdsl_cli.reporting.summary import HEADINGS, UNDEFINED, p_value

_NAMED: Final = 8
_EXPLAINED: Final = (
    "95 %: interval of B - A, whole groups drawn again. MDE, the minimum detectable effect: the least "
    "difference that as many rows show four times of five. gained, lost: rows that B, A alone gets right."
)


def comparison_text(found: Sequence[Comparison], names: tuple[str, str], *, top: int = 20) -> RenderableType:
    """Return comparisons as tables; `names` are of the runs, `top` is how many flips of a task (0: all)."""
    parts: list[RenderableType] = [Text(f"A: {names[0]}"), Text(f"B: {names[1]}")]
    for one in found:
        parts += ["", *_scores(one), *_left_out(one), *_intents(one), *_flips(one, top)]
    if any(one.flips for one in found):
        parts += ["", Text(_EXPLAINED, style="dim")]
    return Group(*parts)


def warning(one: Comparison) -> str | None:
    """Say that rows are too few to tell a difference from chance; None if they are not."""
    small = [each for each in one.too_small if each.detectable is not None]
    told = ", ".join(
        f"{HEADINGS[each.score]} {each.value:+.3f} (MDE {each.detectable:.3f})" for each in small
    )
    if one.too_small and one.groups == 1:
        return f"{one.task}: all rows are of one group, which cannot tell any difference from chance"
    if not small:
        return None
    of = "" if one.groups == one.n else f" of {one.groups} groups"
    return f"{one.task}: {one.n} rows{of} are too few to tell these differences from chance: {told}"


def _scores(one: Comparison) -> Iterator[RenderableType]:
    if not one.flips:
        same = ", ".join(f"{HEADINGS[each.score]} {each.first:.3f}" for each in one.differences)
        yield Text.assemble((one.task, "bold"), f": {one.n} rows, answered alike by A and B ({same})")
        return
    table = _table(("Score", "A", "B", "B - A", "95 %", "MDE"), f"{one.task}: {one.n} rows")
    for each in one.differences:
        table.add_row(
            HEADINGS[each.score],
            f"{each.first:.3f}",
            f"{each.second:.3f}",
            Text(f"{each.value:+.3f}", style=_style(each)),
            UNDEFINED if each.low is None or each.high is None else f"{each.low:+.3f} to {each.high:+.3f}",
            UNDEFINED if each.detectable is None else f"{each.detectable:.3f}",
        )
    yield table
    test = one.mcnemar
    yield Text(
        f"A alone is right on {test.first_only}, B alone on {test.second_only}, "
        f"exact McNemar p = {p_value(test.p)}; {len(one.flips)} of {one.n} answers differ"
    )


def _style(each: Difference) -> str:
    return "" if not each.told else "bold green" if each.value > 0 else "bold red"


def _left_out(one: Comparison) -> Iterator[RenderableType]:
    for reason, ids in one.left_out.items():
        more = f", and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
        yield Text(f"{len(ids)} not compared, {reason}: {', '.join(ids[:_NAMED])}{more}", style="yellow")


def _intents(one: Comparison) -> Iterator[RenderableType]:
    changed = [each for each in one.intents if each.first != each.second]
    if not changed:
        return
    table = _table(("Intent", "Rows", "F1 of A", "F1 of B", "gained", "lost"))
    for each in sorted(changed, key=lambda each: (each.second or 0.0) - (each.first or 0.0)):
        cells = (each.intent, each.support, _number(each.first), _number(each.second), each.gained, each.lost)
        table.add_row(*(Text(str(cell)) for cell in cells))
    yield ""
    yield table


def _flips(one: Comparison, top: int) -> Iterator[RenderableType]:
    if not one.flips:
        return
    # What became wrong first: that is what one looks into.
    ordered = sorted(one.flips, key=lambda flip: (_order(flip), flip.id))
    shown = ordered[:top] if top else ordered
    table = _table(("Dialogue", "Label", "A", "B"), words=4)
    for flip in shown:
        sides = [
            Text(said or "(abstained)", style="green" if right else "red")
            for said, right in zip((flip.first, flip.second), flip.right, strict=True)
        ]
        table.add_row(Text(flip.id), Text(flip.label), *sides)
    if len(shown) < len(ordered):
        table.caption, table.caption_justify = f"{len(shown)} of {len(ordered)}; --top 0 shows all", "left"
    yield ""
    yield table


def _order(flip: Flip) -> int:
    first, second = flip.right
    return 0 if first and not second else 1 if second and not first else 2


def _table(headings: Sequence[str], title: str = "", words: int = 1) -> Table:
    table = Table(
        title=Text(title, style="bold") if title else None, box=None, pad_edge=False, header_style="dim"
    )
    table.title_justify = "left"
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < words else "right", overflow="fold")
    return table


def _number(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.3f}"
