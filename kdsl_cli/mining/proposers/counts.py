"""What became of the answers a model gave when asked for proposals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

Outcome = Literal["valid", "invalid", "duplicate", "useless", "failed", "untried"]

REASONS: Final = 5
"""Reasons that are kept: the first ones are told, the others only counted."""


@dataclass(frozen=True, slots=True)
class ProposalCounts:
    """Answers by what became of them; they add up to `asked`.

    Attributes
    ----------
    asked
        Answers asked for.
    valid
        Became a proposal.
    invalid
        Are no condition of the offered kind, or too long.
    duplicate
        Say, or catch, what another proposal for the same draft does.
    useless
        Hold everywhere or hardly anywhere, change nothing, or ask a question that tells nothing apart.
    failed
        Did not come.
    untried
        Ask a new question where no budget, or no room for one, is left.
    reasons
        Of the first ones that became nothing.

    Examples
    --------
    >>> ProposalCounts().plus("valid").plus("invalid", "not JSON")  # doctest: +ELLIPSIS
    ProposalCounts(asked=2, valid=1, invalid=1, duplicate=0, useless=0, failed=0, untried=0, reasons=...)
    """

    asked: int = 0
    valid: int = 0
    invalid: int = 0
    duplicate: int = 0
    useless: int = 0
    failed: int = 0
    untried: int = 0
    reasons: tuple[str, ...] = ()

    def plus(self, outcome: Outcome, reason: str = "") -> ProposalCounts:
        """Return the counts with one more answer."""
        reasons = (*self.reasons, reason) if reason and len(self.reasons) < REASONS else self.reasons
        changed = {"asked": self.asked + 1, outcome: getattr(self, outcome) + 1}
        return replace(self, reasons=reasons, **changed)
