from __future__ import annotations

import time

import pytest

from evidence.tasks import make_nothing, make_obey
from kdsl_cli.errors import EvidenceError
from kdsl_cli.evidence.workers import Lost, answers

pytestmark = pytest.mark.slow  # processes are started


def collected(units: list[str], *, workers: int = 2, seconds: float = 30) -> list[str | Lost]:
    by_place = dict(answers(units, make_obey, workers=workers, seconds=seconds))
    assert sorted(by_place) == list(range(len(units)))
    return [by_place[place] for place in range(len(units))]


def test_every_unit_gets_its_own_answer() -> None:
    assert collected(["a", "sleep 0.2", "b", "c"]) == ["A", "SLEEP 0.2", "B", "C"]


def test_a_unit_that_kills_its_process_is_lost_alone() -> None:
    found = collected(["a", "die", "b", "exit", "c", "raise", "d"])
    assert [each for each in found if isinstance(each, str)] == ["A", "B", "C", "D"]
    died, left, raised = (each.reason for each in found if isinstance(each, Lost))
    assert "SIGSEGV" in died and "exit code 3" in left and raised == "ValueError: as told"


def test_the_last_unit_may_die_too() -> None:
    found = collected(["die"], workers=1)
    assert isinstance(found[0], Lost)


def test_a_unit_that_takes_too_long_is_lost_alone() -> None:
    started = time.monotonic()
    found = collected(["sleep 60", "a", "b"], seconds=1)
    assert found == [Lost("took longer than 1 s"), "A", "B"]
    assert time.monotonic() - started < 30


def test_a_task_that_cannot_be_made_blames_no_unit() -> None:
    with pytest.raises(EvidenceError, match="could not start: no model here"):
        list(answers(["a", "b"], make_nothing, workers=1, seconds=30))


def test_a_stop_finishes_what_is_in_work_and_begins_nothing_more() -> None:
    found: list[int] = []
    units = ["sleep 0.1"] * 50
    for place, answer in answers(units, make_obey, workers=1, seconds=30, stop=lambda: len(found) >= 2):
        assert answer == "SLEEP 0.1"
        found.append(place)
    assert found == [0, 1]


def test_no_units_need_no_process() -> None:
    assert list(answers([], make_nothing, workers=4, seconds=1)) == []
