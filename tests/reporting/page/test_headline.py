from __future__ import annotations

import pytest

from kdsl_cli.prediction.table import prediction_table
from kdsl_cli.reporting.page.headline import deciders, left_aside, trust, worst_confusions
from kdsl_cli.reporting.tables import evaluate
from tests.reporting.page.made import BASES, INTENTS, material, said


def told(rows, task="scene"):
    table = prediction_table(rows, INTENTS)
    tables = evaluate(table, BASES.values(), seed=0, resamples=50)
    return {sentence.text: sentence for sentence in trust(tables, table, task)}


def decided(n, *, right, p, rules_right=None):
    """`n` rows, the first `right` of them right; the rules alone are right on `rules_right`."""
    rules = right if rules_right is None else rules_right
    return [
        said(
            f"d{number:03}", "scene", "退款", "退款" if number < right else "parcel",
            rules="退款" if number < rules else "parcel", large="退款" if number < right else "parcel", p=p,
        )
        for number in range(n)
    ]  # fmt: skip


def one(sentences, start):
    (found,) = [sentence for text, sentence in sentences.items() if text.startswith(start)]
    return found


def test_a_difference_that_the_test_shows_is_said_with_its_numbers():
    better = one(told(decided(40, right=30, p=0.75, rules_right=15)), "Together is better than rules alone")
    assert "15 gained, 0 lost (p <0.001)" in better.text and better.tone == "good"
    worse = one(told(decided(40, right=15, p=0.4, rules_right=30)), "Together is worse than rules alone")
    assert worse.tone == "bad"


def test_a_difference_that_few_rows_cannot_show_is_none():
    found = one(
        told(decided(40, right=30, p=0.75, rules_right=28)), "Together is not shown to differ from rules"
    )
    assert "2 gained, 0 lost (p 0.500)" in found.text and found.tone == "plain"


def test_systems_that_are_right_on_the_same_rows_are_not_compared():
    assert "Together and the large model alone are right on the same dialogues." in told(
        decided(9, right=5, p=0.5)
    )


@pytest.mark.parametrize(
    ("p", "start", "tone"),
    [
        (0.75, "Its probabilities can be taken at their word", "good"),
        (0.95, "It is too sure of itself", "bad"),
        (0.5, "It is right more often than it says", "plain"),
    ],
)
def test_stated_probabilities_are_held_against_what_was_right(p, start, tone):
    assert one(told(decided(100, right=75, p=p)), start).tone == tone


def test_what_is_in_no_score_is_said_with_a_link_to_it():
    made = material()
    sentences = {one.text: one for one in trust(made.tables, made.predictions, "scene")}
    failed = one(sentences, "1 of 44 failed: in no score")
    assert failed.link == "#list?task=scene&state=failed"
    assert one(sentences, "1 of 44 have no label: in no score").link == "#list?task=scene&state=unlabelled"
    assert one(sentences, "On 1 it abstained").link == "#list?task=scene&state=abstained"


def test_the_room_that_the_interval_leaves_is_said():
    made = material()
    row = next(r for r in made.tables.overall.to_dicts() if (r["task"], r["system"]) == ("scene", "together"))
    text = f"expect {row['weighted_f1_low']:.2f} to {row['weighted_f1_high']:.2f}"
    assert any(text in sentence.text for sentence in trust(made.tables, made.predictions, "scene"))


def test_a_few_dialogues_that_are_all_right_promise_little():
    sentences = told(decided(5, right=5, p=0.9))
    assert one(sentences, "All alike, which a few dialogues can be").text.endswith(
        "expect 62% right or more."
    )


def test_the_worst_confusions_come_first_with_abstentions():
    made = material(40)
    assert worst_confusions(made.tables, "scene")[0] == ("parcel", "退款", 4)
    assert ("parcel", None, 1) in worst_confusions(made.tables, "scene")


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        ("rules", "by the rules alone"),
        ("large", "by the large model alone"),
        ("rules-first", "rules and model together"),
    ],
)
def test_who_decides_is_said_as_the_strategy_has_it(strategy, words):
    rows = [said("a", "scene", "退款", "退款", strategy=strategy), said("b", "chat", "hurry", "hurry")]
    assert deciders(prediction_table(rows, INTENTS), "scene") == words


def test_a_system_that_took_no_part_is_named():
    rows = [said("a", "scene", "退款", "退款", rules="退款")]
    tables = evaluate(prediction_table(rows, INTENTS), BASES.values(), seed=0, resamples=0)
    assert left_aside(tables, "scene") == ["large model"]
