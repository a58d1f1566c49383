"""Facts made ready for matching: normalised once, then asked by thousands of rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from kdsl_cli.dialogues.normalise import normalise
from kdsl_cli.dialogues.schema import LINK_MARK
from kdsl_cli.logic.facts import Facts, OcrLine, TurnFact
from kdsl_cli.logic.predicates import REGIONS, TEXT_FIELDS, Countable, Region, TextField

SEPARATOR: Final = "\0"
"""Stands around every line of a haystack; no phrase holds it, so that none is found across two lines."""


@dataclass(frozen=True, slots=True, eq=False)
class Indexed:
    """One dialogue's facts and what matching needs of them.

    Attributes
    ----------
    facts
        The facts themselves.
    texts, screens
        A haystack for each text field and each screen region: the normalised, stripped lines, each between
        two `SEPARATOR`. Empty if there is no line.
    unread
        Whether some picture could not be read.
    line_counts
        Number of lines read in each picture that has any.
    counts
        What a `CountPredicate` asks for.
    """

    facts: Facts
    texts: Mapping[TextField, str]
    screens: Mapping[Region, str]
    unread: bool
    line_counts: Mapping[int, int]
    counts: Mapping[Countable, int]


def index(facts: Facts | Indexed) -> Indexed:
    """Return the facts indexed; what is indexed already comes back as it is."""
    if isinstance(facts, Indexed):
        return facts
    turns = {turn.seq: comparable(turn.text) for turn in facts.turns}
    lines = [(line, comparable(line.text)) for line in facts.ocr]
    return Indexed(
        facts,
        texts={field: _haystack(turns[t.seq] for t in field_turns(facts, field)) for field in TEXT_FIELDS},
        screens={
            region: _haystack(text for line, text in lines if text and in_region(line, region))
            for region in REGIONS
        },
        unread=facts.unread,
        line_counts=Counter(line.image for line in facts.ocr),
        counts=_counts(facts),
    )


def comparable(text: str) -> str:
    """Return a turn or a line as matching sees it: normalised, without outer blanks."""
    return normalise(text.replace(SEPARATOR, "\ufffd")).strip()


def field_turns(facts: Facts, field: TextField) -> tuple[TurnFact, ...]:
    """Return the turns that a text field names, in order, leaving out turns without any text.

    Examples
    --------
    >>> turns = (TurnFact(0, "customer", "退货"), TurnFact(1, "service", "好"), TurnFact(2, "customer", ""))
    >>> [turn.seq for turn in field_turns(Facts("a", turns), "last_customer")]
    [0]
    """
    written = tuple(turn for turn in facts.turns if turn.text.strip())
    if field == "any":
        return written
    role = "service" if field == "service" else "customer"
    spoken = tuple(turn for turn in written if turn.role == role)
    if field == "last_customer":
        return spoken[-1:]
    return spoken[:1] if field == "first_customer" else spoken


def in_region(line: OcrLine, region: Region) -> bool:
    """Tell whether the centre of a line's box lies in a region of its picture."""
    left, top, right, bottom = line.box
    x, y = (left + right) / 2, (top + bottom) / 2
    match region:
        case "all":
            return True
        case "top":
            return y < 0.2
        case "middle":
            return 0.2 <= y <= 0.8
        case "bottom":
            return y > 0.8
        case "upper":
            return y < 0.5
        case "lower":
            return y >= 0.5
        case "left":
            return x < 1 / 3
        case "center":
            return 1 / 3 <= x <= 2 / 3
        case "right":
            return x > 2 / 3


def _haystack(lines: Iterable[str]) -> str:
    joined = SEPARATOR.join(lines)
    return f"{SEPARATOR}{joined}{SEPARATOR}" if joined else ""


def _counts(facts: Facts) -> dict[Countable, int]:
    roles = Counter(turn.role for turn in facts.turns)
    return {
        "customer_turns": roles["customer"],
        "service_turns": roles["service"],
        "turns": len(facts.turns),
        "images": len(facts.images),
        "links": sum(turn.text.count(LINK_MARK) for turn in facts.turns),
        "ocr_lines": len(facts.ocr),
    }
