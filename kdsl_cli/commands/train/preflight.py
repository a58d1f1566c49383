"""What is to be seen before a model is tuned: what does not fit, how long samples are, and what is learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from kdsl_cli.commands.console import current_output

if TYPE_CHECKING:
    from kdsl_cli.training.lora.samples.collating import Collator
    from kdsl_cli.training.lora.samples.lengths import Checked, Length, OnLong, Spread
    from kdsl_cli.training.lora.samples.samples import Sample

_PARTS: Final = ("prompt", "image", "answer", "total")


def fitting(samples: Sequence[Sample], collator: Collator, on_long: OnLong) -> Checked:
    """Measure every sample, warn of each that is left out, and show the rest.

    Parameters
    ----------
    on_long
        What becomes of samples that do not fit; see `training.lora.lengths.check`.

    Raises
    ------
    DatasetError
        Naming each sample that cannot be used, with "error"; or if none is left.
    """
    from kdsl_cli.training.lora.samples.lengths import check

    output = current_output()
    with output.progress("Measuring samples", len(samples), "samples") as bar:
        checked = check(samples, collator, on_long, bar.advance)
    for length in checked.overlong:
        output.warn(
            f"left out, longer than {collator.max_length} tokens: {length.id} with {length.total}, "
            f"{length.image} of them for pictures"
        )
    for id, reason in checked.unreadable:
        output.warn(f"left out, a picture cannot be shown: {id}: {reason}")
    for line in histogram(checked.lengths):
        output.note(line)
    if checked.kept:
        first, length = checked.kept[0], checked.lengths[0]
        span = collator.trained_span(first)
        output.note(f"loss is on {length.answer} of the {length.total} tokens of {first.id}: {span!r}")
    return checked


def histogram(lengths: Sequence[Length]) -> list[str]:
    """Return how many tokens samples have, as lines of a table by task; none without samples."""
    from kdsl_cli.training.lora.samples.lengths import by_task

    rows: list[tuple[str, ...]] = []
    for told in by_task(lengths):
        for part in _PARTS:
            spread: Spread = getattr(told, part)
            first = (told.task, str(told.n_samples)) if part == _PARTS[0] else ("", "")
            numbers = (spread.least, spread.median, spread.p95, spread.most)
            rows.append((*first, part, *map(str, numbers)))
    return _aligned([("task", "samples", "tokens", "least", "median", "95 %", "most"), *rows]) if rows else []


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    from rich.cells import cell_len  # a Chinese character is two columns wide

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        spaces = [" " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        cells = [
            cell + space if column in (0, 2) else space + cell
            for column, (cell, space) in enumerate(zip(row, spaces, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def record(checked: Checked) -> dict[str, Any]:
    """Return the same as plain values, for a manifest."""
    from dataclasses import asdict

    from kdsl_cli.training.lora.samples.lengths import by_task

    return {
        "lengths": [asdict(told) for told in by_task(checked.lengths)],
        "overlong": {length.id: length.total for length in checked.overlong},
        "unreadable": dict(checked.unreadable),
    }
