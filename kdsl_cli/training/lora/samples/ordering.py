"""In which order samples are learnt: over all tasks at once, a new order each epoch, the same for a seed."""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence

from kdsl_cli.runs.seeds import child_seed


def order(
    labels: Sequence[Hashable], tasks: Sequence[str], epoch: int, seed: int, *, balanced: bool
) -> list[int]:
    """Return which sample stands at each place of an epoch, as places in the sample.

    An epoch is as long as the sample. Balanced, every intent of every task has the same share of it, to one
    draw; within an intent samples take turns, and go on in the next epoch where this one left off, so that
    over epochs each is seen as often as the others of its intent, to one draw.

    Parameters
    ----------
    labels, tasks
        One a sample. Intents of different tasks are different, whatever their names.
    epoch
        From 0 on.
    balanced
        False: every sample once.

    Returns
    -------
    list[int]
        As many as there are samples.

    Examples
    --------
    >>> sorted(order(["a", "a", "a", "b"], ["t"] * 4, epoch=0, seed=0, balanced=False))
    [0, 1, 2, 3]
    >>> drawn = order(["a", "a", "a", "b"], ["t"] * 4, epoch=0, seed=0, balanced=True)
    >>> len(drawn), drawn.count(3)
    (4, 2)
    """
    places = _balanced(labels, tasks, epoch, seed) if balanced else list(range(len(labels)))
    random.Random(child_seed(seed, "order", str(epoch))).shuffle(places)
    return places


def _balanced(labels: Sequence[Hashable], tasks: Sequence[str], epoch: int, seed: int) -> list[int]:
    members: dict[tuple[str, Hashable], list[int]] = {}
    for place, key in enumerate(zip(tasks, labels, strict=True)):
        members.setdefault(key, []).append(place)
    places: list[int] = []
    for number, ((task, label), own) in enumerate(members.items()):
        # Draws until an epoch's begin; over the intents they add up to whole epochs (Hermite's identity).
        begin, end = (((epoch + more) * len(labels) + number) // len(members) for more in (0, 1))
        turns = {
            turn: _shuffled(own, child_seed(seed, "turns", task, str(label), str(turn)))
            for turn in range(begin // len(own), end // len(own) + 1)
        }
        places += [turns[draw // len(own)][draw % len(own)] for draw in range(begin, end)]
    return places


def _shuffled(places: Sequence[int], seed: int) -> list[int]:
    shuffled = list(places)
    random.Random(seed).shuffle(shuffled)
    return shuffled
