"""A finding, and the table of everything that is looked for."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Lint:
    """One thing that is looked for: its code, its name, and what to do where it is found."""

    code: str
    name: str
    fix: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes
    ----------
    lint
        What it is a case of.
    rule
        Place of the rule in its file, from 0. None: it is about a base rate.
    key
        The key of the rule that it is about, "" for the rule as a whole; of a base rate, its intent.
    what
        What was found, as a sentence without a full stop.
    """

    lint: Lint
    rule: int | None
    key: str
    what: str


# R1..: seen in one rule alone. R2..: seen in the rules of a file together. R3..: seen on dialogues.
UNREACHABLE: Final = Lint("R101", "unreachable", "Mend the condition: no dialogue can ever meet it")
ALWAYS_TRUE: Final = Lint(
    "R102", "always-true", "Ask for something: raise the intent's base rate if you mean all"
)
REDUNDANT: Final = Lint("R103", "redundant-part", "Leave the part out: the rule says the same without it")
SLOW_PATTERN: Final = Lint(
    "R104", "slow-pattern", "Write contains or contains_any, or count fewer repetitions"
)
UNKNOWN_INTENT: Final = Lint("R105", "unknown-intent", "Write the intent as the catalogue has it")
NO_WEIGHT: Final = Lint("R106", "no-weight", 'Give it a weight, or set status: "disabled"')
NO_WHY: Final = Lint(
    "R107", "no-why", "Write one sentence that says why; if none can be written, disable the rule"
)
TORN_EXAMPLE: Final = Lint("R108", "torn-example", "Keep the id under match or under no_match")
ACCIDENTAL: Final = Lint(
    "R109",
    "accidental-phrase",
    "Quote what every customer or screen would show, not one order or one message",
)

DUPLICATE: Final = Lint("R201", "duplicate", "Keep one of the two, with the weight that both have together")
SUBSUMED: Final = Lint("R202", "subsumed", "Drop the narrower rule, or make it say something of its own")
CONTRADICTORY: Final = Lint(
    "R203", "contradictory", "Decide for one of the two, or tell them apart by one more predicate"
)
LEFTOVER: Final = Lint(
    "R204",
    "disabled-leftover",
    "Delete the rule: a veto is only needed for a rule that mining would find again",
)

TOO_NARROW: Final = Lint(
    "R301", "too-narrow", "Widen it by a synonym or a wider region, or leave it a draft until it fires more"
)
NEVER_FIRES: Final = Lint(
    "R302", "never-fires", "Check spelling, region and turn: kdsl rules explain RULE shows near misses"
)
UNANSWERED: Final = Lint(
    "R303",
    "unanswered",
    "Get the evidence (kdsl extract --small SPEC answers questions), or drop the predicate",
)
UNKNOWN_EXAMPLE: Final = Lint("R304", "unknown-example", "Name dialogues of this data set, or drop the ids")
WRONG_SIGN: Final = Lint("R305", "wrong-sign", "Turn the weight's sign, or the condition")
FIRES_ALIKE: Final = Lint("R306", "fires-alike", "Keep the one that reads better, with the weight of both")

LINTS: Final = MappingProxyType(
    {
        lint.code: lint
        for lint in (
            *(UNREACHABLE, ALWAYS_TRUE, REDUNDANT, SLOW_PATTERN, UNKNOWN_INTENT, NO_WEIGHT, NO_WHY),
            *(TORN_EXAMPLE, ACCIDENTAL, DUPLICATE, SUBSUMED, CONTRADICTORY, LEFTOVER),
            *(TOO_NARROW, NEVER_FIRES, UNANSWERED, UNKNOWN_EXAMPLE, WRONG_SIGN, FIRES_ALIKE),
        )
    }
)
"""By code, in the order of the report."""
