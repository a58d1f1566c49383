from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kdsl_cli.logic.conditions import condition_key
from kdsl_cli.mining.drafts import Workbench
from kdsl_cli.mining.miner import IntentMiner, workbench_for
from kdsl_cli.mining.objective import Objective
from kdsl_cli.mining.problem import EMPTY, RuleProblem
from kdsl_cli.mining.proposers.statistical import make_statistical
from kdsl_cli.mining.search_settings import SearchSettings
from kdsl_cli.search.stopping import Progress

from .planted import RULES, planted

SETTINGS = SearchSettings(simulations=400, round_simulations=120, rounds=5, patience=60)


def miner(intent: str, settings: SearchSettings = SETTINGS, **more: Any) -> IntentMiner:
    return IntentMiner(planted().sample, planted().pool, intent, settings, **more)


def after(asked: int) -> Callable[[Progress], str | None]:
    """Return a condition that stops at the so-many-th time it is asked, and from then on."""
    left = iter(range(asked))
    return lambda _: None if next(left, None) is not None else "enough"


@pytest.mark.parametrize("intent", RULES)
def test_a_planted_rule_is_the_first_one_kept(intent: str) -> None:
    best = miner(intent).mine().found[0]
    assert condition_key(best.condition) == condition_key(RULES[intent])
    assert best.fires == best.standing == planted().sample.positives(intent)


def test_what_has_no_sign_of_its_own_gets_nothing_good() -> None:
    found = miner("other").mine().found
    assert all(one.value < 0.4 for one in found)
    assert miner("refund").mine().found[0].value > 0.9


def test_the_same_seed_finds_the_same_and_logs_the_same() -> None:
    logs: list[list[dict[str, Any]]] = [[], []]
    first, second = (miner("refund").mine(sink=log.append) for log in logs)
    assert (first, logs[0]) == (second, logs[1])
    other: list[dict[str, Any]] = []
    miner("refund", replace(SETTINGS, seed=1)).mine(sink=other.append)
    assert other != logs[0]


def test_rounds_end_with_the_budget() -> None:
    log: list[dict[str, Any]] = []
    mined = miner("refund", replace(SETTINGS, simulations=150, patience=999)).mine(sink=log.append)
    assert mined.complete
    assert mined.simulations == len(log) == 150
    assert [event["round"] for event in log] == [0] * 120 + [1] * 30


def test_a_round_ends_when_nothing_better_comes() -> None:
    log: list[dict[str, Any]] = []
    miner("refund", replace(SETTINGS, rounds=1, patience=10)).mine(sink=log.append)
    best = max(event["value"] for event in log)
    assert [event["value"] for event in log].index(best) == len(log) - 11


@pytest.mark.parametrize("asked", [0, 1, 60, 130, 200])
def test_a_search_that_was_stopped_goes_on_from_its_log_as_if_it_never_was(asked: int) -> None:
    whole: list[dict[str, Any]] = []
    uninterrupted = miner("refund").mine(sink=whole.append)
    log: list[dict[str, Any]] = []
    stopped = miner("refund").mine(stop=after(asked), sink=log.append)
    assert not stopped.complete
    assert log == whole[: len(log)] != whole
    kept = [json.loads(json.dumps(event)) for event in log]
    assert miner("refund").mine(sink=log.append, log=kept) == uninterrupted
    assert log == whole


def test_a_whole_log_is_replayed_without_a_new_simulation() -> None:
    log: list[dict[str, Any]] = []
    mined = miner("both").mine(sink=log.append)
    new: list[dict[str, Any]] = []
    assert miner("both").mine(sink=new.append, log=log) == mined
    assert new == []


def test_the_log_of_another_search_is_refused() -> None:
    log: list[dict[str, Any]] = []
    miner("both").mine(sink=log.append)
    with pytest.raises(ValueError, match="not of this search"):
        miner("refund").mine(log=log)


def test_of_rules_that_fire_alike_one_is_kept_and_no_more_than_asked_for() -> None:
    few = replace(SETTINGS, max_rules=2, keep_per_round=1)
    found = miner("refund", few).mine().found
    assert [one.round for one in found] == [0, 1]
    many = miner("refund").mine().found
    assert len({one.fires for one in many}) == len(many)


def test_what_is_known_already_is_not_worth_finding_again() -> None:
    sample = planted().sample
    plain = miner("both").mine().found[0]
    known = miner("both", known=[sample.positives("both")] * 12).mine().found
    assert all(one.value < plain.value / 2 for one in known)


def test_what_is_worth_no_more_than_the_threshold_is_not_kept() -> None:
    found = miner("refund", threshold=0.5).mine().found
    assert all(one.worth > 0.5 for one in found)
    assert 0 < len(found) < len(miner("refund").mine().found)


def test_an_intent_with_a_single_dialogue_is_not_searched() -> None:
    sample = planted().sample
    labels = ["both", *("refund" if label == "both" else label for label in sample.labels[1:])]
    mined = IntentMiner(sample.relabelled(labels), planted().pool, "both", SETTINGS).mine()
    assert (mined.found, mined.simulations, mined.complete) == ((), 0, True)


def problem(intent: str, max_length: int = 3) -> tuple[RuleProblem, Workbench]:
    sample = planted().sample
    bench = workbench_for(sample, intent)
    proposer = make_statistical(sample, intent, planted().pool)
    return RuleProblem(proposer, Objective(bench.positives), bench, max_length=max_length, branching=2), bench


def test_the_empty_draft_is_worth_nothing_and_opens_widest() -> None:
    search, _ = problem("refund")
    root = search.root()
    assert (search.key(root), search.evaluate(root)) == (EMPTY, 0.0)
    actions = search.actions(root)
    assert len(actions) == 6
    assert len(search.actions(search.apply(root, actions[0]))) == 2
    assert len({action.label for action in actions}) == 6


def test_a_draft_of_full_length_grows_no_more() -> None:
    search, _ = problem("refund", max_length=1)
    assert search.actions(search.apply(search.root(), search.actions(search.root())[0])) == ()


def test_drafts_made_in_another_order_are_one_state() -> None:
    search, bench = problem("both")
    by_word = {action.label: action.steps[0].candidate for action in search.actions(search.root())}
    a, b = (
        next(one for one in by_word.values() if one.predicate.values == (word,)) for word in ("退款", "退货")
    )
    one, other = (
        bench.move(bench.move(bench.empty(), "require", first), "require", second)
        for first, second in ((a, b), (b, a))
    )
    assert search.key(one) == search.key(other) == condition_key(RULES["both"])
