"""What pure noise would reach: the search run on shuffled labels, where no rule means anything."""

from __future__ import annotations

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
from kdsl_cli.search.stopping import Simulations

QUANTILE: Final = 0.75
SIMULATIONS: Final = 80


@dataclass(frozen=True, slots=True)
class Noise:
    """Worth of the best draft found on shuffled labels, by number of positives.

    Attributes
    ----------
    levels
        For a number of positives, `quantile` of the best values over the permutations.
    permutations
        Shuffles behind each level.
    """

    levels: dict[int, float]
    permutations: int
    quantile: float = QUANTILE

    def level(self, positives: int) -> float:
        """Return the level of the nearest measured number of positives; 0 if nothing was measured."""
        if not self.levels:
            return 0.0
        return self.levels[min(self.levels, key=lambda size: (abs(size - positives), size))]


def measure_noise(
    sample: Sample,
    pool: Sequence[Candidate],
    settings: SearchSettings,
    *,
    permutations: int,
    sizes: int = 6,
) -> Noise:
    """Shuffle the labels and search, as often as asked, for up to `sizes` sizes of an intent.

    Catalogue knowledge is switched off: a name that is tied to an intent would not be noise.
    """
    counts = Counter(sample.labels)
    by_size: dict[int, str] = {}
    for intent, count in sorted(counts.items()):
        if count >= 2:
            by_size.setdefault(count, intent)
    chosen = sorted(by_size)
    if len(chosen) > sizes:
        chosen = [chosen[round(i * (len(chosen) - 1) / max(1, sizes - 1))] for i in range(sizes)]
    unnamed = [replace(candidate, named=frozenset()) for candidate in pool]
    rng = np.random.default_rng(child_seed(settings.seed, "noise"))
    levels: dict[int, float] = {}
    for size in dict.fromkeys(chosen):
        values = []
        for _ in range(permutations):
            shuffled = sample.relabelled([sample.labels[i] for i in rng.permutation(len(sample.labels))])
            search = IntentMiner(shuffled, unnamed, by_size[size], settings).search(0)
            search.run(Simulations(SIMULATIONS))
            values.append(search.progress.best_value or 0.0)
        levels[size] = float(np.quantile(values, QUANTILE))
    return Noise(levels, permutations)
