"""A draft: a conjunction of clauses under construction, and the moves that make it another draft."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from kdsl_cli.logic.conditions import All, AtLeast, Condition, Not
from kdsl_cli.logic.predicates import OcrPredicate, Predicate, TextPredicate
from kdsl_cli.mining.candidates import Candidate, Source
from kdsl_cli.mining.sample import Mask

Move = Literal["require", "exclude", "widen"]
"""Want a candidate too, want it to be false (where it is unknown the draft is not true), or take its phrase
as an alternative."""

_PHRASED: Final = (TextPredicate, OcrPredicate)

MIN_FOUND: Final = 2
MIN_SHED: Final = 2


@dataclass(frozen=True, slots=True)
class Clause:
    """One part of a draft: a candidate's predicate, or its negation; `fires` is where the clause is true."""

    predicate: Predicate | AtLeast
    negated: bool
    fires: Mask


@dataclass(frozen=True, slots=True)
class Draft:
    """Clauses that must all hold. No clause: the empty draft, true everywhere.

    Attributes
    ----------
    clauses
        In the order they were added.
    fires
        Dialogues in which the draft is true.
    standing
        Dialogues in which it is true out of fold: what the draft would be without a fold, looked at in that
        fold (`Workbench`).
    source, why
        Who thought of it, and in what words; "" if nobody gave any. Neither tells one draft from another.
    """

    clauses: tuple[Clause, ...]
    fires: Mask
    standing: Mask
    source: Source = "statistical"
    why: str = ""

    @property
    def length(self) -> int:
        """Number of phrases and other predicates, each alternative of a `contains_any` counted."""
        return sum(phrases(clause.predicate) for clause in self.clauses)

    def condition(self) -> Condition:
        """Return the draft as a condition.

        Raises
        ------
        ValueError
            If the draft is empty.
        """
        parts: list[Condition] = [
            Not(clause.predicate) if clause.negated else clause.predicate for clause in self.clauses
        ]
        if not parts:
            raise ValueError("an empty draft is no condition")
        return parts[0] if len(parts) == 1 else All(tuple(parts))


@dataclass(frozen=True, slots=True)
class Workbench:
    """Makes drafts of drafts for one intent, and keeps account of what each part of a draft rests on.

    A part was added because it fits the sample, so on that sample it flatters itself. In a fold, a part
    therefore counts only if the *other* folds alone justify it: an opening or an alternative must hold
    `MIN_FOUND` or more dialogues of the intent there, at a precision above chance; a narrowing clause must
    shed `MIN_SHED` or more wrong firings there. Parts without that are left away when the draft's firings in
    the fold are counted.

    Attributes
    ----------
    positives, seen
        Dialogues of the intent, and all that count.
    folds
        Parts of `seen`.
    everyone
        All dialogues, those that do not count included.
    """

    positives: Mask
    seen: Mask
    folds: tuple[Mask, ...]
    everyone: Mask

    def empty(self) -> Draft:
        """Return the draft without a clause."""
        return Draft((), self.everyone, self.seen)

    def move(self, draft: Draft, move: Move, candidate: Candidate) -> Draft:
        """Return the draft after one move."""
        match move:
            case "require" if not draft.clauses:
                clause = Clause(candidate.predicate, False, candidate.true)
                return Draft((clause,), candidate.true, self.found(candidate.true))
            case "require":
                return self._narrow(draft, candidate, False)
            case "exclude":
                return self._narrow(draft, candidate, True)
            case "widen":
                return self._widen(draft, candidate)

    def found(self, fires: Mask) -> Mask:
        """Return the part of `fires` in the folds whose complement would have found them too."""
        standing = 0
        for fold in self.folds:
            inside = fires & fold
            if inside:
                others = self.seen & ~fold
                found, fired = (fires & self.positives & others).bit_count(), (fires & others).bit_count()
                chance = (self.positives & others).bit_count() / max(1, others.bit_count())
                if found >= MIN_FOUND and found > chance * fired:
                    standing |= inside
        return standing

    def _narrow(self, draft: Draft, candidate: Candidate, negated: bool) -> Draft:
        holds = candidate.false if negated else candidate.true
        shed = draft.fires & self.seen & ~holds & ~self.positives
        standing = 0
        for fold in self.folds:
            inside = draft.standing & fold
            if inside:
                justified = (shed & ~fold).bit_count() >= MIN_SHED
                standing |= inside & holds if justified else inside
        clause = Clause(candidate.predicate, negated, holds)
        return Draft((*draft.clauses, clause), draft.fires & holds, standing)

    def _widen(self, draft: Draft, candidate: Candidate) -> Draft:
        (only,) = draft.clauses
        fires = only.fires | candidate.true
        clause = Clause(alternatives(only.predicate, candidate.predicate), False, fires)
        return Draft((clause,), fires, draft.standing | self.found(candidate.true))


def phrases(predicate: Predicate | AtLeast) -> int:
    """Return how much there is to read in a predicate: its phrases, or one; so is a panel: one question."""
    return len(predicate.values) if isinstance(predicate, _PHRASED) else 1


def can_widen(draft: Draft, candidate: Predicate | AtLeast) -> bool:
    """Tell whether a phrase may stand as an alternative: same place, one phrase, not there yet.

    Only a draft of one clause is widened. "a, and b or c" is still reached, by widening b first; were
    later clauses widened too, two of them could become the same, and the graph of drafts would have a cycle.
    """
    if len(draft.clauses) != 1 or draft.clauses[0].negated:
        return False
    predicate = draft.clauses[0].predicate
    if isinstance(predicate, TextPredicate) and isinstance(candidate, TextPredicate):
        alike = predicate.field == candidate.field
    elif isinstance(predicate, OcrPredicate) and isinstance(candidate, OcrPredicate):
        alike = predicate.region == candidate.region
    else:
        return False
    if not alike or predicate.op not in ("contains", "contains_any") or candidate.op != "contains":
        return False
    return candidate.values[0] not in predicate.values


def alternatives(first: Predicate | AtLeast, second: Predicate | AtLeast) -> Predicate:
    """Return the predicate that holds where either phrase stands."""
    assert isinstance(first, TextPredicate | OcrPredicate)
    assert isinstance(second, TextPredicate | OcrPredicate)
    return replace(first, op="contains_any", values=(*first.values, *second.values))
