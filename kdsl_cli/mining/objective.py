"""What a draft is worth: out of fold, by a lower bound, new coverage only, length charged.

The value of a draft, 0 to 1, is ::

    low(correct, fired) * (new / positives) ** COVERAGE  -  charge * (length - 1)

`fired` and `correct` count the draft's out-of-fold firings (`kdsl_cli.mining.drafts.Workbench`), and `low` is
the lower end of the Wilson interval of their ratio, so that 3 of 3 stays below 20 of 22. `new` counts
the positives that the draft gets right, each weighed by ``DISCOUNT ** k`` where k kept rules have it already
(weighted covering, Lavrac et al. 2004, CN2-SD). Ours, not the paper's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from kdsl_cli.metrics import wilson_low
from kdsl_cli.mining.sample import Mask

CONFIDENCE: Final = 0.8
"""One-sided level of the precision's lower bound."""

COVERAGE: Final = 0.5
"""Power of the covered share: 0 would want only precision, 1 as much coverage as precision."""

DISCOUNT: Final = 0.85
"""What a positive is worth once more for every kept rule that holds it already."""


@dataclass(frozen=True, slots=True)
class Objective:
    """The worth of drafts for one intent, given the rules kept so far.

    Attributes
    ----------
    positives
        Dialogues of the intent.
    charge
        Taken off for every predicate after the first.
    covered
        Dialogues held by at least 1, 2, ... kept rules of the intent.
    """

    positives: Mask
    charge: float = 0.01
    covered: tuple[Mask, ...] = ()

    def value(self, standing: Mask, length: int) -> float:
        """Return the worth of a draft, 0 to 1.

        Parameters
        ----------
        standing
            Dialogues in which the draft is true out of fold.
        length
            Number of its predicates.
        """
        right = standing & self.positives
        if not right:
            return 0.0
        low = _low(right.bit_count(), standing.bit_count())
        return max(0.0, low * math.pow(self.new_share(right), COVERAGE) - self.charge * (length - 1))

    def new_share(self, right: Mask) -> float:
        """Return the share of the positives that `right` adds, those held already discounted."""
        worth = float(right.bit_count())
        share = 1.0
        for held in self.covered:
            if not (again := right & held):
                break  # whom no rule holds, no two do
            # A positive in the k-th mask was counted with DISCOUNT ** (k - 1) so far.
            worth -= again.bit_count() * share * (1 - DISCOUNT)
            share *= DISCOUNT
        return worth / self.positives.bit_count()

    def with_kept(self, kept: Sequence[Mask]) -> Objective:
        """Return the objective once rules that hold in the masks of `kept` are there."""
        layers: list[Mask] = []
        for fires in kept:
            carry = fires & self.positives
            for depth, held in enumerate(layers):
                layers[depth], carry = held | carry, held & carry
            if carry:
                layers.append(carry)
        return Objective(self.positives, self.charge, tuple(layers))


@lru_cache(maxsize=65_536)
def _low(correct: int, fired: int) -> float:
    return wilson_low(correct, fired, CONFIDENCE) or 0.0
