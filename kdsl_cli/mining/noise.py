"""What pure noise would reach: the miner run on shuffled labels, where no rule means anything.

The miner looks at ten thousands of drafts, so its best ones look good by chance alone. How good, the labels'
permutations tell: with shuffled labels everything it finds is a false discovery. The keep threshold is the
lowest worth at which the shuffled labels yield at most `RATE` times as many rules as the real ones do: a
false discovery rate by permutation (Tusher et al. 2001, SAM).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from kdsl_cli.mining.candidates import Candidate
from kdsl_cli.mining.miner import IntentMiner
from kdsl_cli.mining.sample import Sample
from kdsl_cli.mining.search_settings import SearchSettings
from kdsl_cli.runs.seeds import child_seed

RATE: Final = 0.2
"""Share of the kept rules that may be chance finds. Their weights are then shrunk on out-of-fold firings, so
a stricter rate loses more true rules than it saves."""

LEVELS: Final = tuple(round(0.02 * step, 2) for step in range(1, 46))
"""Thresholds that are tried."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What was found on real and on shuffled labels.

    Attributes
    ----------
    threshold
        Worth from which a rule is kept.
    by_chance, real
        Rules an intent yields at that worth or more on shuffled labels (mean), and on the real ones.
    best_by_chance
        Worth of the best rule that any shuffle yielded.
    permutations
        Shuffled searches behind the numbers.
    """

    threshold: float
    by_chance: float = 0.0
    real: float = 0.0
    best_by_chance: float = 0.0
    permutations: int = 0


def measure_noise(
    sample: Sample, pool: Sequence[Candidate], settings: SearchSettings, *, permutations: int
) -> Noise:
    """Search intents of all sizes on real and on shuffled labels, and set the keep threshold.

    Catalogue knowledge is switched off in both: a name that is tied to an intent would not be noise.

    Parameters
    ----------
    sample, pool, settings
        As for `IntentMiner`.
    permutations
        Shuffled searches, each of another intent and another shuffle, spread over the intents by size.
    """
    chosen = _spread(sample, permutations)
    if not chosen:
        return Noise(threshold=0.0)
    unnamed = [replace(candidate, named=frozenset()) for candidate in pool]
    rng = np.random.default_rng(child_seed(settings.seed, "noise"))
    n = len(sample.labels)
    shuffles = [sample.relabelled([sample.labels[i] for i in rng.permutation(n)]) for _ in chosen]
    chance = sorted(
        worth
        for shuffled, intent in zip(shuffles, chosen, strict=True)
        for worth in _worths(shuffled, unnamed, intent, settings)
    )
    real = sorted(
        worth for intent in dict.fromkeys(chosen) for worth in _worths(sample, unnamed, intent, settings)
    )
    per_chance, per_real = 1 / len(chosen), 1 / len(dict.fromkeys(chosen))
    for level in LEVELS:
        false, found = _above(chance, level) * per_chance, _above(real, level) * per_real
        if false <= RATE * found or not false:
            break
    return Noise(
        level, round(false, 3), round(found, 3), round(chance[-1], 3) if chance else 0.0, len(chosen)
    )


def _spread(sample: Sample, n: int) -> list[str]:
    """Return `n` intents evenly spread by size, the larger ones first, some twice if there are fewer."""
    counts = Counter(sample.labels)
    sized = sorted((name for name in counts if counts[name] > 2), key=lambda name: (-counts[name], name))
    if not sized:
        return []
    return [sized[i * len(sized) // n if n <= len(sized) else i % len(sized)] for i in range(n)]


def _worths(sample: Sample, pool: Sequence[Candidate], intent: str, settings: SearchSettings) -> list[float]:
    return [found.worth for found in IntentMiner(sample, pool, intent, settings).mine().found]


def _above(worths: Sequence[float], level: float) -> int:
    return len(worths) - bisect_left(worths, level)
