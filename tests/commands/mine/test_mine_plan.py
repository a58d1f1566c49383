"""``kdsl mine-rules --dry-run``: what would be searched and asked is told, and nothing of it is done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kdsl_cli.backends.backend import Failed, Generated, Scored, Usage
from kdsl_cli.backends.store import AnswerStore, Asker
from kdsl_cli.commands.app import run

PLAN = ["mine-rules", "--dry-run"]
MODEL = "local:no/such-model"  # a plan opens no model, so there need be none


def planned(capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*PLAN, *more, "--json"]) == 0
    plan: dict[str, Any] = json.loads(capsys.readouterr().out)
    return plan


def files(space: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in space.rglob("*") if path.is_file()}


def test_counting_alone_asks_no_model(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(PLAN) == 0
    told = capsys.readouterr().out
    assert "talk: 16 searches, of 4 intents on all dialogues and without each of 3 folds; 60 steps" in told
    assert told.endswith("No model is asked.\n")
    plan = planned(capsys, "--simulations", "7")
    assert plan["proposer"] == "statistical" and "calls" not in plan
    assert [(row["task"], row["searches"], row["simulations"]) for row in plan["tasks"]] == [
        ("talk", 16, 7),
        ("mood", 8, 7),
    ]
    assert run([*PLAN, "-q"]) == 0
    assert capsys.readouterr().out == "talk\nmood\n"


def test_a_prompt_and_what_asking_takes_are_told_without_a_model(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(space)
    assert run([*PLAN, "--small", MODEL]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert f"{MODEL} would be asked, at most" in out
    assert "talk: 256 proposals for 64 drafts" in out  # 16 searches, 4 drafts each, 4 answers each
    assert "1 s a proposal (assumed, none was measured here yet)" in out
    prompt = out.partition("The first prompt, of about ")[2]
    assert "The rule is to recognise this intent: refund" in prompt
    assert prompt.endswith('Answer with JSON alone: {"when": CONDITION, "why": "one short sentence"}\n')
    assert files(space) == before


def test_the_same_stands_in_json(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = planned(capsys, "--small", MODEL, "--max-calls", "500")
    assert (plan["proposer"], plan["model"]) == ("mixed", MODEL)
    assert plan["budget"]["max_calls"] == 500
    for name in ("calls", "tokens", "minutes"):
        assert plan[name] == pytest.approx(sum(row[name] for row in plan["tasks"])) and plan[name] > 0
    (talk, _) = plan["tasks"]
    assert talk["calls"] == talk["proposals"] + talk["questions"] + talk["answers"]
    assert plan["prompt"].startswith("SYSTEM: You write rules") and plan["prompt_tokens"] > 100
    assert planned(capsys, "--small", MODEL, "--proposer", "model")["proposer"] == "model"


def test_minutes_and_tokens_are_those_of_earlier_calls_where_there_are_some(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, scored = Asker("mine-rules", "generate", MODEL), Asker("extract", "score", MODEL)
    with AnswerStore(space / "runs/calls.sqlite") as store:
        texts = [Generated("a", None, "stop", Usage(300, 100, 0, seconds)) for seconds in (2.0, 4.0)]
        store.add(asked, ["a", "b", "c"], [*texts, Failed("busy", usage=Usage(seconds=90.0))])
        store.add(scored, ["d"], [Scored((-0.1, -2.0), "likelihood", Usage(50, 0, 0, 0.5))])
        store.add(Asker("mine-rules", "generate", "local:another"), ["e"], texts[:1])
    plan = planned(capsys, "--small", MODEL)
    assert plan["pace"]["generate"] == {"calls": 2, "tokens": 400.0, "seconds": 3.0}
    names = ("proposals", "questions", "answers")
    proposals, questions, answers = (sum(row[name] for row in plan["tasks"]) for name in names)
    written = proposals + questions  # a question is put into other words once
    assert plan["tokens"] == 400 * written + 50 * answers
    assert plan["minutes"] == pytest.approx((3.0 * written + 0.5 * answers) / 60, abs=0.2)
    assert run([*PLAN, "--small", MODEL]) == 0
    told = capsys.readouterr().out
    assert "3 s a proposal (the mean of 2 calls)" in told
    assert "0.5 s an answer (the mean of 1 calls)" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--small", "lokal:model"], "Did you mean 'local'?"),
        (["--small", "local:tinny"], "tinny: there is no such folder"),
        (["--small", "scripted:gone.yaml"], "gone.yaml"),
        (["--proposer", "model"], "the proposer 'model' needs a small model"),
        (["--seed-rules", "gone.yaml"], "gone.yaml: no such file"),
    ],
)
def test_mistakes_are_found_before_anything_is_done(
    space: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    before = files(space)
    assert run([*PLAN, *words]) == 2
    assert told in capsys.readouterr().err
    assert files(space) == before


def test_a_model_that_the_settings_leave_out_is_told_of(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--small", MODEL, "--proposer", "statistical"]
    said = f"The small model {MODEL} is not asked, as mine.proposer is 'statistical'"
    assert run([*PLAN, *words]) == 0
    assert said in capsys.readouterr().out
    assert run([*PLAN, "--proposer", "statistical"]) == 0
    assert "No model is asked." in capsys.readouterr().out
    assert run(["mine-rules", *words]) == 0
    assert said in capsys.readouterr().err
