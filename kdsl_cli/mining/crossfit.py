"""Cross-fitting: what rules say of dialogues that neither their search nor their weights have seen.

Two things come of the searches without a fold. Their rules judge the fold they have not seen, for the joint
decision (`out_of_fold_scores`); and they vouch for the rules of the whole search, for the weights
(`vouched`), which is stability selection (Meinshausen & Bühlmann 2010) fold by fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from kdsl_cli.mining.pruning import PruneSettings, prune, scores
from kdsl_cli.mining.rules import CandidateRule
from kdsl_cli.mining.sample import Mask, Sample, as_bools
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
        pruned = prune(by_fold[fold], sample.without(fold), settings)
        said, spoke = scores(pruned, sample.intents, size)
        inside = as_bools(mask, size)
        total[inside], spoken[inside] = said[inside], spoke[inside]
    return total, spoken


def vouched(
    whole: Sequence[CandidateRule], by_fold: Mapping[int, Sequence[CandidateRule]], sample: Sample
) -> list[CandidateRule]:
    """Return the rules of the whole search, each standing only in the folds whose own search found it too.

    That each part of a rule is justified without a fold (`drafts.Workbench`) does not mean that the rule
    would have been *chosen* without it. It would, if the search without the fold found a rule for the intent
    that fires on the same of the dialogues it saw; what that rule does in the fold is then honest and stands.

    Parameters
    ----------
    whole
        Rules of the run that saw every fold. Seeds were not made from the sample, and what the small model
        alone proposed is drawn: that another search was not offered it says nothing. Both stay as they are.
    by_fold
        For every fold the rules of the run that did not see it. A fold whose run found nothing at all has
        nobody to vouch: there a rule's own standing stays.
    sample
        All folds.
    """
    found = [_alike(by_fold[fold], sample.seen & ~inside, inside) for fold, inside in enumerate(sample.folds)]
    return [
        rule if _speaks_for_itself(rule) else replace(rule, standing=_standing(rule, found, sample))
        for rule in whole
    ]


_Alike = Mapping[tuple[str, Mask], Mask]
"""By intent and firings outside a fold, the firings inside it."""


def _alike(rules: Sequence[CandidateRule], outside: Mask, inside: Mask) -> _Alike:
    mined = [rule for rule in rules if not rule.seed]
    # Of several that fire alike where they were found, the first: it was worth most when it was kept.
    return {(rule.intent, rule.fires & outside): rule.fires & inside for rule in reversed(mined)}


def _speaks_for_itself(rule: CandidateRule) -> bool:
    return rule.seed or rule.proposer == "model"


def _standing(rule: CandidateRule, found: Sequence[_Alike], sample: Sample) -> Mask:
    standing = 0
    for inside, alike in zip(sample.folds, found, strict=True):
        if alike:
            standing |= alike.get((rule.intent, rule.fires & sample.seen & ~inside), 0)
        else:
            standing |= rule.standing & inside
    return standing
