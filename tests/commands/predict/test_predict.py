"""``kdsl predict`` through the program's own door, on a workspace that earlier stages would have left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kdsl_cli.commands.app import run as kdsl
from kdsl_cli.logic.facts import ImageFact
from kdsl_cli.runs.manifest import read_manifest
from tests.commands.deciding import (  # noqa: F401 fixtures
    INTENTS,
    RULES,
    TEST,
    Model,
    arbiter,
    extract,
    facts,
    large_model,
    line,
    out_of_fold,
    rows,
    space,
)


def test_both_sides_decide_and_every_row_says_who(space, capsys):
    assert kdsl(["predict"]) == 0
    told = capsys.readouterr()
    found = rows()
    assert {id: (row["prediction"], row["decided_by"], row["strategy"]) for id, row in found.items()} == {
        "t1": ("refund", "rules", "log-odds"),
        "t2": ("parcel", "both", "log-odds"),
        "t3": ("parcel", "large", "log-odds"),
        "t4": ("hurry", "large", "large"),
    }
    assert (found["t1"]["rules_prediction"], found["t1"]["large_prediction"]) == ("refund", "parcel")
    assert (found["t1"]["fired"], found["t3"]["fired"]) == (["r-money"], [])
    assert "scene (log-odds): 3 dialogues: 1 by the rules, 1 by the large model, 1 by both" in told.out
    assert "rules that fired most: r-box (1), r-money (1)" in told.out
    assert "runs/predict/test/predictions.parquet" in told.out
    assert "wish has no rules: the large model decides alone" in told.err
    manifest = read_manifest(Path("runs/predict/test"))
    assert (manifest.status, manifest.counts.total, manifest.counts.ok) == ("success", 4, 4)
    assert manifest.config["strategy"] == "log-odds"


def test_weights_are_learnt_from_the_training_split_alone(space):
    assert kdsl(["predict", "-q"]) == 0
    told = arbiter()
    scene = told["tasks"]["scene"]
    assert (told["schema"], scene["learnt_from"]) == ("kdsl.arbiter/2", 40)
    assert scene["weights"]["rules"] > 1  # the rules are right wherever they speak, the model never helps
    assert scene["losses"]["together"] < scene["losses"]["large"]
    assert list(scene["weights"]["intercepts"]) == INTENTS["scene"]
    assert told["tasks"]["wish"]["learnt_from"] == 0
    before = (arbiter(), rows()["t1"]["scores"])
    Path("data/test.jsonl").write_text("".join(line(*row[:3], None) for row in TEST))
    assert kdsl(["predict", "-q", "--force"]) == 0
    assert (arbiter(), rows()["t1"]["scores"]) == before


def test_a_second_run_is_up_to_date_prints_the_same_and_asks_nobody(space, capsys):
    kdsl(["predict"])
    first = capsys.readouterr().out
    before = Path("runs/predict/test/predictions.parquet").read_bytes()
    Model.asked.clear()
    assert kdsl(["predict"]) == 0
    second = capsys.readouterr()
    assert second.out == first and "up to date" in second.err and Model.asked == []
    assert kdsl(["predict", "--force"]) == 0
    assert Path("runs/predict/test/predictions.parquet").read_bytes() == before


def test_json_and_quiet_are_results_and_nothing_else(space, capsys):
    assert kdsl(["predict", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["tasks"]["scene"]["n"] == 3
    assert told["fired"] == {"r-box": 1, "r-money": 1}
    assert kdsl(["predict", "-q"]) == 0
    assert capsys.readouterr().out == "runs/predict/test/predictions.parquet\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--strategy", "rules"], {"t1": "refund", "t2": "parcel", "t3": None, "t4": None}),
        (["--strategy", "large"], {"t1": "parcel", "t2": "parcel", "t3": "parcel", "t4": "hurry"}),
        (["--strategy", "rules-first"], {"t1": "refund", "t2": "parcel", "t3": "parcel", "t4": "hurry"}),
        (
            ["--strategy", "rules-first", "--override-precision", "0.96"],
            {"t1": "parcel", "t2": "parcel", "t3": "parcel", "t4": "hurry"},
        ),
    ],
)
def test_each_strategy_decides_in_its_own_way(space, arguments, said):
    assert kdsl(["predict", *arguments]) == 0
    assert {id: row["prediction"] for id, row in rows().items()} == said


def test_other_options_in_a_finished_folder_ask_for_force(space, capsys):
    kdsl(["predict"])
    assert kdsl(["predict", "--strategy", "rules"]) == 2
    assert "To replace it: kdsl predict --strategy rules --force; to keep it" in capsys.readouterr().err
    assert kdsl(["predict", "--strategy", "rules", "--out", "elsewhere"]) == 0
    assert Path("elsewhere/predictions.parquet").is_file()


def test_a_model_that_was_interrupted_is_gone_on_with_as_it_was_begun(space, capsys):
    path = Path("runs/large/manifest.json")
    made = json.loads(path.read_text())
    made |= {"status": "interrupted", "argv": ["kdsl", "train-large", "--large", "local:big", "--force"]}
    path.write_text(json.dumps(made))
    assert kdsl(["predict"]) == 2
    told = capsys.readouterr().err
    assert told.endswith("it goes on from where it was: kdsl train-large --large local:big.\n")


def test_what_cannot_be_decided_is_named_and_never_gets_a_label(space, capsys):
    more = line("t5", "scnee", "hello", None) + line("t6", "scene", "my money", "refund")
    Path("data/test.jsonl").write_text("".join(line(*row) for row in TEST) + more)
    extract([facts(id, text) for id, _, text, _ in [*TEST, ("t5", "", "hello", "")]])
    assert kdsl(["predict"]) == 1
    told = capsys.readouterr()
    assert "failed: t5: unknown task 'scnee'. Did you mean 'scene'?" in told.out
    assert "failed: t6: there is no evidence of it; run: kdsl extract --split test" in told.out
    assert "2 of 6 dialogues could not be decided" in told.err
    for id in ("t5", "t6"):
        assert (rows()[id]["prediction"], rows()[id]["scores"], rows()[id]["decided_by"]) == (
            None,
            None,
            "none",
        )
    counts = read_manifest(Path("runs/predict/test")).counts
    assert (counts.total, counts.ok, counts.failed) == (6, 4, 2)
    assert kdsl(["predict", "--max-failed", "0.5"]) == 0


def test_a_dialogue_with_an_unread_picture_is_decided_and_counted(space, capsys):
    unread = facts("t1", "my money", images=(ImageFact(0, error="truncated"),))
    extract([unread, *(facts(id, text) for id, _, text, _ in TEST[1:])])
    assert kdsl(["predict"]) == 0
    assert "1 of them have a picture that could not be read: t1" in capsys.readouterr().out
    assert (rows()["t1"]["prediction"], rows()["t1"]["fired"]) == ("refund", ["r-money"])


def test_without_evidence_the_command_that_makes_it_is_named(space, capsys):
    assert kdsl(["predict", "--split", "val"]) == 2
    assert "Run: kdsl data split" in capsys.readouterr().err
    Path("data/val.jsonl").write_text("")
    assert kdsl(["predict", "--split", "val"]) == 2
    assert "Run: kdsl extract --split val" in capsys.readouterr().err
    assert not Path("runs/predict").exists()


def test_dialogues_edited_after_the_extraction_are_pointed_out(space, capsys):
    Path("data/test.jsonl").write_text("".join(line(*row) for row in TEST[:2]))
    assert kdsl(["predict"]) == 0
    assert "is not the file that was extracted" in capsys.readouterr().err


def test_without_a_large_model_only_the_rules_may_decide(space, capsys):
    Path("runs/large").rename(space / "away")
    for strategy in ("log-odds", "rules-first", "large"):
        assert kdsl(["predict", "--strategy", strategy]) == 2
        assert "there is no large model. Run: kdsl train-large" in capsys.readouterr().err
    assert kdsl(["predict", "--strategy", "rules"]) == 0
    assert rows()["t1"]["large_prediction"] is None
    assert kdsl(["predict", "--large", "away", "--out", "other"]) == 0


def test_a_task_that_the_large_model_does_not_know_is_left_to_the_rules(space, large_model, capsys):
    large_model(Model(scene=INTENTS["scene"]))
    assert kdsl(["predict"]) == 2
    assert "wish has no large model that knows it" in capsys.readouterr().err
    everything = Path("data/test.jsonl").read_text()
    Path("data/test.jsonl").write_text("".join(line(*row) for row in TEST[:3]))  # nobody asks about wishes
    assert kdsl(["predict", "--out", "scenes"]) == 0
    Path("data/test.jsonl").write_text(everything)
    Path("rules/wish.yaml").write_text(
        RULES.replace("scene", "wish").replace("parcel", "thanks").replace("refund", "hurry")
    )
    assert kdsl(["predict", "--force"]) == 0
    assert "wish: the large model does not know it, the rules decide alone" in capsys.readouterr().err
    assert {id: row["strategy"] for id, row in rows().items()} == {
        "t1": "log-odds", "t2": "log-odds", "t3": "log-odds", "t4": "rules",
    }  # fmt: skip


def test_a_large_model_with_another_order_of_intents_is_refused(space, large_model, capsys):
    large_model(Model(scene=["parcel", "refund"]))
    assert kdsl(["predict"]) == 2
    assert "runs/large: scene: its intents stand in another order" in capsys.readouterr().err
    assert Model.asked == []


def test_a_large_model_that_was_not_finished_is_not_used(space, capsys):
    manifest = Path("runs/large/manifest.json")
    manifest.write_text(manifest.read_text().replace('"success"', '"started"'))
    assert kdsl(["predict"]) == 2
    assert "was killed, or is still at work" in capsys.readouterr().err
    assert kdsl(["predict", "--strategy", "rules"]) == 0
    assert Model.asked == []


def test_out_of_fold_scores_in_another_order_are_refused(space, capsys):
    out_of_fold("train", "runs/large", lambda label: [0.4, 0.6], {**INTENTS, "scene": ["parcel", "refund"]})
    assert kdsl(["predict"]) == 2
    told = capsys.readouterr().err
    assert "scene: its intents stand in another order than in the catalogue" in told
    assert "kdsl train-large" in told
    assert not Path("runs/predict/test/predictions.parquet").exists()


def test_where_there_is_nothing_to_learn_from_both_sides_count_as_they_come(space, capsys):
    assert kdsl(["predict", "--rules", "rules", "--out", "a"]) == 0
    assert (
        "these rules have no out-of-fold scores, so both sides count as they come" in capsys.readouterr().err
    )
    Path("runs/prune").rename(space / "away")
    assert kdsl(["predict"]) == 0
    assert "there is no runs/prune/oof.parquet" in capsys.readouterr().err
    assert arbiter()["tasks"]["scene"]["weights"] == {"rules": 1.0, "large": 1.0, "intercepts": {}}


def test_a_wrong_rule_file_is_told_with_its_line(space, capsys):
    Path("rules/scene.yaml").write_text(RULES.replace('intent: "refund"', 'intent: "refnd"'))
    assert kdsl(["predict"]) == 2
    assert "rules/scene.yaml:5" in capsys.readouterr().err
    Path("rules/scene.yaml").write_text('schema: "kdsl.rules/1"\ntask: "wish"\nrules: []\n')
    assert kdsl(["predict"]) == 2
    assert "the rules are for the task 'wish'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--strategy", "logodds"], "Did you mean 'log-odds'?"),
        (["--override-precision", "2"], "--override-precision"),
        (["--input", "new.jsonl"], "comes with --out and without --split"),
        (["--input", "new.jsonl", "--out", "o", "--split", "test"], "comes with --out and without --split"),
        (["--input", "new.jsonl", "--out", "o"], "new.jsonl: no such file"),
        (["--rules", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_mistakes_on_the_command_line_are_told(space, capsys, arguments, told):
    assert kdsl(["predict", *arguments]) == 2
    assert told in capsys.readouterr().err
