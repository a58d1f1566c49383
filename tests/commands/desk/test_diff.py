"""What ``kdsl rules diff`` foretells is what ``kdsl predict`` then does, to the dialogue."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kdsl_cli.commands.app import run as kdsl
from tests.commands.deciding import (  # noqa: F401 fixtures
    TEST,
    extract,
    facts,
    large_model,
    line,
    rows,
    space,
)

SCENE = Path("rules/scene.yaml")


def decided():
    return {id: row["prediction"] for id, row in rows().items()}


def foretold(capsys, *arguments):
    capsys.readouterr()
    assert kdsl(["rules", "diff", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def as_pairs(found):
    return {one["id"]: (one["before"], one["after"]) for one in found["changes"]}


def edited(old, new):
    """Keep the rules as they are in `before`, and edit the workspace's."""
    shutil.copytree("rules", "before")
    text = SCENE.read_text()
    assert old in text
    SCENE.write_text(text.replace(old, new))


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["rules", "rules-first", "log-odds", "large"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"money"', '"hello"'),
        ('contains: "money"', 'contains_any: ["money", "hello"]'),
        ("weight: 2.0", "weight: 0.1"),
        ("weight: 2.0", "weight: -2.0"),
        ('intent: "refund"\n', 'intent: "refund"\n  status: "disabled"\n'),
        ("precision_low: 0.95", "precision_low: 0.5"),
        ('task: "scene"\n', 'task: "scene"\nbase_rates: {"parcel": 9, "refund": -9}\n'),
        ("# nothing", "# nothing"),
    ],
)
def test_predict_changes_exactly_what_diff_foretold(strategy, old, new, space, capsys):
    SCENE.write_text("# nothing\n" + SCENE.read_text())
    assert kdsl(["predict", "-q", "--strategy", strategy]) == 0
    before = decided()
    edited(old, new)
    found = foretold(capsys, "before")
    assert kdsl(["predict", "-q", "--strategy", strategy, "--force"]) == 0
    after = decided()
    assert as_pairs(found) == {id: (before[id], after[id]) for id in before if before[id] != after[id]}


def test_a_base_without_rules_falls_back_as_predict_does(space, capsys):
    assert kdsl(["predict", "-q"]) == 0
    edited('rules:\n- id: "r-money"', 'rules: []\nnone:\n- id: "r-money"')
    SCENE.write_text(SCENE.read_text().split("none:")[0])
    found = foretold(capsys, "before")
    assert as_pairs(found) == {"t1": ("refund", "parcel")}
    assert found["revisions"]["scene"][0] == {
        "name": "r-money",
        "kind": "removed",
        "keys": [],
        "base_rate": False,
    }


def test_diff_says_what_was_edited_who_decides_and_what_becomes_of_it(space, capsys):
    assert kdsl(["predict", "-q"]) == 0
    edited('"money"', '"hello"')
    capsys.readouterr()
    assert kdsl(["rules", "diff", "before"]) == 0
    told = capsys.readouterr()
    said = told.out
    assert "to make it so: kdsl predict --force" in told.err
    assert "scene: edited r-money (when)" in said
    assert "as in runs/predict/test: log-odds, with what the large model said there" in said
    assert "t1" in said and "- r-money" in said and "+ r-money" in said
    assert "2 of 3 dialogues change their answer: 0 become right, 1 wrong, 1 neither" in said
    assert kdsl(["rules", "diff", "before", "-q"]) == 0
    assert capsys.readouterr().out == "t1\nt3\n"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"parcel": 0.5', '"parcel": 9', "edited base rate of parcel (weight)"),
        ('"parcel": 0.5', '"parcel": {weight: 9, status: "reviewed"}', "edited base rate of parcel"),
        (', "refund": -0.5', "", "removed base rate of refund"),
        ('"refund": -0.5', '"refund": {weight: -0.5, status: "disabled"}', "(status)"),
    ],
)
def test_a_base_rate_is_told_and_foretold_like_a_rule(old, new, told, space, capsys):
    SCENE.write_text(
        SCENE.read_text().replace('"scene"\n', '"scene"\nbase_rates: {"parcel": 0.5, "refund": -0.5}\n', 1)
    )
    assert kdsl(["predict", "-q"]) == 0
    before = rows()
    edited(old, new)
    capsys.readouterr()
    assert kdsl(["rules", "diff", "before"]) == 0
    said = capsys.readouterr().out
    assert "scene: " in said and told in said and "r-money (" not in said
    found = foretold(capsys, "before")
    assert kdsl(["predict", "-q", "--force"]) == 0
    after = rows()
    changed = {id for id in before if before[id]["prediction"] != after[id]["prediction"]}
    moved = {id for id in before if before[id]["scores"] != after[id]["scores"]} - changed
    assert {one["id"] for one in found["changes"]} == changed and found["scores_moved"] == len(moved)
    assert changed or moved  # else nothing was promised


