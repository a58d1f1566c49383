"""``kdsl calls`` adds up what models were asked, and writes nothing."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

import pytest

from kdsl_cli.backends.backend import Failed, Generated, Scored, Usage
from kdsl_cli.backends.store import AnswerStore, Asker
from kdsl_cli.commands.app import run

MINE, EXTRACT = Asker("mine-rules", "score", "http:http://host/v1#qwen"), Asker("extract", "score", "local:m")
SCORED = Scored((-0.1, -3.0), "likelihood", Usage(100, 0, 60, 2.0))


@pytest.fixture
def store(tmp_path, monkeypatch, quiet_environment):
    (tmp_path / "kdsl.yaml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs" / "calls.sqlite"


@pytest.fixture
def filled(store):
    with AnswerStore(store) as answers:
        answers.add(MINE, ["a", "b"], [SCORED, Failed("a picture is broken", usage=Usage(5, 0, 0, 0.5))])
        answers.count_hits(MINE, 3)
        answers.add(
            Asker("mine-rules", "generate", MINE.spec),
            ["c"],
            [Generated("秘密", None, "stop", Usage(10, 40, 0, 1.5))],
        )
        answers.count_hits(EXTRACT, 1)
        answers.count_hits(EXTRACT, 2)
    return store


def result(capsys, *arguments):
    assert run(["calls", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_answers_calls_and_costs_are_summed_by_purpose_and_model(filled, capsys):
    extract, mine = result(capsys)
    assert mine == {
        "purpose": "mine-rules",
        "model": "http:http://host/v1#qwen",
        "answers": 5,
        "cached": 3,
        "calls": 3,
        "failed": 1,
        "prompt_tokens": 115,
        "completion_tokens": 40,
        "seconds": 4.0,
        "tokens_per_second": 38.75,
    }
    assert (extract["answers"], extract["cached"], extract["calls"]) == (3, 3, 0)
    assert extract["tokens_per_second"] is None


def test_the_latest_calls_are_shown_one_by_one_the_last_one_last(filled, capsys):
    failed, written = result(capsys, "--last", "2")
    assert (failed["error"], written["error"]) == ("a picture is broken", None)
    assert (written["operation"], written["completion_tokens"]) == ("generate", 40)
    assert datetime.fromisoformat(written["time"]).utcoffset().total_seconds() == 0
    assert len(result(capsys, "--last", "99")) == 3


def test_people_get_tables_and_scripts_the_file(filled, capsys):
    assert run(["calls"]) == 0
    told = capsys.readouterr().out
    assert "of these cached" in told
    assert "mine-rules  http:http://host/v1#qwen        5" in told
    assert run(["calls", "--last", "3"]) == 0
    told = capsys.readouterr().out
    assert "a picture is broken" in told
    assert "秘密" not in told
    assert run(["calls", "-q"]) == 0
    assert capsys.readouterr().out == "runs/calls.sqlite\n"


@pytest.mark.parametrize("arguments", [(), ("--last", "3")])
def test_where_no_model_was_asked_it_says_so_and_makes_nothing(store, capsys, arguments):
    assert run(["calls", *arguments]) == 0
    assert capsys.readouterr().out == "No model was asked in this workspace yet\n"
    assert result(capsys, *arguments) == []
    assert not store.parent.exists()


def test_it_reads_while_a_run_is_writing(filled, capsys):
    writer = sqlite3.connect(filled, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM calls")
    assert len(result(capsys, "--last", "99")) == 3
    writer.close()


@pytest.mark.parametrize("arguments", [(), ("--last", "3")])
def test_a_file_that_is_no_log_is_told_with_its_place(store, capsys, arguments):
    store.parent.mkdir()
    store.write_bytes(b"something else" * 100)
    assert run(["calls", *arguments]) == 2
    assert "runs/calls.sqlite: is broken" in capsys.readouterr().err


def test_outside_a_workspace_it_says_so(tmp_path, monkeypatch, quiet_environment, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["calls"]) == 2
    assert "no kdsl.yaml" in capsys.readouterr().err
