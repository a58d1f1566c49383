"""``kdsl eval`` through the program's own door: what it prints, leaves, refuses, and exits with."""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl
import pytest

from kdsl_cli.commands.app import run as kdsl
from kdsl_cli.prediction.table import Prediction, write_predictions
from kdsl_cli.runs.manifest import read_manifest
from kdsl_cli.runs.stage import Stage

INTENTS = {"scene": ("refund", "parcel")}
RULES = """\
schema: "kdsl.rules/1"
task: "scene"
rules:
- id: "r-refund"
  intent: "refund"
  when:
    ocr: {contains: "refund"}
"""
TABLES = ["confusions", "mcnemar", "overall", "per_dialogue", "per_intent", "per_rule"]


def said(number, label, together, **changes):
    made = Prediction(
        id=f"d{number}",
        task="scene",
        split="test",
        group=None,
        label=label,
        prediction=together,
        scores=(0.7, 0.3),
        fired=("r-refund",) if together == "refund" else (),
        strategy="log-odds",
        rules_prediction="refund" if together == "refund" else None,
        rules_scores=(0.7, 0.3),
        large_prediction=together,
        large_scores=(0.6, 0.4),
        decided_by="both" if together else "none",
    )
    return replace(made, **changes)


ROWS = [said(n, "refund" if n % 2 else "parcel", "refund" if n % 3 else "parcel") for n in range(12)]
FAILED = said(99, "refund", None, scores=None, error="picture: truncated")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    (tmp_path / "kdsl.yaml").write_text("eval: {bootstrap: 50}\n")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/scene.yaml").write_text(RULES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def predict(workspace):
    """Leave the stage `predict` as a run of it would."""

    def leave(rows):
        out = workspace / "runs/predict/test"
        stage = Stage("predict", out, inputs=[workspace / "rules/scene.yaml"], force=True)
        with stage.run() as run:
            write_predictions(run.output(out / "predictions.parquet"), rows, INTENTS)

    return leave


def test_every_table_is_left_with_a_manifest_and_the_summary_is_printed(workspace, predict, capsys):
    predict([*ROWS, FAILED, said(98, None, "parcel")])
    assert kdsl(["eval", "--split", "test", "--max-failed", "0.1"]) == 0
    printed = capsys.readouterr().out
    assert "together" in printed and "1 of 14 rows failed and are in no score: d99" in printed
    out = workspace / "runs/eval/test"
    assert sorted(path.stem for path in out.glob("*.parquet")) == TABLES
    manifest = read_manifest(out)
    assert (manifest.status, manifest.seeds, manifest.config["bootstrap"]) == ("success", {"seed": 0}, 50)
    counts = manifest.counts
    assert (counts.total, counts.ok, counts.failed, counts.skipped) == (14, 12, 1, 1)
    assert pl.read_parquet(out / "per_rule.parquet")["rule"].to_list() == ["r-refund"]


def test_json_is_the_overall_table_and_nothing_else(predict, capsys):
    predict(ROWS)
    assert kdsl(["eval", "--json", "--bootstrap", "20", "--seed", "3"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["task"], row["system"]) for row in rows[:3]] == [
        ("scene", "rules"),
        ("scene", "large"),
        ("scene", "together"),
    ]
    assert rows[2]["accuracy"] == 0.5
    assert rows[2]["accuracy_low"] < 0.5 < rows[2]["accuracy_high"]


def test_a_second_run_is_up_to_date_and_prints_the_same(workspace, predict, capsys):
    predict(ROWS)
    kdsl(["eval"])
    first = capsys.readouterr()
    before = (workspace / "runs/eval/test/manifest.json").read_bytes()
    assert kdsl(["eval"]) == 0
    second = capsys.readouterr()
    assert second.out == first.out
    assert "up to date" in second.err
    assert (workspace / "runs/eval/test/manifest.json").read_bytes() == before


