"""``kdsl explain``: one dialogue, with what was said and seen, who said what, and why."""

from __future__ import annotations

import json
from pathlib import Path

from kdsl_cli.commands.app import run as kdsl
from kdsl_cli.logic.facts import ImageFact, OcrLine
from tests.commands.deciding import TEST, extract, facts, large_model, line, out_of_fold, space  # noqa: F401 fixtures


def told(capsys, *arguments):
    capsys.readouterr()
    assert kdsl(["explain", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_decision_is_told_with_marks_verdict_sides_and_base_rates(space, capsys):
    assert kdsl(["predict", "-q"]) == 0
    capsys.readouterr()
    assert kdsl(["explain", "t1"]) == 0
    said = capsys.readouterr().out
    assert "t1  scene, test, label refund" in said
    assert "Decided: refund  by the rules (log-odds: " in said and " × rules + " in said
    assert "refund: 20 of 40 training dialogues (50%)" in said
    assert "customer: my [money]" in said
    assert "+2.00 r-money for refund, precision at least 0.95" in said
    assert 'true     a customer\'s message contains "money"' in said
    refund = next(row for row in said.splitlines() if row.startswith("refund  "))
    assert refund.split()[2] == "0.40"  # what the model gives it


def test_as_json_everything_is_there(space, capsys):
    assert kdsl(["predict", "-q"]) == 0
    seen = told(capsys, "t1")
    assert seen["marked_turns"] == {"0": [[3, 8]]}
    assert seen["prediction"]["prediction"] == "refund" and seen["prediction"]["large_prediction"] == "parcel"
    assert seen["scores"]["large"] == {"parcel": 0.6, "refund": 0.4}
    assert [one["rule"] for one in seen["rules"]["fired"]] == ["r-money"]
    assert seen["decided"]["strategy"] == "log-odds"
    assert {one["intent"]: one["count"] for one in seen["base_rates"]} == {"refund": 20, "parcel": 20}


def test_lines_of_a_picture_that_decided_are_shown_with_their_place(space, capsys):
    picture = facts(
        "t3",
        "hello",
        ocr=(
            OcrLine(0, 0, "The Box is here", 0.9, (0.1, 0.0, 0.5, 0.05)),
            OcrLine(0, 1, "x", 0.9, (0, 0, 1, 1)),
        ),
        images=(ImageFact(0, "screenshot", {}), ImageFact(1, error="truncated file")),
    )
    extract([facts(id, text) for id, _, text, _ in TEST if id != "t3"] + [picture])
    assert kdsl(["explain", "t3"]) == 0
    said = capsys.readouterr().out
    assert "Nothing was predicted: the rules are shown alone" in said
    assert "picture 1: The [Box] is here  at 10–50 % across, 0–5 % down" in said
    assert "1 other lines were read" in said and "picture 2 could not be read: truncated file" in said


def test_a_rule_that_does_not_fire_can_be_asked_about(space, capsys):
    assert kdsl(["explain", "t1", "--rule", "r-box"]) == 0
    said = capsys.readouterr().out
    assert "As you asked:" in said and "false    any" in said
    assert kdsl(["explain", "t1", "--rule", "r-bux"]) == 2
    assert "Did you mean 'r-box'?" in capsys.readouterr().err


def test_rules_that_were_edited_since_are_warned_of(space, capsys):
    assert kdsl(["predict", "-q"]) == 0
    path = Path("rules/scene.yaml")
    path.write_text(path.read_text().replace("weight: 2.0", "weight: 1.5"))
    assert kdsl(["explain", "t1"]) == 0
    assert "was edited after the predictions were made" in capsys.readouterr().err


def test_a_failed_row_says_why_and_an_unknown_id_what_was_meant(space, capsys):
    Path("data/test.jsonl").write_text("".join(line(*row) for row in TEST) + line("t6", "scene", "hi", None))
    assert kdsl(["explain", "t6"]) == 2
    assert "no dialogue with evidence has the id 't6'" in capsys.readouterr().err
    assert kdsl(["explain", "t11"]) == 2
    assert "Did you mean 't1'?" in capsys.readouterr().err


def test_a_file_of_ones_own_is_explained_too(space, capsys):
    Path("new.jsonl").write_text(line("n1", "scene", "my money", None))
    assert kdsl(["predict", "-q", "--input", "new.jsonl", "--out", "new"]) == 0
    seen = told(capsys, "n1", "--input", "new.jsonl", "--predictions", "new")
    assert seen["prediction"]["prediction"] == "refund" and seen["where"] == "new.jsonl"
    assert told(capsys, "n1", "--input", "new.jsonl")["prediction"] is None


def test_predictions_that_are_named_must_be_there(space, capsys):
    Path("new.jsonl").write_text(line("n1", "scene", "my money", None))
    for verb in (["explain", "n1"], ["rules", "diff", "rules"]):
        assert kdsl([*verb, "--input", "new.jsonl", "--predictions", "nowhere"]) == 2
        assert "nowhere: there is no finished stage here" in capsys.readouterr().err
