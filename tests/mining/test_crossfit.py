from __future__ import annotations

from functools import cache

import numpy as np

from kdsl_cli.logic.rule import Rule
from kdsl_cli.mining.candidates import judged
from kdsl_cli.mining.crossfit import out_of_fold_scores
from kdsl_cli.mining.miner import IntentMiner
from kdsl_cli.mining.pruning import PruneSettings
from kdsl_cli.mining.rules import CandidateRule, from_found, from_seed
from kdsl_cli.mining.sample import Sample, as_bools
from kdsl_cli.mining.search_settings import SearchSettings

from .planted import has, planted, shuffled

SEARCH = SearchSettings(simulations=40, round_simulations=40)
FOLD = 1


def mined_by_fold(sample: Sample) -> dict[int, list[CandidateRule]]:
    # A seed's firings stand in every fold, so only the labels' being left out keeps a fold unseen.
    seed = from_seed(
        Rule("s", "refund", has("退款"), "reviewed", 1.0), judged(has("退款"), planted().dialogues).true
    )
    return {
        fold: [seed]
        + [
            from_found(found)
            for intent in sample.intents
            for found in IntentMiner(sample.without(fold), planted().pool, intent, SEARCH).mine().found
        ]
        for fold in range(len(sample.folds))
    }


@cache
def rules() -> dict[int, list[CandidateRule]]:
    return mined_by_fold(planted().sample)


def relabelled_inside(sample: Sample) -> Sample:
    inside = sample.folds[FOLD]
    other = shuffled(sample, 1).labels
    return sample.relabelled([other[i] if inside >> i & 1 else own for i, own in enumerate(sample.labels)])


def test_scores_of_a_fold_do_not_change_with_the_labels_of_that_fold() -> None:
    sample = planted().sample
    changed = relabelled_inside(sample)
    settings = PruneSettings()
    said, spoken = out_of_fold_scores(rules(), sample, settings)
    # Searched and weighed anew on the changed labels, as a campaign would.
    said_then, spoken_then = out_of_fold_scores(mined_by_fold(changed), changed, settings)
    inside = as_bools(sample.folds[FOLD], len(sample.labels))
    assert np.array_equal(said[inside], said_then[inside])
    assert np.array_equal(spoken[inside], spoken_then[inside])
    assert not np.array_equal(said[~inside], said_then[~inside])


def test_rules_judge_dialogues_that_they_have_not_seen() -> None:
    sample = planted().sample
    said, spoken = out_of_fold_scores(rules(), sample, PruneSettings())
    assert said.shape == (80, 5)
    for column, intent in enumerate(sample.intents[:4]):
        own = as_bools(sample.positives(intent), 80)
        assert spoken[own].all()
        assert (said[own].argmax(axis=1) == column).all()


def test_without_rules_nothing_is_said() -> None:
    sample = planted().sample
    said, spoken = out_of_fold_scores(dict.fromkeys(range(4), ()), sample, PruneSettings())
    assert not said.any()
    assert not spoken.any()
