"""Cross-fitting: what rules say of dialogues that neither their search nor their weights have seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kdsl_cli.mining.pruning import PruneSettings, prune, scores
from kdsl_cli.mining.rules import CandidateRule
from kdsl_cli.mining.sample import Sample, as_bools
from kdsl_cli.mining.weights import Floats


def out_of_fold_scores(
    by_fold: Mapping[int, Sequence[CandidateRule]], sample: Sample, settings: PruneSettings
) -> tuple[Floats, Floats]:
    """Prune the rules mined without each fold and let them judge it.

    Parameters
    ----------
    by_fold
        For every fold of the sample the rules of the run that did not see it, seeds included.
    sample, settings
        As for `prune`.

    Returns
    -------
    scores, spoken
        (n_dialogues, n_intents) and (n_dialogues,) bool, see `pruning.scores`.
    """
    size = len(sample.labels)
    total = np.zeros((size, len(sample.intents)))
    spoken = np.zeros(size, dtype=bool)
    for fold, mask in enumerate(sample.folds):
        kept = prune(by_fold[fold], sample.without(fold), settings).kept
        said, spoke = scores(kept, sample.intents, size)
        inside = as_bools(mask, size)
        total[inside], spoken[inside] = said[inside], spoke[inside]
    return total, spoken
