"""What a caller supplies: a problem. The search never looks inside a state.

The state graph must be finite in depth and without cycles: an action only ever leads further from the
root (a condition grows, a set gains a member). Two orders of the same actions may meet in one state;
`Problem.key` is what makes them one node.

A problem that is slow to answer, but can answer many questions in the time of one, is a `BatchProblem`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

StateT = TypeVar("StateT")


class Action(Protocol):
    """One way on from a state, with whatever `Problem.apply` needs: the search hands it back untouched."""

    @property
    def label(self) -> str:
        """What a log calls it; distinct among the actions of one state. Asked once it is admitted."""
        ...

    @property
    def prior(self) -> float:
        """How promising it looks before it is tried, 0 or more.

        It decides the order in which children are admitted, and PUCT uses it exactly as given: priors that
        sum to 1 give the published formula, larger ones explore more.
        """
        ...


@dataclass(frozen=True, slots=True)
class Named:
    """An action that has a name and, for `Problem.apply`, anything else.

    Examples
    --------
    >>> Named("add refund", prior=0.25)
    Named(label='add refund', prior=0.25, payload=None)
    """

    label: str
    prior: float
    payload: Any = None


class Problem(Protocol[StateT]):
    """The five questions a search asks. All must answer the same whenever they are asked the same.

    A problem whose rewards have another range maps them to [0, 1] itself: the search refuses a value
    outside it, because the exploration constants of its policies mean nothing there.
    """

    def root(self) -> StateT:
        """Return the state where every path starts."""
        ...

    def actions(self, state: StateT) -> Sequence[Action]:
        """Return what can be done; empty at a terminal state. Asked once a key, when it is left first."""
        ...

    def apply(self, state: StateT, action: Any) -> StateT:
        """Return the state after one of its `actions`, leaving `state` as it was."""
        ...

    def key(self, state: StateT) -> str:
        """Return the canonical name of a state: equal for two states exactly if they are the same."""
        ...

    def evaluate(self, state: StateT) -> float:
        """Return the reward of a state, 0 (worst) to 1 (best). Asked at most once a key."""
        ...


@runtime_checkable
class BatchProblem(Problem[StateT], Protocol[StateT]):
    """A problem that is asked about several states at once, and then only so.

    Each answer must be the one that the state alone would get, whatever stands beside it.
    """

    def actions_many(self, states: Sequence[StateT]) -> Sequence[Sequence[Action]]:
        """Return `actions` of each state, in order; no key comes twice."""
        ...

    def evaluate_many(self, states: Sequence[StateT]) -> Sequence[float]:
        """Return `evaluate` of each state, in order; no key comes twice."""
        ...
