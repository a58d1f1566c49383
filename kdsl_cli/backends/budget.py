"""How much a model may be asked."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from kdsl_cli.errors import BackendError

_FIX: Final = "What was answered is kept: with a larger budget the same command goes on from there"


class BudgetSpent(BackendError):
    """A model may be asked no more. Whoever asked ends with what there is, or tells the user."""


@dataclass(slots=True)
class Budget:
    """Limits, and what of them is used up. Several backends may share one.

    An answer from the cache counts like one from the model, so that a run that was cut off and started again
    ends where it would have ended at once. The deadline alone cannot promise that.

    Attributes
    ----------
    max_calls
        Answers, at most, different prompts of each call to a backend counted. None: no limit.
    max_tokens
        Tokens read and written. They are known afterwards, so the call that passes the limit is the last.
    deadline
        By `time.monotonic`.
    calls, tokens
        Used up so far.
    whole
        What this is a share of; what is used of it is used of the whole too. None: it stands alone.

    Examples
    --------
    >>> budget = Budget(max_calls=3)
    >>> budget.take(2)
    >>> budget.take(2)
    Traceback (most recent call last):
    ...
    kdsl_cli.backends.budget.BudgetSpent: the model may be asked 3 prompts; 2 were, and 2 more are wanted. ...
    """

    max_calls: int | None = None
    max_tokens: int | None = None
    deadline: float | None = None
    calls: int = 0
    tokens: int = 0
    whole: Budget | None = None

    def share(self, sharers: int) -> Budget:
        """Return an equal part of what is left, for the first of so many who are served one after the other.

        What one does not use is there for the next.

        Examples
        --------
        >>> budget = Budget(max_calls=100)
        >>> first = budget.share(2)
        >>> first.take(20)
        >>> first.max_calls, budget.share(1).max_calls
        (50, 80)
        """
        now = time.monotonic()
        return Budget(
            None if self.max_calls is None else (self.max_calls - self.calls) // sharers,
            None if self.max_tokens is None else max(0, self.max_tokens - self.tokens) // sharers,
            None if self.deadline is None else now + max(0.0, self.deadline - now) / sharers,
            whole=self,
        )

    def take(self, calls: int) -> None:
        """Use up so many calls, or none of them: what fits in part is not asked in part.

        Raises
        ------
        BudgetSpent
            If that would be more than `max_calls`, if `max_tokens` are used up, or after the deadline.
        """
        if self.max_calls is not None and self.calls + calls > self.max_calls:
            raise BudgetSpent(
                f"the model may be asked {self.max_calls} prompts; {self.calls} were, "
                f"and {calls} more are wanted",
                fix=_FIX,
            )
        if self.max_tokens is not None and self.tokens >= self.max_tokens:
            raise BudgetSpent(f"the model may use {self.max_tokens} tokens, and used {self.tokens}", fix=_FIX)
        self.check_time()
        if self.whole is not None:
            self.whole.take(calls)
        self.calls += calls

    def check_time(self) -> None:
        """Raise `BudgetSpent` after the deadline."""
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise BudgetSpent("the time in which the model may be asked is over", fix=_FIX)

    def spend(self, tokens: int) -> None:
        """Use up so many tokens."""
        if self.whole is not None:
            self.whole.spend(tokens)
        self.tokens += tokens
