from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from kdsl_cli.logic.rule import Rule
from kdsl_cli.mining.candidates import judged
from kdsl_cli.mining.crossfit import out_of_fold_scores, vouched
from kdsl_cli.mining.miner import IntentMiner
from kdsl_cli.mining.pruning import PruneSettings
from kdsl_cli.mining.rules import CandidateRule, from_found, from_seed
from kdsl_cli.mining.sample import Sample, as_bools
from kdsl_cli.mining.search_settings import SearchSettings

from .planted import bits, has, planted, shuffled

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


FOUR = Sample(("a", "a", "b", "b"), ("a", "b"), (bits(0, 2), bits(1, 3)), bits(0, 1, 2, 3))


def mined(fires: int, word: str = "甲", intent: str = "a") -> CandidateRule:
    return CandidateRule(intent, has(word), fires, fires)


def test_a_rule_stands_where_the_search_without_the_fold_found_it_too() -> None:
    everywhere, other = bits(0, 1), mined(bits(2, 3), "乙", "b")
    found = {0: [mined(everywhere), other], 1: [mined(bits(0)), other]}
    (rule,) = vouched([mined(everywhere)], found, FOUR)
    # Without fold 1 another rule was found that fires on the same dialogues but those of fold 1.
    assert rule.standing == bits(0)
    (rule,) = vouched([mined(everywhere)], {**found, 1: [other]}, FOUR)
    assert rule.standing == bits(0)
    (rule,) = vouched([mined(everywhere)], {0: [other], 1: [other]}, FOUR)
    assert rule.standing == 0


def test_what_stands_is_what_the_vouching_rule_does_in_the_fold() -> None:
    found = {0: [mined(bits(1, 2))], 1: [mined(bits(0, 1))]}
    (rule,) = vouched([mined(bits(0, 1))], found, FOUR)
    assert rule.standing == bits(1, 2)


def test_nobody_vouches_for_another_intent_and_seeds_and_the_models_rules_need_no_voucher() -> None:
    found = {0: [mined(bits(0, 1), intent="b")], 1: [mined(bits(0, 1), intent="b")]}
    seed = from_seed(Rule("s", "a", has("乙"), "reviewed", 1.0), bits(0, 3))
    asked, both = (replace(mined(bits(0, 1)), proposer=who) for who in ("model", "both"))
    whole = [mined(bits(0, 1)), seed, asked, both]
    assert [rule.standing for rule in vouched(whole, found, FOUR)] == [0, bits(0, 3), bits(0, 1), 0]


def test_a_fold_without_a_search_leaves_the_rules_own_standing() -> None:
    (rule,) = vouched([mined(bits(0, 1))], {0: [], 1: [mined(bits(0))]}, FOUR)
    assert rule.standing == bits(0)
    (rule,) = vouched([mined(bits(0, 1))], {0: [], 1: []}, FOUR)
    assert rule.standing == bits(0, 1)


def test_vouching_for_a_fold_does_not_change_with_the_labels_of_that_fold() -> None:
    sample = planted().sample
    whole = rules()[0]
    inside = sample.folds[FOLD]
    before = vouched(whole, rules(), sample)
    after = vouched(whole, mined_by_fold(relabelled_inside(sample)), sample)
    assert [rule.standing & inside for rule in before] == [rule.standing & inside for rule in after]
