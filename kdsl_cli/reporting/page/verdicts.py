"""Why rules fired on a dialogue, and the places in its texts and pictures that decided, numbered.

A place has one number wherever it is shown: on the picture, in the turn, and beside the reason that names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.indexing import index
from kdsl_cli.logic.matching import match
from kdsl_cli.logic.rule import Rule
from kdsl_cli.logic.verdict import Reason, Verdict, title
from kdsl_cli.prediction.why import Judged, decisive

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Marks:
    """The places that decided.

    Attributes
    ----------
    lines
        (picture, line) to its number.
    spans
        Turn to the spans of its text with their numbers, in order and apart from each other.
    """

    lines: Mapping[tuple[int, int], int]
    spans: Mapping[int, Sequence[tuple[Span, int]]]

    def number(self, reason: Reason) -> int:
        """Return the number of the place that a reason names; 0 if it decided nothing, or is no place."""
        if reason.image is not None and reason.line is not None:
            return self.lines.get((reason.image, reason.line), 0)
        if reason.turn is not None and reason.span is not None:
            start = reason.span[0]
            return next(
                (number for (low, high), number in self.spans.get(reason.turn, ()) if low <= start < high), 0
            )
        return 0


def fired_rules(rules: Iterable[Rule], facts: Facts, chosen: str | None) -> tuple[Judged, ...]:
    """Return the verdicts of rules that fired: those for the chosen intent first, the heaviest first."""
    dialogue = index(facts)
    judged = [Judged(rule, match(rule.when, dialogue)) for rule in rules]
    return tuple(
        sorted(judged, key=lambda one: (one.rule.intent != chosen, -abs(one.rule.weight), one.rule.id))
    )


def marks(judged: Iterable[Judged]) -> Marks:
    """Return the places that decided the verdicts, numbered: lines of pictures, then phrases in turns."""
    reasons = [reason for one in judged for leaf in decisive(one.verdict) for reason in leaf.reasons]
    lines = sorted({(r.image, r.line) for r in reasons if r.image is not None and r.line is not None})
    said: dict[int, list[Span]] = {}
    for reason in reasons:
        if reason.turn is not None and reason.span is not None:
            said.setdefault(reason.turn, []).append(reason.span)
    numbers = count(1)
    numbered = {line: next(numbers) for line in lines}
    spans = {turn: [(span, next(numbers)) for span in _united(said[turn])] for turn in sorted(said)}
    return Marks(numbered, spans)


def _united(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, those that overlap as one."""
    apart: list[Span] = []
    for start, end in sorted(set(spans)):
        if apart and start < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        elif end > start:
            apart.append((start, end))
    return apart


def segments(text: str, spans: Sequence[tuple[Span, int]]) -> list[tuple[str, int]]:
    """Cut a text into what is marked (with its number) and what is not (with 0).

    Examples
    --------
    >>> segments("我要退款。", [((2, 4), 1)])
    [('我要', 0), ('退款', 1), ('。', 0)]
    """
    parts, at = [], 0
    for (start, end), number in spans:
        parts += [(text[at:start], 0), (text[start:end], number)]
        at = end
    return [part for part in (*parts, (text[at:], 0)) if part[0]]


def tree(verdict: Verdict, facts: Facts, places: Marks) -> list[Any]:
    """Return a verdict as JSON: its value (null: unknown), words, reasons with their numbers, and parts."""
    return [
        verdict.value,
        title(verdict.node),
        [[_told(reason, facts), places.number(reason)] for reason in verdict.reasons],
        [tree(child, facts, places) for child in verdict.children],
    ]


def _told(reason: Reason, facts: Facts) -> str:
    """Return a reason: words that are marked above are quoted, without their place."""
    if reason.span is not None:
        start, end = reason.span
        if reason.turn is not None:
            said = next(turn.text for turn in facts.turns if turn.seq == reason.turn)
            return f"“{said[start:end]}” in message {reason.turn + 1}"
        if reason.image is not None and reason.line is not None:
            read = next(
                line.text for line in facts.ocr if (line.image, line.seq) == (reason.image, reason.line)
            )
            return f"“{read[start:end]}” in picture {reason.image + 1}"
    return reason.what
