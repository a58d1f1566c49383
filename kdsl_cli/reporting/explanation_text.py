"""An explanation for a terminal: what was said and seen with matched words marked, who said what, and why.

Matched words stand in brackets too, so that they are seen without colours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kdsl_cli.logic.facts import OcrLine
from kdsl_cli.logic.verdict import render
from kdsl_cli.prediction.why import Judged, decisive
from kdsl_cli.reporting.explaining import BEST, Explanation
from kdsl_cli.reporting.page.verdicts import Span, marks, segments
from kdsl_cli.reporting.systems import SYSTEMS

_MARK: Final = "bold yellow"
_WHO: Final = {"rules": "the rules", "large": "the large model", "both": "both", "none": "nobody"}
_VERDICTS: Final = {"true": "green", "false": "red", "unknown": "yellow"}


def explanation_text(told: Explanation, *, top: int = 5, rules: Sequence[Judged] = ()) -> RenderableType:
    """Return an explanation as lines and tables.

    Parameters
    ----------
    top
        Rules that fire shown with their verdicts; 0: all.
    rules
        Further rules to show the verdict of, whether they fire or not.
    """
    shown = told.fired[:top] if top else told.fired
    parts = [
        *_head(told),
        "",
        *_turns(told, shown),
        *_lines(told, shown),
        *_answers(told),
        *_sides(told),
        *_rules(told, shown),
    ]
    for one in rules:
        parts += ["", Text("As you asked:", style="bold"), *_judged(one)]
    return Group(*parts)


def _head(told: Explanation) -> Iterator[RenderableType]:
    dialogue = told.dialogue
    label = f"label {dialogue.label}" if dialogue.label is not None else "no label"
    yield Text.assemble((dialogue.id, "bold cyan"), f"  {dialogue.task}, {told.where}, {label}")
    row = told.prediction
    if row is None:
        yield Text("Nothing was predicted: the rules are shown alone", style="dim")
    elif row["error"] is not None:
        yield Text(f"Failed: {row['error']}", style="red")
    else:
        right = row["prediction"] == dialogue.label
        style = "bold" if dialogue.label is None else "bold green" if right else "bold red"
        said = row["prediction"] or "nothing (abstained)"
        yield Text.assemble("Decided: ", (said, style), f"  by {_WHO[row['decided_by']]} ({_how(told)})")
    for share in told.shares:
        rate = (
            f"{share.intent}: {share.count} of {share.of} training dialogues ({share.count / share.of:.0%})"
        )
        start = (told.base.starts if told.base else {}).get(share.intent)
        yield Text(rate + (f", rules start from {start:+.2f}" if start is not None else ""), style="dim")


def _how(told: Explanation) -> str:
    decided = told.decided or {}
    weights = decided.get("weights") or {}
    if decided.get("strategy") != "log-odds":
        return str(decided.get("strategy") or (told.prediction or {})["strategy"])
    return f"log-odds: {weights['rules']:.2f} × rules + {weights['large']:.2f} × large model"


def _turns(told: Explanation, shown: Sequence[Judged]) -> Iterator[RenderableType]:
    marked = marks(shown)
    for turn in told.facts.turns:
        line = Text.assemble((f"{turn.role}: ", "bold"))
        for part, number in segments(turn.text, marked.spans.get(turn.seq, ())):
            line.append(f"[{part}]" if number else part, style=_MARK if number else "")
        sent = len(told.dialogue.turns[turn.seq].images)
        if sent:
            line.append(" (a picture)" if sent == 1 else f" ({sent} pictures)", style="dim")
        yield line


def _lines(told: Explanation, shown: Sequence[Judged]) -> Iterator[RenderableType]:
    """Yield the lines of pictures that decided, with their place, and how many there are besides."""
    spans: dict[tuple[int, int], list[Span]] = {}
    for one in shown:
        for reason in (reason for leaf in decisive(one.verdict) for reason in leaf.reasons):
            if reason.image is not None and reason.line is not None and reason.span is not None:
                spans.setdefault((reason.image, reason.line), []).append(reason.span)
    decided = [line for line in told.facts.ocr if (line.image, line.seq) in spans]
    if decided:
        yield Text("Read in the pictures, and decisive:", style="bold")
    for line in decided:
        yield _line(line, spans[line.image, line.seq])
    for image in told.facts.images:
        if image.error is not None:
            yield Text(f"  picture {image.image + 1} could not be read: {image.error}", style="yellow")
    if rest := len(told.facts.ocr) - len(decided):
        yield Text(f"  {rest} other lines were read", style="dim")


def _line(line: OcrLine, spans: Sequence[Span]) -> Text:
    left, top, right, bottom = (round(100 * edge) for edge in line.box)
    marked = [False] * len(line.text)
    for start, end in spans:
        marked[start:end] = [True] * (end - start)
    text = Text(f"  picture {line.image + 1}: ")
    for place, character in enumerate(line.text):
        if marked[place] and not (place and marked[place - 1]):
            text.append("[", style=_MARK)
        text.append(character, style=_MARK if marked[place] else "")
        if marked[place] and not (place + 1 < len(marked) and marked[place + 1]):
            text.append("]", style=_MARK)
    return text.append(f"  at {left}–{right} % across, {top}–{bottom} % down", style="dim")


def _answers(told: Explanation) -> Iterator[RenderableType]:
    """Yield what the small model answered: rules hear it, and a linear model that learnt from answers."""
    if told.facts.answers:
        yield Text("Answered of it:", style="bold")
    for word, value in (("yes", True), ("no", False)):
        asked = sorted(question for question, answer in told.facts.answers.items() if answer is value)
        if asked:
            yield Text(f"  {word}: {'  '.join(asked)}")


def _sides(told: Explanation) -> Iterator[RenderableType]:
    if not told.scores:
        return
    named = [name for each in told.scores.values() for name in list(each)[:BEST]]
    label = [told.dialogue.label] if told.dialogue.label is not None else []
    together = told.scores.get("together") or next(iter(told.scores.values()))
    shown = sorted(dict.fromkeys([*named, *label]), key=lambda name: -together.get(name, 0.0))
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Intent", overflow="fold")
    for system in SYSTEMS:
        table.add_column(system, justify="right")
    for name in shown:
        cells = [_cell(told, system, name) for system in SYSTEMS]
        table.add_row(Text(name, style="green" if name == told.dialogue.label else ""), *cells)
    yield ""
    yield table


def _cell(told: Explanation, system: str, name: str) -> Text:
    scores = told.scores.get(system)  # type: ignore[call-overload]
    if scores is None:
        return Text("silent" if system == "rules" else "–", style="dim")
    return Text(f"{scores.get(name, 0.0):.2f}", style="bold" if next(iter(scores)) == name else "")


def _rules(told: Explanation, shown: Sequence[Judged]) -> Iterator[RenderableType]:
    yield ""
    yield Text(f"Rules that fire: {len(told.fired)}", style="bold")
    for one in shown:
        yield from _judged(one)
    if len(shown) < len(told.fired):
        yield Text(f"  and {len(told.fired) - len(shown)} more: --top 0 shows all", style="dim")
    if told.unknown:
        named = ", ".join(one.rule.id for one in told.unknown[:BEST])
        yield Text(f"{len(told.unknown)} rules are unknown, for want of a fact: {named}", style="yellow")


def _judged(one: Judged) -> Iterator[RenderableType]:
    rule = one.rule
    low = rule.evidence.precision_low if rule.evidence else None
    sure = "" if low is None else f", precision at least {low:.2f}"
    yield Text.assemble(
        (f"{rule.weight:+.2f} ", "bold"), (rule.id, "cyan"), f" for {rule.intent}", (sure, "dim")
    )
    for line in render(one.verdict).splitlines():
        word = line.split(" ", 1)[0]
        yield Text(f"    {line}", style=_VERDICTS.get(word, "dim"))
