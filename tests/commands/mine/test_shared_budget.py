"""Several tasks and one small model: each has its share of the budget, and why calls fail is told."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kdsl_cli.backends import budget
from kdsl_cli.commands.app import run
from kdsl_cli.commands.mine import search
from kdsl_cli.mining import campaign
from kdsl_cli.runs.appendlog import read_log

MINE = ["mine-rules", "--small", "scripted:model.yaml"]
INVALID = 'answers: [{text: "I do not know"}]'
OUTPUTS = ("candidates.parquet", "sample.parquet", "answers.parquet")


@pytest.fixture
def space(space: Path) -> Path:
    (space / "model.yaml").write_text(INVALID)
    return space


def mined(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[dict[str, dict[str, Any]], str]:
    capsys.readouterr()
    assert run([*MINE, *more, "--json"]) == 0
    out, err = capsys.readouterr()
    return {row["task"]: row["calls"] for row in json.loads(out)}, err


@pytest.mark.slow
def test_each_task_may_use_an_equal_share_of_what_those_before_it_left(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls, err = mined(capsys, "--max-calls", "40")
    # A prompt that comes again is remembered, and counts.
    used = {"talk": 20, "mood": 20}
    assert {task: told["asked"] + told["known"] for task, told in calls.items()} == used
    assert "budget was spent before the searches were at their end (talk, mood)" in err
    first = {name: (space / "runs/mine" / name).read_bytes() for name in OUTPUTS}

    calls, _ = mined(capsys, "--max-calls", "40", "--force")  # what is remembered counts as if it were asked
    assert {task: told["known"] for task, told in calls.items()} == used
    assert {name: (space / "runs/mine" / name).read_bytes() for name in OUTPUTS} == first


@pytest.mark.slow
def test_what_one_task_leaves_is_the_next_ones(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, _ = mined(capsys)
    talk, mood = (whole[task]["asked"] + whole[task]["known"] for task in ("talk", "mood"))
    order = list(whole)
    assert order == ["talk", "mood"] and talk > mood > 0
    calls, err = mined(capsys, "--max-calls", str(talk + mood), "--force")
    assert calls["talk"]["known"] < talk and "at their end (talk)" in err
    assert calls["mood"]["known"] == mood  # more than talk needed was left


@pytest.mark.slow
def test_why_calls_failed_is_told_with_the_commonest_reason(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = 'answers: [{fail: "the picture is too large", times: 3}, {fail: "the server is busy"}]'
    (space / "model.yaml").write_text(failing)
    calls, err = mined(capsys, "--max-calls", "40")
    assert [told["failed"] for told in calls.values()] == [20, 20]
    assert calls["talk"]["failures"] == {"the server is busy": 17, "the picture is too large": 3}
    told = "40 of 40 calls of the small model failed, most often (37 times): the server is busy;"
    assert f"warning: {told} each call with its error: kdsl calls --last 40" in err
    assert run(["calls", "--last", "40", "--json"]) == 0
    assert sum(call["error"] is not None for call in json.loads(capsys.readouterr().out)) == 40
    assert run([*MINE, "--max-calls", "40"]) == 0  # up to date, and it says so still
    assert told in capsys.readouterr().err
    (space / "model.yaml").write_text('answers: [{fail: "the server is busy"}]')
    _, err = mined(capsys, "--max-calls", "40", "--force")
    assert "40 of 40 calls of the small model failed: the server is busy; each" in err


def test_a_plan_tells_the_share(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = [*MINE, "--dry-run", "--max-calls", "41", "--max-minutes", "3"]
    assert run(plan) == 0
    told = capsys.readouterr().out
    shared = "for the first of the 2 tasks, then equal parts of what is left"
    assert f"small.max_calls ends it after 41 in all: at most 20 {shared}" in told
    assert f"small.max_minutes ends it after 3 in all: at most 1.5 {shared}" in told
    assert run([*plan, "--json"]) == 0
    share = json.loads(capsys.readouterr().out)["budget_share"]
    assert share == {"max_calls": 20, "max_tokens": None, "max_minutes": 1.5}


@pytest.mark.slow
def test_time_is_shared_as_well(
    space: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count()
    clock = SimpleNamespace(monotonic=lambda: next(ticks) / 10)  # a tenth of a second a look
    for module in (search, campaign, budget):
        monkeypatch.setattr(module, "time", clock)
    assert run(["mine-rules", "--minutes", "1", "--simulations", "999", "--patience", "999"]) == 0
    told = capsys.readouterr().err
    begun = {record["task"] for record in read_log(space / "runs/mine/search.jsonl")}
    assert begun == {"talk", "mood"}
    for task in begun:
        short, of = map(int, re.search(rf"time was up with (\d+) of (\d+) searches of {task}", told).groups())
        assert 0 < short <= of
