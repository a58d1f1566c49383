from __future__ import annotations

from dataclasses import replace
from functools import cache

from kdsl_cli.mining.miner import IntentMiner
from kdsl_cli.mining.noise import RATE, Noise, measure_noise
from kdsl_cli.mining.sample import Sample, make_sample
from kdsl_cli.mining.search_settings import SearchSettings

from .planted import RULES, planted, shuffled

SETTINGS = SearchSettings(simulations=80, round_simulations=80)


def rules_found(sample: Sample, intent: str, threshold: float) -> int:
    return len(IntentMiner(sample, planted().pool, intent, SETTINGS, threshold=threshold).mine().found)


@cache
def measured() -> Noise:
    return measure_noise(planted().sample, planted().pool, SETTINGS, permutations=10)


def test_at_the_threshold_chance_yields_few_rules_beside_the_real_labels() -> None:
    noise = measured()
    assert noise.permutations == 10
    assert 0 < noise.threshold < 0.6
    assert noise.by_chance <= RATE * noise.real
    assert noise.best_by_chance > 0


def test_the_threshold_keeps_most_of_other_noise_out_and_the_planted_rules_in() -> None:
    kept = {0.0: 0, measured().threshold: 0}
    for threshold in kept:
        for seed, intent in enumerate(RULES):
            kept[threshold] += rules_found(shuffled(planted().sample, seed), intent, threshold)
    assert kept[measured().threshold] < kept[0.0] / 3
    assert all(rules_found(planted().sample, intent, measured().threshold) for intent in RULES)


def test_it_hangs_on_the_seed_alone() -> None:
    sample, pool = planted().sample, planted().pool
    few = [
        measure_noise(sample, pool, settings, permutations=3)
        for settings in (SETTINGS, SETTINGS, replace(SETTINGS, seed=1))
    ]
    assert few[0] == few[1] != few[2]


def test_names_of_the_catalogue_are_switched_off() -> None:
    sample, pool = planted().sample, planted().pool
    named = [replace(one, named=frozenset(sample.intents)) for one in pool]
    plain = measure_noise(sample, pool, SETTINGS, permutations=2)
    assert measure_noise(sample, named, SETTINGS, permutations=2) == plain


def test_where_nothing_can_be_measured_nothing_is_kept_out() -> None:
    tiny = make_sample(["a", "a", "b", "b"], [None] * 4, ["a", "b"], n_folds=2, seed=0)
    assert measure_noise(tiny, (), SETTINGS, permutations=4) == Noise(threshold=0.0)
    assert measure_noise(planted().sample, planted().pool, SETTINGS, permutations=0).threshold == 0.0
