from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from kdsl_cli.logic.conditions import All, Condition
from kdsl_cli.logic.rule import Rule
from kdsl_cli.mining.miner import IntentMiner
from kdsl_cli.mining.pruning import Pruned, PruneSettings, Weighed, prune, scores
from kdsl_cli.mining.rules import CandidateRule, from_found, from_seed
from kdsl_cli.mining.sample import Mask, Sample
from kdsl_cli.mining.search_settings import SearchSettings

from .planted import bits, has, planted

# Dialogues 0 to 9 are of a, the others of b.
TWENTY = Sample(
    ("a",) * 10 + ("b",) * 10, ("a", "b"), (bits(*range(0, 20, 2)), bits(*range(1, 20, 2))), 2**20 - 1
)
A, B = bits(*range(10)), bits(*range(10, 20))


def mined(condition: Condition, fires: Mask, intent: str = "a", **more: Any) -> CandidateRule:
    return CandidateRule(intent, condition, fires, fires, **more)


def seed(fires: Mask, weight: float, word: str = "种", intent: str = "a") -> CandidateRule:
    return from_seed(Rule(f"seed-{word}", intent, has(word), "reviewed", weight, "Because."), fires)


def pruned(*rules: CandidateRule, **settings: float) -> Pruned:
    return prune(rules, TWENTY, PruneSettings(**settings))  # type: ignore[arg-type]


def conditions(found: Pruned) -> list[Condition]:
    return [one.rule.condition for one in found.kept]


def test_of_one_meaning_one_rule_is_kept() -> None:
    one, other = All((has("甲"), has("乙"))), All((has("乙"), has("甲")))
    found = pruned(mined(one, A), mined(other, A & ~1))
    assert found.steps["found"] == 2
    assert found.steps["distinct"] == 1
    assert conditions(found) == [one]


def test_one_meaning_for_two_intents_is_two_rules() -> None:
    found = pruned(mined(has("甲"), A), mined(has("甲"), A, "b"))
    assert found.steps["distinct"] == 2
    assert [(one.rule.intent, one.weight > 0) for one in found.kept] == [("a", True), ("b", False)]


def test_a_seed_is_kept_before_a_mined_rule_of_its_meaning() -> None:
    found = pruned(mined(has("种"), A), seed(A, 2.0))
    assert [one.rule.id for one in found.kept] == ["seed-种"]


def test_of_rules_that_fire_alike_the_shortest_then_the_worthiest_is_kept() -> None:
    long, poor, rich = All((has("甲"), has("乙"))), has("丙"), has("丁")
    rules = [mined(long, A, value=0.9), mined(poor, A, value=0.2), mined(rich, A, value=0.5)]
    for order in (rules, rules[::-1]):
        assert conditions(pruned(*order)) == [rich]
    assert conditions(pruned(*rules[:2])) == [poor]


def test_what_fires_alike_only_where_nobody_counts_is_one_rule_too() -> None:
    sample = TWENTY.without(0)
    rules = [mined(has("甲"), A), mined(has("乙"), A & ~bits(0))]
    assert prune(rules, sample, PruneSettings()).steps["distinct"] == 1
    assert pruned(*rules).steps["distinct"] == 2


def test_the_cap_keeps_the_mined_rules_that_say_most_and_every_seed() -> None:
    good, fair = mined(has("甲"), A), mined(has("乙"), bits(0, 1, 2))
    found = pruned(fair, good, seed(A, 2.0), mined(has("丙"), B, "b"), cap=1, lasso=0.0)
    assert found.steps["useful"] == 4
    assert found.steps["capped"] == 3
    assert conditions(found) == [has("种"), has("甲"), has("丙")]


def test_a_mined_rule_that_adds_nothing_is_dropped() -> None:
    found = pruned(mined(has("甲"), A), mined(has("乙"), bits(0)))
    assert conditions(found) == [has("甲")]
    assert found.steps["useful"] == 1


def test_a_seed_that_never_fires_keeps_what_is_believed_of_it() -> None:
    (one,) = pruned(seed(0, 2.0), seed_scale=0.5).kept
    assert one.weight == pytest.approx(1.0)


def test_a_seed_that_is_wrong_loses_weight_and_goes_once_it_has_none() -> None:
    (right,), (wrong,) = (pruned(seed(fires, 2.0), seed_scale=0.5).kept for fires in (A, B))
    assert wrong.weight < 1.0 < right.weight
    dropped = pruned(seed(0, 0.05), seed_scale=0.5)
    assert (dropped.kept, dropped.base_rates) == ((), {})


def test_a_rare_intent_starts_below_and_none_above() -> None:
    rare = Sample(("a",) * 4 + ("b",) * 16, ("a", "b"), TWENTY.folds, TWENTY.seen)
    # A rule that tells nothing of rarity by itself: right in half of its firings.
    found = prune([mined(has("甲"), bits(0, 1, 4, 5))], rare, PruneSettings(lasso=0.0))
    assert list(found.base_rates) == ["a"]
    assert found.base_rates["a"] < -0.5
    said, spoken = scores(found, ["a", "b"], 20)
    assert said[10].tolist() == [found.base_rates["a"], 0]
    assert spoken.nonzero()[0].tolist() == [0, 1, 4, 5]


def test_intents_as_common_as_each_other_have_no_base_rates() -> None:
    both = [mined(has("甲"), bits(0, 1, 10)), mined(has("乙"), bits(10, 11, 0), "b")]
    found = pruned(*both, lasso=0.0)
    assert len(found.kept) == 2
    assert found.base_rates == {}


def test_pruning_nothing_leaves_nothing() -> None:
    found = pruned()
    assert found.kept == ()
    assert found.base_rates == {}
    assert set(found.steps.values()) == {0}


def test_every_step_leaves_fewer_and_a_planted_rule_outweighs_the_rest() -> None:
    sample, pool = planted().sample, planted().pool
    settings = SearchSettings(simulations=100, round_simulations=50)
    rules = [
        from_found(found)
        for intent in sample.intents
        for found in IntentMiner(sample, pool, intent, settings).mine().found
    ]
    found = prune(rules, sample, PruneSettings(cap=3))
    steps = list(found.steps.values())
    assert all(before >= after for before, after in pairwise(steps))
    assert steps[0] == len(rules) > steps[-1] == len(found.kept)
    for intent in ("both", "refund", "return", "invoice"):
        own = [one for one in found.kept if one.rule.intent == intent]
        assert max(own, key=lambda one: one.weight).rule.fires == sample.positives(intent)
        assert len(own) <= 3


def test_scores_tell_what_kept_rules_say_and_whether_any_speaks_for_an_intent() -> None:
    kept = (
        Weighed(mined(has("甲"), bits(0, 1)), 1.5),
        Weighed(mined(has("乙"), bits(1, 2)), -0.5),
        Weighed(mined(has("丙"), bits(1), "b"), 2.0),
    )
    said, spoken = scores(Pruned(kept, {"b": -0.25}, {}), ["a", "b"], 4)
    assert said.tolist() == [[1.5, -0.25], [1.0, 1.75], [-0.5, -0.25], [0, -0.25]]
    assert spoken.tolist() == [True, True, False, False]
    assert np.isfinite(said).all()
