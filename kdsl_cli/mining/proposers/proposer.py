"""Who proposes: what the search asks for when it leaves a draft, whoever answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from kdsl_cli.logic.conditions import condition_key
from kdsl_cli.mining.candidates import Candidate, Source
from kdsl_cli.mining.drafts import Draft, Move
from kdsl_cli.mining.sample import Mask, Sample

_key = lru_cache(maxsize=4096)(condition_key)  # the same candidates are proposed for thousands of drafts


class Step(NamedTuple):
    """One move with its candidate."""

    move: Move
    candidate: Candidate

    @property
    def label(self) -> str:
        """What a log of the search calls it."""
        return f"{self.move} {_key(self.candidate.predicate)}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Moves, made one after the other, that may better a draft: an action of the search.

    Attributes
    ----------
    steps
        One or more.
    prior
        How promising they look, 0 to 1.
    source
        Who thought of them.
    why
        The proposer's own sentence; empty if it has none.
    """

    steps: tuple[Step, ...]
    prior: float
    source: Source = "statistical"
    why: str = ""

    @property
    def label(self) -> str:
        """What a log of the search calls it."""
        return " + ".join([step.label for step in self.steps])


class Proposer(Protocol):
    """Proposes moves for the drafts of one intent. The same draft gets the same proposals within a round."""

    def propose(self, draft: Draft, limit: int) -> tuple[Proposal, ...]:
        """Return the most promising moves for a draft, best first, `limit` at most."""
        ...

    def propose_many(self, drafts: Sequence[Draft], limits: Sequence[int]) -> list[tuple[Proposal, ...]]:
        """Return `propose` of each draft, in order; a model is asked about all of them at once."""
        ...

    def for_round(self, number: int, held: Mask) -> Proposer:
        """Return who proposes in a round.

        Parameters
        ----------
        number
            Of the round, from 0. Rounds come in order.
        held
            Dialogues that rules kept in earlier rounds, or known before, have.
        """
        ...


MakeProposer = Callable[[Sample, str, Sequence[Candidate]], Proposer]
"""Makes the proposer of an intent: from the sample of a run, the intent, and the sample's candidates."""


def outcome(draft: Draft, steps: Sequence[Step]) -> Mask:
    """Return where a draft fires after some moves."""
    fires = draft.fires
    for step in steps:
        match step.move:
            case "require":
                fires &= step.candidate.true
            case "exclude":
                fires &= step.candidate.false
            case "widen":
                fires |= step.candidate.true
    return fires
