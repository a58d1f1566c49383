"""The verbs below ``kdsl rules`` through the program's own door, on a workspace that stages left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kdsl_cli.commands.app import run as kdsl
from kdsl_cli.logic.codec import load_rules
from tests.commands.deciding import (  # noqa: F401 fixtures
    RULES,
    large_model,
    line,
    rows,
    space,
)

SCENE = Path("rules/scene.yaml")


def told(capsys):
    return json.loads(capsys.readouterr().out)


def edit(old, new, path=SCENE):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_lint_tells_place_code_and_remedy_and_exits_with_one(space, capsys):
    assert kdsl(["rules", "lint"]) == 0
    assert "2 rules in 1 file: nothing amiss" in capsys.readouterr().out
    edit('"money"', '"money20261121"')
    assert kdsl(["rules", "lint"]) == 1
    said = capsys.readouterr()
    assert 'rules/scene.yaml:7 R109 r-money: "money20261121" holds a long number' in said.out
    assert "accidental-phrase" in said.out and "Quote what every customer" in said.out
    assert "1 finding in 1 file" in said.err
    assert kdsl(["rules", "lint", "--json"]) == 1
    (found,) = told(capsys)
    assert (found["path"], found["line"], found["code"], found["rule"]) == (str(SCENE), 7, "R109", "r-money")
    assert kdsl(["rules", "lint", "-q"]) == 1
    assert capsys.readouterr().out == "rules/scene.yaml:7\n"
    assert kdsl(["rules", "lint", "--ignore", "R109"]) == 0
    assert kdsl(["rules", "lint", "--select", "unreachable"]) == 0


def test_lint_needs_no_workspace_and_finds_a_catalogue_beside_the_rules(space, tmp_path, capsys, monkeypatch):
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "scene.yaml").write_text(RULES.replace('"refund"', '"refnd"'))
    monkeypatch.chdir("/")
    assert kdsl(["rules", "lint", str(bare)]) == 0
    assert "there is no workspace here" in capsys.readouterr().err
    (bare / "intents.yaml").write_text((tmp_path / "intents.yaml").read_text())
    assert kdsl(["rules", "lint", str(bare / "scene.yaml"), "--alone"]) == 1
    assert "Did you mean 'refund'?" in capsys.readouterr().out
    assert kdsl(["rules", "lint", str(bare / "none.yaml")]) == 2


def test_lint_on_dialogues_says_what_they_show(space, capsys):
    edit('"money"', '"monkey"')
    assert kdsl(["rules", "lint", "--split", "test"]) == 1
    said = capsys.readouterr().out
    assert "R301 r-box: it is right on 1 of the 1" in said


def test_examples_are_played_again(space, capsys):
    SCENE.write_text(
        RULES.replace(
            "  evidence:", '  examples: {match: ["t1", "t2", "gone"], no_match: ["t3"]}\n  evidence:'
        )
    )
    assert kdsl(["rules", "test", "--split", "test"]) == 1
    said = capsys.readouterr()
    assert "rules/scene.yaml:9 failed r-money: must match t2" in said.out
    assert 'false    a customer\'s message contains "money"' in said.out
    assert "missing r-money: must match gone, which is not in test" in said.out
    assert "2 of 4 examples pass; rules without an example: 1" in said.out
    assert "of 4 examples 1 failed, 1 missing" in said.err
    assert kdsl(["rules", "test", "--split", "test", "--top", "1"]) == 1
    assert "and 1 more: --top 0 shows all" in capsys.readouterr().out
    edit('"t2", "gone"', "")
    assert kdsl(["rules", "test", "--split", "test", "--json"]) == 0
    assert told(capsys)["counts"] == {"passed": 2}


def test_examples_of_another_split_are_missing_and_the_split_is_asked_for(space, capsys):
    SCENE.write_text(RULES.replace("  evidence:", '  examples: {match: ["n0"]}\n  evidence:'))
    assert kdsl(["rules", "test", "--split", "test"]) == 1
    assert "Only test was looked at: name the split they are from" in capsys.readouterr().err


def test_stats_count_firings_conflicts_and_bounds(space, capsys):
    edit('text: {contains: "box", in: "customer"}', 'text: {contains: "m", in: "customer"}')
    assert kdsl(["rules", "stats", "--split", "test", "--json"]) == 0
    (scene,) = told(capsys)
    assert (scene["dialogues"], scene["covered"], scene["in_conflict"]) == (3, 1, 1)
    money, box = sorted(scene["rules"], key=lambda row: row["rule"], reverse=True)
    assert (money["fired"], money["correct"], money["conflicts"], money["oof_fired"]) == (1, 1, 1, 9)
    assert (box["fired"], box["correct"], box["wrong"], box["oof_fired"]) == (1, 0, 1, None)
    assert kdsl(["rules", "stats", "--split", "test", "--intent", "parcel"]) == 0
    said = capsys.readouterr().out
    assert "r-box" in said and "r-money" not in said
    assert "of 3 dialogues of test, rules speak on 1 (33%), for several intents on 1" in said
    assert kdsl(["rules", "stats", "--split", "test", "--intent", "parcl"]) == 2
    assert "Did you mean 'parcel'?" in capsys.readouterr().err


def test_stats_show_what_became_of_a_rule_and_count_one_against_an_intent_so(space, capsys):
    edit("weight: 2.0", "weight: -2.0")
    edit('intent: "parcel"', 'intent: "parcel"\n  status: "disabled"')
    assert kdsl(["rules", "stats", "--split", "test"]) == 0
    header, *rows, told = (line for line in capsys.readouterr().out.splitlines() if line)
    assert header.split()[:4] == ["rule", "intent", "status", "weight"]
    money, box = sorted(rows, reverse=True)
    # It fired once, on a refund, and out of fold on nine: never rightly.
    assert "  ".join(money.split()[:8]) == "r-money  not  refund  draft  -2.00  1  0  0.01"
    assert "0 of 9" in money
    assert box.split()[:3] == ["r-box", "parcel", "disabled"]
    assert "rules speak on 0 (0%)" in told


def test_stats_of_an_intent_leave_out_tasks_that_have_no_rule_for_it(space, capsys):
    Path("rules/wish.yaml").write_text(
        RULES.replace("scene", "wish").replace("refund", "return").replace("parcel", "hurry")
    )
    assert kdsl(["rules", "stats", "--split", "test", "--intent", "hurry"]) == 0
    said = capsys.readouterr().out
    assert "wish: of 1 dialogues" in said and "scene" not in said
    assert kdsl(["rules", "stats", "--split", "test", "--intent", "hurry", "--json"]) == 0
    assert [one["task"] for one in told(capsys)] == ["wish"]


def test_apply_decides_on_any_file_without_a_workspace_and_without_a_model(
    space, tmp_path, capsys, monkeypatch
):
    new = tmp_path / "new.jsonl"
    new.write_text(line("x", "scene", "my money", "refund") + line("y", "scene", "hello", None))
    rules = tmp_path / "scene.yaml"
    rules.write_text(RULES)
    monkeypatch.chdir("/")
    assert kdsl(["rules", "apply", str(rules), "--input", str(new)]) == 0
    said = capsys.readouterr().out
    assert "2 dialogues: rules decide on 1, are silent on 1" in said
    assert "scene: of 1 with a label 1 right, 0 wrong, 0 silent" in said
    out = tmp_path / "out"
    assert kdsl(["rules", "apply", str(rules), "--input", str(new), "--out", str(out), "-q"]) == 0
    assert capsys.readouterr().out == f"{out}/predictions.parquet\n"
    from kdsl_cli.prediction.table import read_predictions

    frame = read_predictions(out / "predictions.parquet").frame
    assert frame["prediction"].to_list() == ["refund", None]


def test_apply_holds_the_rules_against_the_catalogue(space, capsys):
    edit('intent: "parcel"', 'intent: "parcl"')
    assert kdsl(["rules", "apply", "--split", "test"]) == 2
    assert "Did you mean 'parcel'?" in capsys.readouterr().err


def test_a_new_rule_is_written_into_its_file_which_stays_as_it_was(space, capsys):
    edit("rules:\n", "rules:\n# a person's remark\n")
    before = SCENE.read_text()
    assert (
        kdsl(
            ["rules", "new", "parcel", "--text", "carton", "--ocr", "Ｂｏｘ", "--region", "top", "--id", "p"]
        )
        == 0
    )
    said = capsys.readouterr().out
    assert said.startswith("rules/scene.yaml:17\n") and "kdsl extract --split train" in said
    assert SCENE.read_text().startswith(before)
    rule = load_rules(SCENE).rules[-1]
    assert (rule.id, rule.intent, rule.status, rule.weight) == ("p", "parcel", "draft", 1.0)
    assert kdsl(["rules", "new", "parcel", "--text", "carton", "--id", "p"]) == 2
    assert "rules/scene.yaml:17: there is a rule with the id 'p'" in capsys.readouterr().err


def test_a_new_rule_of_no_intent_or_no_phrase_is_refused_and_a_new_file_is_begun(space, capsys):
    assert kdsl(["rules", "new", "parcl"]) == 2
    assert "Did you mean 'parcel'?" in capsys.readouterr().err
    assert kdsl(["rules", "new", "parcel", "--text", " "]) == 2
    assert "none of them blank" in capsys.readouterr().err
    assert kdsl(["rules", "new", "parcel", "--text", "box", "--region", "top"]) == 2
    assert "--region: no phrase is looked for on the screen. Name one by --ocr" in capsys.readouterr().err
    assert kdsl(["rules", "new", "parcel", "--ocr", "box", "--in", "any"]) == 2
    assert kdsl(["rules", "new", "hurry"]) == 0
    assert "hurry" in Path("rules/wish.yaml").read_text()
    assert kdsl(["rules", "lint", "--alone"]) == 0


def test_a_rule_is_explained_by_what_it_does_and_beside_whom(space, capsys):
    edit('text: {contains: "box", in: "customer"}', 'text: {contains: "m", in: "customer"}')
    assert kdsl(["rules", "explain", "r-box", "--split", "test", "--json"]) == 0
    seen = told(capsys)
    assert (seen["at"], [case["id"] for case in seen["wrong"]]) == ("rules/scene.yaml:10", ["t1"])
    assert seen["missed"] == ["t2"]
    (rival,) = seen["competitors"]
    assert (rival["rule"], rival["together"], rival["its"], rival["ours"]) == ("r-money", 1, 1, 0)
    assert kdsl(["rules", "explain", "r-money", "--split", "test"]) == 0
    said = capsys.readouterr().out
    assert 'For refund, when a customer\'s message contains "money"' in said
    assert "Right on 1" in said and 't1 (refund)  turn 1, characters 3 to 8: "money"' in said
    assert "Out of fold: 9 of 9 right, a precision of at least 0.95" in said
    assert kdsl(["rules", "explain", "r-mony"]) == 2
    assert "Did you mean 'r-money'?" in capsys.readouterr().err


def test_a_near_miss_names_the_one_part_that_fails(space, capsys):
    edit(
        'text: {contains: "money", in: "customer"}',
        'all: [{text: {contains: "money"}}, {text: {contains: "!"}}]',
    )
    assert kdsl(["rules", "explain", "r-money", "--split", "test", "--json"]) == 0
    (near,) = told(capsys)["near"]
    assert near == {
        "id": "t1",
        "label": "refund",
        "because": ['but for: the customer\'s last message contains "!"'],
    }


@pytest.mark.parametrize("verb", ["lint", "test", "stats", "apply"])
def test_a_broken_file_is_told_with_its_line(verb, space, capsys):
    edit("contains:", "contians:")
    assert kdsl(["rules", verb]) == 2
    assert "rules/scene.yaml:8: unknown key" in capsys.readouterr().err