def test_without_predictions_or_by_option_the_rules_decide_alone(space, capsys):
    edited('"money"', '"hello"')
    assert as_pairs(foretold(capsys, "before")) == {"t1": ("refund", None), "t3": (None, "refund")}
    kdsl(["rules", "diff", "before"])
    assert "nothing was predicted in runs/predict/test" in capsys.readouterr().err
    assert kdsl(["predict", "-q"]) == 0
    assert as_pairs(foretold(capsys, "before", "--rules-only")) == {
        "t1": ("refund", None),
        "t3": (None, "refund"),
    }


def test_files_of_different_tasks_cannot_be_told_apart(space, capsys):
    assert kdsl(["rules", "new", "hurry", "-q"]) == 0
    capsys.readouterr()
    assert kdsl(["rules", "diff", "rules/scene.yaml", "rules/wish.yaml"]) == 2
    assert "rules/scene.yaml is of scene, rules/wish.yaml of wish: no task" in capsys.readouterr().err


def test_stale_predictions_are_refused_for_a_foretelling_must_be_exact(space, capsys):
    assert kdsl(["predict", "-q"]) == 0
    edited('"money"', '"hello"')
    Path("data/test.jsonl").write_text("".join(line(*row[:3], None) for row in TEST))
    assert kdsl(["rules", "diff", "before"]) == 2
    assert "test.jsonl is not what these predictions were made from" in capsys.readouterr().err
    assert kdsl(["rules", "diff", "before", "--rules-only"]) == 0


def test_a_file_of_new_dialogues_is_foretold_from_what_was_predicted_of_it(space, capsys):
    Path("new.jsonl").write_text(line("n1", "scene", "my money", None) + line("n2", "wish", "quick", None))
    assert kdsl(["predict", "-q", "--input", "new.jsonl", "--out", "new"]) == 0
    edited('"money"', '"hello"')
    found = foretold(capsys, "before", "--input", "new.jsonl", "--predictions", "new")
    assert as_pairs(found) == {"n1": ("refund", "parcel")}
    assert as_pairs(foretold(capsys, "before/scene.yaml", "--input", "new.jsonl")) == {"n1": ("refund", None)}


def test_failed_rows_stay_failed(space, capsys):
    Path("data/test.jsonl").write_text(
        "".join(line(*row) for row in TEST) + line("t6", "scene", "my money", "refund")
    )
    extract([facts(id, text) for id, _, text, _ in TEST], inputs=("data/test.jsonl",))
    assert kdsl(["predict", "-q", "--max-failed", "1"]) == 0
    edited('"money"', '"hello"')
    assert set(as_pairs(foretold(capsys, "before"))) == {"t1", "t3"}


def test_an_edit_of_what_is_asked_is_foretold_to_train_the_linear_model_anew(space, capsys):
    assert kdsl(["predict", "-q"]) == 0
    asks = 'answer: {question: "Is money asked back?", is: "yes"}'
    edited('text: {contains: "money", in: "customer"}', asks)
    found = foretold(capsys, "before")
    assert found["asked"] == {"scene": {"begun": ["Is money asked back?"], "ended": []}}
    assert kdsl(["rules", "diff", "before"]) == 0
    assert "trains the linear model anew" not in capsys.readouterr().out  # it knows of no questions

    path = Path("runs/large/manifest.json")
    made = json.loads(path.read_text())
    path.write_text(json.dumps({**made, "config": {"questions": {}}}))
    assert kdsl(["rules", "diff", "before"]) == 0
    said = capsys.readouterr().out
    assert "scene: the rules now ask: Is money asked back?" in said
    assert "So kdsl run trains the linear model anew: what it says then is not foretold here." in said
    shutil.rmtree("before")
    edited("weight: 2.0", 'status: "disabled"')
    assert kdsl(["rules", "diff", "before"]) == 0
    assert "scene: no rule asks any more: Is money asked back?" in capsys.readouterr().out
    shutil.rmtree("before")
    edited('intent: "parcel"', 'intent: "parcel"\n  weight: 1.5')
    assert foretold(capsys, "before")["asked"] == {}
