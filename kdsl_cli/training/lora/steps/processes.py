"""The processes that tune together: one a device, each with its share of every step.

What they learn is small, so its gradients are summed once a step, and every process takes the same step. The
samples of a step do not depend on how many there are, so neither does the result, but for float noise.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from kdsl_cli import extras

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class World:
    """Which of how many processes this is; alone, nothing has to be said to anybody.

    Attributes
    ----------
    rank
        From 0. The first one prints and writes.
    size
        How many there are.
    """

    rank: int = 0
    size: int = 1

    @classmethod
    def current(cls) -> Self:
        """Return the world that ``accelerate launch`` made, or one of this process alone.

        Raises
        ------
        MissingExtra
            If accelerate is not installed, though there are others.
        """
        if int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return cls()
        import torch

        accelerate: Any = extras.require("accelerate", extra="local", feature="tuning on several devices")
        state = accelerate.PartialState(cpu=not torch.cuda.is_available())
        return cls(state.process_index, state.num_processes)

    @property
    def first(self) -> bool:
        """Whether this process prints and writes."""
        return self.rank == 0

    @property
    def device(self) -> str | None:
        """The device of this process as torch names it; None: the best there is."""
        import torch

        if self.size == 1 or not torch.cuda.is_available():
            return None
        return f"cuda:{os.environ.get('LOCAL_RANK', self.rank)}"

    def share(self, values: Sequence[T]) -> list[T]:
        """Return those of `values` that are this process's.

        Examples
        --------
        >>> World(1, 2).share("abcde")
        ['b', 'd']
        """
        return list(values[self.rank :: self.size])

    def whole(self, share: Sequence[T]) -> list[T]:
        """Put together what all processes made of their shares, in the order there was.

        Examples
        --------
        >>> World().whole(World().share("abc"))
        ['a', 'b', 'c']
        """
        if self.size == 1:
            return list(share)
        shares: list[list[T]] = _exchange().gather_object([list(share)])
        longest = max(map(len, shares))
        return [part[place] for place in range(longest) for part in shares if place < len(part)]

    def summed(self, tensor: Any) -> Any:
        """Return the sum of a tensor over all processes."""
        if self.size == 1:
            return tensor
        return _exchange().reduce(tensor, reduction="sum")

    def told(self, value: T) -> T:
        """Return what the first process gives."""
        if self.size == 1:
            return value
        heard: list[T] = _exchange().broadcast_object_list([value])
        return heard[0]


def _exchange() -> Any:
    return extras.require("accelerate.utils", extra="local", feature="tuning on several devices")
