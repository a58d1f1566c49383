"""Asking a problem about several states at once, one answer for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic

from kdsl_cli.search.problem import Action, BatchProblem, Problem, StateT


class Asker(Generic[StateT]):
    """Asks a `BatchProblem` in batches and any other problem state by state.

    Parameters
    ----------
    problem
        Who answers.

    Examples
    --------
    >>> class Halves:
    ...     def evaluate(self, state): return state / 2
    >>> Asker(Halves()).rewards({"one": 1, "none": 0})
    {'one': 0.5, 'none': 0.0}
    """

    def __init__(self, problem: Problem[StateT]) -> None:
        self._one = problem
        self._many = problem if isinstance(problem, BatchProblem) else None

    def actions(self, states: Sequence[StateT]) -> Sequence[Sequence[Action]]:
        """Return the actions of each state, in order.

        Raises
        ------
        ValueError
            If the problem gives another number of answers.
        """
        if self._many is None:
            return [self._one.actions(state) for state in states]
        return _of_length(len(states), self._many.actions_many(states), "actions_many")

    def rewards(self, states: Mapping[str, StateT]) -> dict[str, float]:
        """Return the reward of each state, given and returned by key.

        Raises
        ------
        ValueError
            If the problem gives another number of answers.
        """
        if self._many is None:
            return {key: self._one.evaluate(state) for key, state in states.items()}
        rewards = _of_length(len(states), self._many.evaluate_many(list(states.values())), "evaluate_many")
        return dict(zip(states, rewards, strict=True))


def _of_length(states: int, answers: Sequence[Any], question: str) -> Sequence[Any]:
    if len(answers) != states:
        raise ValueError(f"{question} gave {len(answers)} answers; allowed: one for each of {states} states")
    return answers
