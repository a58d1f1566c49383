"""``kdsl run``: the whole chain in one verb, done once and then up to date."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.commands.console import current_output
from tests.commands.planted import copied, fill, write

STAGES = ["extract", "mine-rules", "prune-rules", "export-rules", "train-large", "extract", "predict", "eval"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    space = tmp_path_factory.mktemp("run") / "space"
    fill(space)
    assert run(["run", "-q", "--config-file", str(space / "kdsl.yaml")]) == 0
    return space


@pytest.fixture
def space(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_environment: None) -> Path:
    monkeypatch.chdir(copied(finished, tmp_path))
    return tmp_path


def contents(space: Path) -> dict[str, bytes]:
    """Everything in the workspace but manifests and logs, which have times in them, and the page on them."""
    left_out = ("manifest.json", "search.jsonl", "observations.jsonl", "report.html")
    return {
        str(path.relative_to(space)): path.read_bytes()
        for path in space.rglob("*")
        if path.is_file() and path.name not in left_out
    }


def said_up_to_date(err: str) -> list[str]:
    return [line.split(":")[0] for line in err.splitlines() if line.endswith("up to date")]


@pytest.mark.slow
def test_from_dialogues_to_a_score_and_nothing_is_done_twice(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quiet_environment: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run(["run"]) == 0
    told = capsys.readouterr()
    assert "there is no data/splits.json yet, so the dialogues are parted first" in told.err
    assert re.findall(r"^([a-z-]+): done in \d+ s$", told.err, re.MULTILINE) == STAGES
    assert "Weighted F1" in told.out and "together" in told.out
    assert "rules:  rules/talk.yaml, rules/mood.yaml" in told.out and "tables: runs/eval/test" in told.out
    before = contents(tmp_path)

    assert run(["run"]) == 0
    again = capsys.readouterr()
    assert said_up_to_date(again.err) == STAGES and "done in" not in again.err
    assert again.out == told.out
    assert contents(tmp_path) == before


@pytest.mark.slow
def test_done_anew_it_leaves_the_same_bytes(space: Path) -> None:
    before = contents(space)
    assert run(["run", "--force", "-q"]) == 0
    assert contents(space) == before


@pytest.mark.slow
def test_json_is_the_overall_table_alone_and_quiet_the_paths(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows == json.loads(json.dumps(pl.read_parquet("runs/eval/test/overall.parquet").to_dicts()))
    assert run(["run", "-q"]) == 0
    told = capsys.readouterr()
    assert told.out.split() == ["rules/talk.yaml", "rules/mood.yaml", "runs/eval/test"]
    assert told.err == ""
    assert type(current_output()).__name__ == "Output"  # the stages' own way of talking ended with them


def test_a_plan_says_what_is_to_do_and_does_nothing(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert [row["stage"] for row in plan] == ["data split", *STAGES]
    assert all(row["state"] == "up to date" for row in plan)

    Path("kdsl.yaml").write_text(Path("kdsl.yaml").read_text() + "prune: {cap_per_intent: 1}\n")
    Path("runs/predict/test/predictions.parquet").unlink()
    before = contents(space)
    assert run(["run", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    state = dict(re.split(r"  +", line.strip(), maxsplit=1) for line in lines[1:10])
    assert state["mine-rules"] == state["extract train, val"] == "up to date"
    assert state["prune-rules"] == "to do again: other settings (cap_per_intent)"
    assert state["train-large"] == "to do only if prune-rules changes anything"
    assert state["extract test"] == "up to date"  # nothing that is learnt shapes what is seen in it
    assert "predictions.parquet gone" in state["predict"]
    assert lines[-1] == (
        "kdsl run would do 3 of 9 steps, and 2 more if what they read changes. Nothing was done now."
    )
    assert contents(space) == before

    assert run(["run", "--dry-run", "-q"]) == 0
    assert capsys.readouterr().out.split() == ["prune-rules", "predict", "eval"]


def test_a_plan_says_where_nothing_everything_or_the_rest_is_to_do(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", "--dry-run"]) == 0
    assert "Everything is up to date" in capsys.readouterr().out
    assert run(["run", "--dry-run", "--force", "-q"]) == 0
    assert capsys.readouterr().out.split() == STAGES  # all but the parting of the dialogues
    path = Path("runs/mine/manifest.json")
    path.write_text(path.read_text().replace('"status": "success"', '"status": "interrupted"'))
    assert run(["run", "--dry-run"]) == 0
    assert "to go on: it was interrupted" in capsys.readouterr().out


ASKS = """\
- id: "asks"
  intent: "calm"
  status: "reviewed"
  when:
    answer: {question: "Is the customer calm?", is: "yes"}
