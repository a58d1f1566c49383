"""Rule mining as a search problem: states are drafts, actions are proposals, the reward is the objective."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl_cli.logic.conditions import condition_key
from kdsl_cli.mining.drafts import Draft, Workbench
from kdsl_cli.mining.objective import Objective
from kdsl_cli.mining.proposers.statistical import Proposal, StatisticalProposer
from kdsl_cli.search.problem import Action

EMPTY = "(empty)"
"""Key of the draft without a clause."""


class RuleProblem:
    """The drafts of one intent, as `kdsl_cli.search.problem.Problem` wants them.

    Parameters
    ----------
    proposer
        Who suggests the next move.
    objective
        What a draft is worth.
    workbench
        Makes the drafts.
    max_length
        A draft of so many predicates grows no more; each phrase of a `contains_any` counts.
    branching
        Moves tried from one draft, at most.
    """

    def __init__(
        self,
        proposer: StatisticalProposer,
        objective: Objective,
        workbench: Workbench,
        *,
        max_length: int,
        branching: int,
    ) -> None:
        self._proposer = proposer
        self._objective = objective
        self._workbench = workbench
        self._max_length = max_length
        self._branching = branching

    def root(self) -> Draft:
        """Return the empty draft."""
        return self._workbench.empty()

    def actions(self, state: Draft) -> Sequence[Action]:
        """Return the proposals for a draft that may still grow."""
        if state.length >= self._max_length:
            return ()
        limit = self._branching if state.clauses else 3 * self._branching
        return [
            Action(f"{proposal.move} {condition_key(proposal.candidate.predicate)}", proposal.prior, proposal)
            for proposal in self._proposer.propose(state, limit)
        ]

    def apply(self, state: Draft, action: Action) -> Draft:
        """Return the draft after the move."""
        proposal: Proposal = action.payload
        return self._workbench.move(state, proposal.move, proposal.candidate)

    def key(self, state: Draft) -> str:
        """Return the canonical condition: drafts made in another order are one node."""
        return condition_key(state.condition()) if state.clauses else EMPTY

    def evaluate(self, state: Draft) -> float:
        """Return the draft's worth; the empty draft has none."""
        return self._objective.value(state.standing, state.length) if state.clauses else 0.0
