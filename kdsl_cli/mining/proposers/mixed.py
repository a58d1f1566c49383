"""The mixed proposer: what counting finds, and what the model says, side by side."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from kdsl_cli.mining.candidates import Candidate
from kdsl_cli.mining.drafts import Draft
from kdsl_cli.mining.proposers.model import ModelProposer
from kdsl_cli.mining.proposers.panels import Questions
from kdsl_cli.mining.proposers.proposer import Proposal, Proposer, outcome
from kdsl_cli.mining.sample import Mask


class MixedProposer:
    """Proposes what either of two proposers does.

    Parameters
    ----------
    model
        The one.
    counting
        Makes the other, given candidates beside those of the sample: the answers to the run's questions, as
        they come in. It is made anew for each round.
    questions
        Those of the run.
    seen
        Dialogues that count.
    """

    def __init__(
        self,
        model: ModelProposer,
        counting: Callable[[Sequence[Candidate]], Proposer],
        questions: Questions,
        seen: Mask,
    ) -> None:
        self._model = model
        self._make = counting
        self._questions = questions
        self._seen = seen
        self._grown_to = -1
        self._grow()

    def propose(self, draft: Draft, limit: int) -> tuple[Proposal, ...]:
        """Return the proposals of both, best first."""
        return self.propose_many([draft], [limit])[0]

    def propose_many(self, drafts: Sequence[Draft], limits: Sequence[int]) -> list[tuple[Proposal, ...]]:
        """Return `propose` of each draft; the model is asked about all of them at once."""
        said = self._model.propose_many(drafts, limits)
        return [
            self._union(draft, model)[:limit] if model else self._counting.propose(draft, limit)
            for draft, limit, model in zip(drafts, limits, said, strict=True)
        ]

    def for_round(self, number: int, held: Mask) -> MixedProposer:
        """Return itself, with what the run's questions by now add to counting."""
        self._model.for_round(number, held)
        self._grow()
        return self

    def _grow(self) -> None:
        if len(self._questions) > self._grown_to:
            self._grown_to = len(self._questions)
            answers = [candidate for pair in self._questions.offered().values() for candidate in pair]
            self._counting = self._make(answers)

    def _union(self, draft: Draft, said: Sequence[Proposal]) -> tuple[Proposal, ...]:
        """Join proposals; of two that catch the same, the model's words stay, with the larger prior."""
        joined = {outcome(draft, proposal.steps) & self._seen: proposal for proposal in said}
        rest: list[Proposal] = []
        for proposal in self._counting.propose(draft, sys.maxsize):
            fires = outcome(draft, proposal.steps) & self._seen
            if (twin := joined.get(fires)) is not None:
                joined[fires] = replace(twin, prior=max(twin.prior, proposal.prior), source="both")
            else:
                rest.append(proposal)
        return tuple(sorted((*joined.values(), *rest), key=lambda proposal: -proposal.prior))
