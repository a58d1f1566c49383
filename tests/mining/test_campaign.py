from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kdsl_cli.mining.campaign import WHOLE, Campaign, Unit, run_campaign
from kdsl_cli.mining.noise import Noise
from kdsl_cli.mining.search_settings import SearchSettings

from .planted import planted, shuffled

SETTINGS = SearchSettings(simulations=120, round_simulations=60, rounds=2, patience=40)


def campaign(**more: Any) -> Campaign:
    kept = {"noise": Noise(0.0), "known": {}, **more}
    return Campaign(planted().sample, planted().pool, SETTINGS, **kept)


def test_units_are_every_intent_of_every_run_the_whole_sample_first() -> None:
    units = campaign().units()
    assert [unit.fold for unit in units] == [run for run in (WHOLE, 0, 1, 2, 3) for _ in range(5)]
    assert [unit.intent for unit in units[:5]] == list(planted().sample.intents)
    assert len(set(units)) == 25


def test_one_worker_does_them_in_order_and_logs_the_run_on_the_whole_sample() -> None:
    todo = [Unit(WHOLE, "both"), Unit(2, "both"), Unit(WHOLE, "refund")]
    done = list(run_campaign(campaign(), todo, workers=1))
    assert [one.unit for one in done] == todo
    assert [bool(one.events) for one in done] == [True, False, True]
    assert all(one.mined.complete and one.mined.found for one in done)


@pytest.mark.slow
def test_several_workers_find_what_one_finds() -> None:
    todo = campaign().units()[:8]
    alone = list(run_campaign(campaign(), todo, workers=1))
    together = list(run_campaign(campaign(), todo, workers=2))
    assert sorted(together, key=lambda one: todo.index(one.unit)) == alone


def test_a_run_without_a_fold_learns_nothing_of_its_labels() -> None:
    sample = planted().sample
    other = shuffled(sample, 1)
    fold = sample.folds[2]
    labels = [other.labels[i] if fold >> i & 1 else label for i, label in enumerate(sample.labels)]
    changed = replace(campaign(), sample=sample.relabelled(labels))
    for intent in sample.intents:
        mined, _ = campaign().mine(Unit(2, intent))
        assert changed.mine(Unit(2, intent))[0] == mined
    assert changed.mine(Unit(1, "both")) != campaign().mine(Unit(1, "both"))


def test_what_is_worth_no_more_than_the_threshold_is_not_kept() -> None:
    assert campaign(noise=Noise(0.9)).mine(Unit(WHOLE, "both"))[0].found
    assert not campaign(noise=Noise(0.99)).mine(Unit(WHOLE, "both"))[0].found


def test_firings_of_seed_rules_count_where_the_run_looks() -> None:
    sample = planted().sample
    inside = sample.positives("both") & sample.folds[0]
    seeded = campaign(known={"both": (inside,) * 9})
    assert seeded.mine(Unit(0, "both")) == campaign().mine(Unit(0, "both"))
    assert seeded.mine(Unit(1, "both")) != campaign().mine(Unit(1, "both"))


@pytest.mark.parametrize("limit", ["stop_file", "deadline"])
def test_a_stop_file_or_a_deadline_ends_a_search_unfinished(limit: str, tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    stop.touch()
    ended = campaign(**{limit: {"stop_file": stop, "deadline": time.monotonic()}[limit]})
    mined, events = ended.mine(Unit(WHOLE, "both"))
    assert (mined.complete, mined.simulations, events) == (False, 0, [])


def test_a_deadline_to_come_and_a_stop_file_not_there_change_nothing(tmp_path: Path) -> None:
    limited = campaign(stop_file=tmp_path / "stop", deadline=time.monotonic() + 3600)
    assert limited.mine(Unit(WHOLE, "both")) == campaign().mine(Unit(WHOLE, "both"))


def test_once_told_to_stop_no_unit_is_begun() -> None:
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 2

    todo = campaign().units()
    assert [one.unit for one in run_campaign(campaign(), todo, workers=1, stop=stop)] == list(todo[:2])


def test_a_unit_goes_on_from_its_log() -> None:
    unit = Unit(WHOLE, "refund")
    mined, events = campaign().mine(unit)
    (done,) = run_campaign(campaign(), [unit], workers=1, logs={unit: events[:70]})
    assert done.mined == mined
    assert list(done.events) == events[70:]
