"""The training sample as bit masks: bit i of a mask is dialogue i, so that a set of firings is one integer.

Few-shot samples have some hundreds of rows. At that size "and", "or" and "how many" on Python integers cost
well under a microsecond, which is what lets the search look at ten thousands of drafts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from kdsl_cli.dialogues.folds import fold_numbers

Mask = int
"""A set of dialogues of one `Sample`."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The labels of one task's training dialogues, as far as a search may know them.

    Attributes
    ----------
    labels
        One intent a dialogue, in a fixed order.
    intents
        All intents of the task, in the catalogue's order.
    folds
        One mask a fold; they part `seen`.
    seen
        Dialogues that count. The others have bits in every mask too, so that a rule mined without a fold
        tells at once where it fires in it.
    """

    labels: tuple[str, ...]
    intents: tuple[str, ...]
    folds: tuple[Mask, ...]
    seen: Mask

    def positives(self, intent: str) -> Mask:
        """Return the dialogues that count and carry the intent's label."""
        return mask_of(label == intent for label in self.labels) & self.seen

    def relabelled(self, labels: Sequence[str]) -> Sample:
        """Return the sample with other labels, as the permutation test needs it."""
        return replace(self, labels=tuple(labels))

    def without(self, fold: int) -> Sample:
        """Return the sample in which one fold does not count."""
        rest = tuple(mask for number, mask in enumerate(self.folds) if number != fold)
        return replace(self, folds=rest, seen=self.seen & ~self.folds[fold])


def mask_of(members: Iterable[bool]) -> Mask:
    """Return the mask whose bit i says whether the i-th is a member.

    Examples
    --------
    >>> bin(mask_of([True, False, True]))
    '0b101'
    """
    bits = "".join("1" if member else "0" for member in members)
    return int(bits[::-1] or "0", 2)


def as_bools(mask: Mask, size: int) -> npt.NDArray[np.bool_]:
    """Return a mask as (size,) bool.

    Examples
    --------
    >>> as_bools(0b101, 4).tolist()
    [True, False, True, False]
    """
    raw = np.frombuffer(mask.to_bytes((size + 7) // 8, "little"), dtype=np.uint8)
    return np.unpackbits(raw, bitorder="little")[:size].astype(bool)


def make_sample(
    labels: Sequence[str], groups: Sequence[str | None], intents: Sequence[str], *, n_folds: int, seed: int
) -> Sample:
    """Return a sample with its folds made: groups stay whole, intents spread evenly."""
    numbers = fold_numbers(labels, groups, n_folds, seed)
    folds = tuple(mask_of(numbers == fold) for fold in range(n_folds))
    return Sample(tuple(labels), tuple(intents), folds, (1 << len(labels)) - 1)
