"""Steps of a training: which samples each of them takes, and their batches made ready ahead of need."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

AHEAD: Final = 4
"""Batches made ready beside the step at work: enough to hide the reading of pictures."""

J = TypeVar("J")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Draw:
    """A sample drawn to be learnt.

    Attributes
    ----------
    sample
        Its place in the list of all.
    epoch, place
        When: from 0, and where in the epoch's order.
    """

    sample: int
    epoch: int
    place: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the optimiser.

    Attributes
    ----------
    draws
        What it learns, over all processes together.
    judged
        Whether the validation split is scored after it.
    """

    draws: tuple[Draw, ...]
    judged: bool

    @property
    def epoch(self) -> int:
        """From 0."""
        return self.draws[0].epoch


def steps(orders: Iterable[Sequence[int]], size: int, evaluations: int = 1) -> list[Step]:
    """Cut the order of each epoch into steps of `size` samples; the last of an epoch may be smaller.

    Parameters
    ----------
    orders
        Places of samples, an epoch each.
    evaluations
        How often an epoch the validation split is scored: evenly, and after its last step.

    Examples
    --------
    >>> made = steps([[2, 0, 1], [0, 1, 2]], 2)
    >>> [[draw.sample for draw in step.draws] for step in made]
    [[2, 0], [1], [0, 1], [2]]
    >>> [step.judged for step in made]
    [False, True, False, True]
    """
    made = []
    for epoch, order in enumerate(orders):
        draws = [Draw(sample, epoch, place) for place, sample in enumerate(order)]
        parts = [tuple(draws[start : start + size]) for start in range(0, len(draws), size)]
        judged = {-(-len(parts) * turn // evaluations) for turn in range(1, evaluations + 1)}
        made += [Step(part, number in judged) for number, part in enumerate(parts, start=1)]
    return made


def groups(draws: Sequence[Draw], size: int, lengths: Sequence[int]) -> list[list[Draw]]:
    """Part one process's share of a step into batches of `size`, like beside like, so that little is padded.

    Parameters
    ----------
    lengths
        Of all samples, in tokens.

    Examples
    --------
    >>> drawn = [Draw(sample, 0, sample) for sample in range(4)]
    >>> [[draw.sample for draw in group] for group in groups(drawn, 2, lengths=[9, 2, 8, 1])]
    [[3, 1], [2, 0]]
    """
    near = sorted(draws, key=lambda draw: (lengths[draw.sample], draw.place))
    return [near[start : start + size] for start in range(0, len(near), size)]


def prepared(jobs: Iterable[J], make: Callable[[J], T]) -> Generator[T, None, None]:
    """Yield what `make` makes of each job, in order, made in a thread while the last ones are at work.

    What `make` raises is raised where its result is asked for. Closed early, it makes no more.

    Examples
    --------
    >>> list(prepared("abc", str.upper))
    ['A', 'B', 'C']
    """
    left = iter(jobs)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="batches") as pool:
        waiting: deque[Future[T]] = deque(pool.submit(make, job) for job in islice(left, AHEAD))
        try:
            while waiting:
                made = waiting.popleft().result()
                waiting.extend(pool.submit(make, job) for job in islice(left, 1))
                yield made
        finally:
            for future in waiting:
                future.cancel()
