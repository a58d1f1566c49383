"""The statistical proposer: what is commoner in the intent's dialogues than elsewhere, given the draft.

It knows nothing of meaning. Its one source beside the sample is the catalogue: a phrase by which the
catalogue names the intent gets a head start, as if it had been seen `HEAD_START` times in the right place.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Final

from kdsl_cli.mining.candidates import Candidate
from kdsl_cli.mining.drafts import Clause, Draft, Move, can_widen
from kdsl_cli.mining.proposers.proposer import Proposal, Step
from kdsl_cli.mining.sample import Mask, Sample

HEAD_START: Final = 2.0
STRENGTH: Final = 1.0
"""Pseudo-counts of the m-estimate that shrink a precision towards the intent's share of the sample."""

OPENINGS: Final = 120
"""Candidates an intent's search opens or narrows with: those of highest contrast on the whole sample."""

DOUBTED: Final = 20
RIVALS: Final = 10
"""Of each of the first `DOUBTED` openings, the candidates that best tell its wrong firings from its right
ones: words of another intent, which no opening would hold. Drafts may exclude them."""


_Weighed = tuple[float, Move, Candidate]
"""A move with its prior; most are never taken, so that a `Proposal` is made of the best alone."""


class StatisticalProposer:
    """Proposes moves for the drafts of one intent.

    Parameters
    ----------
    intent
        Whose rules are searched.
    pool
        All candidates of the sample.
    positives, seen
        Dialogues of the intent, and all that count.
    """

    def __init__(self, intent: str, pool: Sequence[Candidate], positives: Mask, seen: Mask) -> None:
        self._intent = intent
        self._positives = positives
        self._seen = seen
        self._base = positives.bit_count() / max(1, seen.bit_count())
        scored = [(self._contrast(c), -place, c) for place, c in enumerate(pool)]
        best = heapq.nlargest(OPENINGS, (entry for entry in scored if entry[0] > 0))
        self._openings = tuple(_one("require", c, min(1.0, contrast)) for contrast, _, c in best)
        self._opened = tuple(c for _, _, c in best)
        self._rivals = self._rivals_of(self._opened[:DOUBTED], pool)
        self._moves = tuple(self._narrowing())
        # Rounds of a search begin anew and meet the same drafts.
        self._known: dict[tuple[Mask, tuple[Clause, ...], int], tuple[Proposal, ...]] = {}

    def propose(self, draft: Draft, limit: int) -> tuple[Proposal, ...]:
        """Return the most promising moves for a draft, best first.

        The empty draft is opened by a candidate that is commoner inside the intent. Any other draft is
        narrowed by wanting or excluding a candidate that sheds wrong firings, or widened by one that finds
        positives which the draft misses.
        """
        if not draft.clauses:
            return self._openings[:limit]
        # What narrows hangs on where the draft holds, what widens on its only clause too.
        key = draft.fires, draft.clauses if len(draft.clauses) == 1 else (), limit
        if key not in self._known:
            weighed = sorted((*self._narrower(draft), *self._wider(draft)), key=itemgetter(0), reverse=True)
            self._known[key] = tuple(
                _one(move, candidate, prior) for prior, move, candidate in weighed[:limit]
            )
        return self._known[key]

    def propose_many(self, drafts: Sequence[Draft], limits: Sequence[int]) -> list[tuple[Proposal, ...]]:
        """Return `propose` of each draft."""
        return [self.propose(draft, limit) for draft, limit in zip(drafts, limits, strict=True)]

    def for_round(self, number: int, held: Mask) -> StatisticalProposer:
        """Return itself: it looks at the whole sample in every round."""
        return self

    def _contrast(self, candidate: Candidate) -> float:
        """Return how far precision is above chance, times the root of the recall; head start included."""
        fired = candidate.true & self._seen
        right = (fired & self._positives).bit_count()
        bonus = HEAD_START if self._intent in candidate.named else 0.0
        if right + bonus < 2 or self._base == 1:  # nothing to tell apart
            return 0.0
        n = fired.bit_count() + bonus
        precision = (right + bonus + STRENGTH * self._base) / (n + STRENGTH)
        share = (right + bonus) / (self._positives.bit_count() + bonus)
        return max(0.0, (precision - self._base) / (1 - self._base)) * math.sqrt(share)

    def _narrowing(self) -> Iterator[tuple[Move, Candidate, Mask]]:
        """Yield each move that may narrow a draft, with where it leaves the draft true."""
        for candidate in self._opened:
            yield "require", candidate, candidate.true
            yield "exclude", candidate, candidate.false
        for candidate in self._rivals:
            yield "exclude", candidate, candidate.false

    def _rivals_of(self, doubted: Sequence[Candidate], pool: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """Return candidates to exclude that are no openings, in the order of the pool."""
        opened = {opening.true for opening in self._opened}
        others = [(place, c) for place, c in enumerate(pool) if c.true not in opened]
        chosen: dict[int, Candidate] = {}
        for opening in doubted:
            right = opening.true & self._positives
            wrong = opening.true & self._seen & ~self._positives
            told = (
                (shed * (right & c.false).bit_count(), -place, c)
                for place, c in others
                if (shed := (wrong & c.true).bit_count())  # most shed nothing
            )
            best = heapq.nlargest(RIVALS, (entry for entry in told if entry[0]))
            chosen.update((-place, candidate) for _, place, candidate in best)
        return tuple(chosen[place] for place in sorted(chosen))

    def _narrower(self, draft: Draft) -> Iterator[_Weighed]:
        """Yield what keeps positives of the draft and sheds wrong firings."""
        right = draft.fires & self._positives
        wrong = draft.fires & self._seen & ~self._positives
        n_right, n_wrong = right.bit_count(), wrong.bit_count()
        if not n_wrong:
            return
        for move, candidate, holds in self._moves:
            shed = n_wrong - (wrong & holds).bit_count()
            if shed and (kept := (right & holds).bit_count()) >= 2:
                yield kept / n_right * shed / n_wrong, move, candidate

    def _wider(self, draft: Draft) -> Iterator[_Weighed]:
        """Yield phrases that stand where the draft's one clause looks and find positives it misses."""
        missed = self._positives & ~draft.fires
        n_missed = missed.bit_count()
        if not n_missed or len(draft.clauses) != 1:
            return
        for candidate in self._opened:
            found = (candidate.true & missed).bit_count()
            if found and can_widen(draft, candidate.predicate):
                new = (candidate.true & self._seen & ~draft.fires).bit_count()
                yield found / (new + STRENGTH) * math.sqrt(found / n_missed), "widen", candidate


def _one(move: Move, candidate: Candidate, prior: float) -> Proposal:
    return Proposal((Step(move, candidate),), prior, candidate.source)


def make_statistical(sample: Sample, intent: str, pool: Sequence[Candidate]) -> StatisticalProposer:
    """Return the statistical proposer of one intent (`proposer.MakeProposer`)."""
    return StatisticalProposer(intent, pool, sample.positives(intent), sample.seen)