def test_the_same_seed_leaves_the_same_bytes(workspace, predict, capsys):
    predict(ROWS)
    kdsl(["eval"])
    files = sorted((workspace / "runs/eval/test").glob("*.parquet"))
    before = [path.read_bytes() for path in files]
    assert kdsl(["eval", "--force"]) == 0
    assert [path.read_bytes() for path in files] == before


def test_a_missed_gate_exits_with_1_after_the_summary(predict, capsys):
    predict(ROWS)
    assert kdsl(["eval", "--min-weighted-f1", "0.3"]) == 0
    assert kdsl(["eval", "--min-weighted-f1", "0.9"]) == 1
    told = capsys.readouterr()
    assert "together" in told.out
    assert "scene: the weighted F1 of both together is 0." in told.err


def test_too_many_failed_rows_exit_with_1_and_name_them(predict, capsys):
    predict([*ROWS, FAILED])
    assert kdsl(["eval"]) == 1
    assert "1 of 13 rows failed. Allowed: a share of 0.05" in capsys.readouterr().err
    assert kdsl(["eval", "--max-failed", "0.1"]) == 0


def test_a_score_that_nothing_stands_on_does_not_pass_a_gate(predict, capsys):
    predict([said(1, None, "refund")])
    assert kdsl(["eval"]) == 0
    assert kdsl(["eval", "--min-weighted-f1", "0"]) == 1
    assert "undefined, for want of rows" in capsys.readouterr().err


def test_predictions_that_are_not_there_or_not_whole_are_refused(workspace, predict, capsys):
    assert kdsl(["eval"]) == 2
    assert "kdsl predict --split test" in capsys.readouterr().err
    predict(ROWS)
    manifest = workspace / "runs/predict/test/manifest.json"
    manifest.write_text(manifest.read_text().replace('"success"', '"interrupted"'))
    assert kdsl(["eval"]) == 2
    assert "was interrupted" in capsys.readouterr().err
    assert not (workspace / "runs/eval").exists()


def test_the_f1_of_every_intent_is_shown_where_it_is_asked_for(workspace, predict, capsys):
    predict(ROWS)
    assert kdsl(["eval"]) == 0
    assert "by intent" not in capsys.readouterr().out
    assert kdsl(["eval", "--per-intent"]) == 0
    said = capsys.readouterr().out
    assert "scene, by intent" in said and "Weighted F1" in said
    assert kdsl(["eval", "--per-intent", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows == pl.read_parquet(workspace / "runs/eval/test/per_intent.parquet").to_dicts()


def test_rules_edited_since_the_predictions_are_pointed_out(workspace, predict, capsys):
    predict(ROWS)
    (workspace / "rules/scene.yaml").write_text(RULES.replace('contains: "refund"', 'contains: "money"'))
    assert kdsl(["eval"]) == 0
    told = capsys.readouterr().err
    assert "scene.yaml was edited after the predictions were made" in told
    assert "To predict anew: kdsl predict --split test --force" in told
    (warning,) = read_manifest(workspace / "runs/eval/test").warnings
    assert "edited" in warning


def test_a_rule_that_fired_and_is_gone_is_named(workspace, predict, capsys):
    predict(ROWS)
    (workspace / "rules/scene.yaml").write_text(RULES.replace("r-refund", "r-other"))
    assert kdsl(["eval"]) == 2
    assert "rule r-refund: it fired, but no rule file has it" in capsys.readouterr().err


def test_other_options_in_a_finished_folder_ask_for_force(predict, capsys):
    predict(ROWS)
    kdsl(["eval"])
    assert kdsl(["eval", "--seed", "9"]) == 2
    assert "(seed). To replace it: kdsl eval --seed 9 --force; to keep it" in capsys.readouterr().err


def test_a_split_that_does_not_exist_is_an_error_of_usage(workspace, capsys):
    assert kdsl(["eval", "--split", "tset"]) == 2
    assert "tset" in capsys.readouterr().err