"""


@pytest.mark.slow
def test_a_plan_asks_the_rules_whether_a_model_is_needed(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def asking() -> str:
        capsys.readouterr()
        assert run(["run", "--dry-run", "--json", "--small", "scripted:model.yaml"]) == 0
        *_, learns, _, asks, _, _ = json.loads(capsys.readouterr().out)
        assert (learns["stage"], asks["stage"]) == ("train-large", "extract")
        learning.append(str(learns["state"]))
        return str(asks["state"])

    learning: list[str] = []
    Path("model.yaml").write_text('answers: [{choose: "yes"}]')
    rules = Path("rules/mood.yaml")
    assert asking() == "to do only if mine-rules changes anything" == learning[-1]
    rules.write_text(rules.read_text() + ASKS)
    assert asking() == "to do" and learning[-1] == "to do again: the rules ask other questions"
    assert run(["extract", "--split", "test", "--small", "scripted:model.yaml", "-q"]) == 0
    assert asking() == "to do only if mine-rules changes anything"
    rules.write_text(rules.read_text().replace("customer calm", "customer quiet"))
    assert asking() == "to do again: the rules ask other questions"


@pytest.mark.slow
def test_other_options_do_only_what_follows_from_them(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", "--strategy", "rules"]) == 0  # it owns the folders: no --force is asked for
    told = capsys.readouterr()
    assert said_up_to_date(told.err) == STAGES[:-2]
    assert run(["run", "--split", "val", "--strategy", "rules"]) == 0
    told = capsys.readouterr()
    assert said_up_to_date(told.err) == STAGES[:5]  # val is extracted before anything is learnt
    assert Path("runs/eval/val/overall.parquet").is_file() and Path("runs/eval/test").is_dir()


@pytest.mark.slow
def test_seed_rules_compete_and_the_model_knows_them(space: Path) -> None:
    Path("pack.yaml").write_text(
        'schema: "kdsl.rules/1"\ntask: "talk"\nrules:\n- id: "expert"\n  intent: "invoice"\n'
        '  when:\n    text: {contains_any: ["发票", "税号"]}\n'
    )
    assert run(["run", "--seed-rules", "pack.yaml", "-q"]) == 0
    assert "expert" in Path("rules/talk.yaml").read_text()
    assert json.loads(Path("runs/large/manifest.json").read_text())["config"]["knowledge"] == ["pack.yaml"]


@pytest.mark.slow
def test_an_edited_rule_file_is_used_as_edited(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path("rules/mood.yaml")
    edited = path.read_text().replace('status: "mined"', 'status: "disabled"')
    path.write_text(edited)
    assert run(["run", "--dry-run", "-q"]) == 0
    assert capsys.readouterr().out.split() == ["predict", "eval"]
    assert run(["run"]) == 0
    assert said_up_to_date(capsys.readouterr().err) == STAGES[:-2]
    assert path.read_text() == edited
    mood = pl.read_parquet("runs/predict/test/predictions.parquet").filter(pl.col("task") == "mood")
    assert mood.height and mood["fired"].list.len().sum() == 0


@pytest.mark.slow
def test_a_mined_rule_with_another_weight_outlives_the_run(space: Path) -> None:
    path = Path("rules/mood.yaml")
    edited = path.read_text().replace("  weight: ", "  weight: 0.1234  # was ", 1)
    path.write_text(edited)
    assert run(["run", "-q"]) == 0
    assert path.read_text() == edited


def test_without_dialogues_it_says_how_to_bring_them_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["run"]) == 2
    assert "kdsl init" in capsys.readouterr().err
    Path("kdsl.yaml").write_text("")
    assert run(["run"]) == 2
    assert "data/dialogues.jsonl: no such file. Run: kdsl data import FILE" in capsys.readouterr().err
    assert run(["run", "--dry-run"]) == 2
    assert "data/dialogues.jsonl: no such file. Run: kdsl data import FILE" in capsys.readouterr().err
    assert run(["run", "--strategy", "rulez"]) == 2
    assert "Did you mean 'rules'" in capsys.readouterr().err


def test_a_leak_stops_the_run_before_anything_is_learnt(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = json.loads(Path("data/splits.json").read_text())
    train, test = record["splits"]["train"][0], record["splits"]["test"][0]
    record["fingerprints"][test] = record["fingerprints"][train]
    Path("data/splits.json").write_text(json.dumps(record))
    before = contents(space)
    assert run(["run"]) == 1
    told = capsys.readouterr().err
    assert train in told and test in told
    assert contents(space) == before


@pytest.mark.slow
def test_a_dry_run_sees_that_a_tuned_model_is_asked_elsewhere(
    space: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def state() -> str:
        assert run(["run", "--dry-run", "--json", "--large", "local:tiny"]) == 0
        return {row["stage"]: row["state"] for row in json.loads(capsys.readouterr().out)}["predict"]

    assert state() == "to do only if train-large changes anything"
    monkeypatch.setenv("KDSL_LARGE_THROUGH", "http:http://localhost:8000/v1#tuned")
    assert state() == "to do again: other settings (through)"


@pytest.mark.slow
def test_a_tuned_model_is_not_put_away_without_a_word(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path("runs/large/manifest.json")
    manifest = json.loads(path.read_text())
    manifest["config"]["large"] = "local:big"
    path.write_text(json.dumps(manifest))
    before = contents(space)
    assert run(["run"]) == 2
    told = capsys.readouterr().err
    assert "runs/large: holds a model tuned from local:big" in told and "--large; --force replaces it" in told
    assert contents(space) == before
    assert run(["run", "-q", "--force"]) == 0
    assert json.loads(path.read_text())["config"]["large"] == "linear"
