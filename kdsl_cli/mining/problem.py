"""Rule mining as a search problem: states are drafts, actions are proposals, the reward is the objective."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import compress

from kdsl_cli.logic.conditions import condition_key
from kdsl_cli.mining.drafts import Draft, Workbench
from kdsl_cli.mining.objective import Objective
from kdsl_cli.mining.proposers.proposer import Proposal, Proposer

EMPTY = "(empty)"
"""Key of the draft without a clause."""


class RuleProblem:
    """The drafts of one intent, as `kdsl_cli.search.problem.BatchProblem` wants them.

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
        proposer: Proposer,
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

    def actions(self, state: Draft) -> Sequence[Proposal]:
        """Return the proposals for a draft that may still grow."""
        return self.actions_many([state])[0]

    def actions_many(self, states: Sequence[Draft]) -> Sequence[Sequence[Proposal]]:
        """Return the proposals for each draft that may still grow."""
        grows = [draft.length < self._max_length for draft in states]
        growing = list(compress(states, grows))
        limits = [self._branching if draft.clauses else 3 * self._branching for draft in growing]
        proposed = iter(self._proposer.propose_many(growing, limits) if growing else ())
        return [next(proposed) if grow else () for grow in grows]

    def apply(self, state: Draft, action: Proposal) -> Draft:
        """Return the draft after the moves; who proposed them is remembered with it."""
        draft = state
        for step in action.steps:
            draft = self._workbench.move(draft, step.move, step.candidate)
        source = action.source if not state.clauses or state.source == action.source else "both"
        why = action.why if not state.why or state.why == action.why else f"{state.why} {action.why}".rstrip()
        same = (draft.source, draft.why) == (source, why)
        return draft if same else replace(draft, source=source, why=why)

    def key(self, state: Draft) -> str:
        """Return the canonical condition: drafts made in another order are one node."""
        return condition_key(state.condition()) if state.clauses else EMPTY

    def evaluate(self, state: Draft) -> float:
        """Return the draft's worth; the empty draft has none."""
        return self._objective.value(state.standing, state.length) if state.clauses else 0.0

    def evaluate_many(self, states: Sequence[Draft]) -> Sequence[float]:
        """Return the worth of each draft."""
        return [self.evaluate(draft) for draft in states]
