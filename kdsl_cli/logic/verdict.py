"""The verdict: the tree of reasons a match returns.

`render` prints it so:

    true     all
    true       a line at the top of the screen contains "退款"
                 picture 1, line 2, characters 2 to 4: "退款"
    unknown    not
    unknown      a line on the screen contains "退货"
                   picture 2 could not be read: truncated file
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kdsl_cli.logic.conditions import All, Any, AtLeast, Condition, Not
from kdsl_cli.logic.describing import describe
from kdsl_cli.logic.kleene import Truth

_WORDS: Final[dict[Truth, str]] = {True: "true", False: "false", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Reason:
    """One fact that a predicate's truth rests on, or why it is unknown.

    Attributes
    ----------
    what
        One line for people, who count pictures, lines and turns from 1.
    turn
        `TurnFact.seq` of the turn, if it is one.
    image, line
        `OcrLine.image` and `OcrLine.seq` of the line, or only the picture.
    span
        Start and end of the phrase in the text as it was written, in characters.
    value
        The descriptor, kind, count or answer that was compared.
    """

    what: str
    turn: int | None = None
    image: int | None = None
    line: int | None = None
    span: tuple[int, int] | None = None
    value: str | float | bool | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The truth of one node of a condition, and why.

    Attributes
    ----------
    value
        True, False, or None for unknown.
    node
        The condition that was judged.
    children
        Verdicts of its children, all of them, in order; none for a predicate.
    reasons
        The facts that decided; for predicates only. A phrase that is nowhere has no reason.
    """

    value: Truth
    node: Condition
    children: tuple[Verdict, ...] = ()
    reasons: tuple[Reason, ...] = ()


def render(verdict: Verdict, depth: int = 0) -> str:
    """Return the verdict as an indented tree, one line a node or reason."""
    lines = [f"{_WORDS[verdict.value]:<8} {'  ' * depth}{title(verdict.node)}"]
    lines += [f"{'':<8} {'  ' * (depth + 1)}{reason.what}" for reason in verdict.reasons]
    return "\n".join([*lines, *(render(child, depth + 1) for child in verdict.children)])


def title(node: Condition) -> str:
    """Return a node of a verdict in words; of a group, only what kind of group it is.

    Examples
    --------
    >>> from kdsl_cli.logic.predicates import CountPredicate
    >>> title(AtLeast(2, (CountPredicate("turns", "gte", 1), CountPredicate("images", "gte", 1))))
    'at least 2'
    """
    match node:
        case All():
            return "all"
        case Any():
            return "any"
        case Not():
            return "not"
        case AtLeast(n, _):
            return f"at least {n}"
        case _:
            return describe(node)
