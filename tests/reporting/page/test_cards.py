from __future__ import annotations

import pytest

from kdsl_cli.reporting.page.cards import cards, rows, searchable
from tests.reporting.page.made import EVIL, material


@pytest.fixture(scope="module")
def made():
    return material(10)


@pytest.fixture(scope="module")
def by_id(made):
    sources = {"s000.png": "data:,"}
    return dict(zip(made.predictions.frame["id"], cards(made, sources), strict=True))


def test_the_columns_are_as_long_as_the_predictions(made):
    columns = rows(made)["columns"]
    assert {len(column) for column in columns.values()} == {made.predictions.frame.height}


def test_numbers_stand_for_intents_and_rules(made):
    found = rows(made)
    at = found["columns"]["id"].index("x-evil")
    column = {name: values[at] for name, values in found["columns"].items()}
    intents = found["tasks"][column["task"]]["intents"]
    assert (intents[column["label"]], intents[column["said"]]) == (EVIL, "退款")
    assert {found["rules"][number] for number in column["fired"]} == {"r-refund", "r-evil"}
    assert column["right"] is False and column["state"] == "decided"


def test_what_is_not_known_is_no_intent(made):
    columns = rows(made)["columns"]
    failed, unlabelled = (columns["id"].index(id) for id in ("x-failed", "x-unlabelled"))
    assert columns["said"][failed] == -1 and columns["right"][failed] is None
    assert columns["label"][unlabelled] == -1 and columns["state"][failed] == "failed"


def test_a_dialogue_is_found_by_its_id_its_turns_and_what_was_read_in_its_pictures(made):
    text = dict(zip(made.predictions.frame["id"], searchable(made), strict=True))
    assert "退款详情" in text["s000"] and "s000" in text["s000"]
    assert "be quick" in text["c0"] and "&" in text["c0"]


def test_the_box_that_decided_is_on_the_card_with_the_number_of_its_reason(by_id):
    card = by_id["s000"]
    (picture,) = card["pictures"]
    assert picture["src"] == "data:," and picture["read"] == ["12:00", "退款详情"]
    assert picture["boxes"] == [[0.25, 0.08, 0.75, 0.12, 1, "退款详情"]]
    (rule,) = card["rules"]
    value, words, _, (refund, no_parcel) = rule["tree"]
    assert value is True and words == "all"
    assert refund[2] == [["“退款” in picture 1", 1]]
    assert no_parcel[1] == "not" and no_parcel[3][0][0] is False


def test_matched_words_are_marked_in_the_turns(by_id):
    turns = by_id["c0"]["turns"]
    assert [turn["role"] for turn in turns] == ["customer", "service", "customer", "service"]
    assert turns[0]["text"] == [(f"{EVIL} be ", 0), ("quick", 1)]
    assert turns[2]["text"] == [("quick", 2), (" & <b>quick</b>", 0)]


def test_each_side_says_its_best_intents(by_id):
    rules, large, together = by_id["x-evil"]["sides"]
    assert (rules["said"], large["said"], together["said"]) == ("退款", EVIL, "退款")
    assert large["best"][0] == [EVIL, 0.8] and len(large["best"]) == 3
    assert by_id["x-failed"]["sides"][2] == {"who": "together", "said": None, "best": []}


def test_rules_for_the_decision_come_first_with_what_their_intents_start_from(by_id):
    card = by_id["x-evil"]
    assert [rule["id"] for rule in card["rules"]] == ["r-refund", "r-evil"]
    assert card["starts"] == {}
    assert by_id["s003"]["starts"] == {"parcel": -0.5}
    assert by_id["s003"]["rules"][0]["words"] == 'a line on the screen contains "parcel" or "box"'


def test_a_failed_row_says_why_and_nothing_else(by_id):
    card = by_id["x-failed"]
    assert card["error"] == f"picture: {EVIL}" and card["rules"] == [] and card["pictures"] == []


def test_without_evidence_there_are_turns_and_rules_and_no_reasons():
    bare = material(10, facts={})
    card = dict(zip(bare.predictions.frame["id"], cards(bare, {}), strict=True))["c0"]
    assert card["turns"][0]["text"] == [(f"{EVIL} be quick", 0)]
    assert [rule["id"] for rule in card["rules"]] == ["r-hurry"] and "tree" not in card["rules"][0]


def test_without_dialogues_and_rules_there_is_what_was_decided():
    bare = material(10, facts={}, dialogues={}, bases={})
    card = dict(zip(bare.predictions.frame["id"], cards(bare, {}), strict=True))["c0"]
    assert card["turns"] == [] and card["rules"] == [] and card["sides"][0]["said"] == "hurry"
