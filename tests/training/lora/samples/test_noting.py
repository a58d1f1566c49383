"""Rules told to the model: those that fire, weightiest first, and none that was learnt from the dialogue."""

from __future__ import annotations

from kdsl_cli.logic.facts import Facts, TurnFact
from kdsl_cli.logic.predicates import TextPredicate
from kdsl_cli.logic.rule import Rule, Status
from kdsl_cli.training.lora.samples.noting import MOST, notes, notes_out_of_fold


def rule(word: str, intent: str, weight: float = 1.0, status: Status = "mined") -> Rule:
    return Rule(f"{word}-{intent}", intent, TextPredicate("any", "contains", (word,)), status, weight)


def saying(*texts: str) -> list[Facts]:
    return [Facts(text, (TurnFact(0, "customer", text),)) for text in texts]


def test_rules_that_fire_are_told_the_weightiest_first() -> None:
    rules = [
        rule("退", "refund"),
        rule("钱", "parcel", -2.0),
        rule("货", "parcel"),
        rule("退", "parcel", 3.0, "disabled"),
    ]
    assert notes(rules, saying("退钱", "你好")) == [
        (
            'a message contains "钱", which speaks against parcel',
            'a message contains "退", which speaks for refund',
        ),
        (),
    ]


def test_no_more_than_a_few_are_told() -> None:
    rules = [rule("退", f"intent-{number}", number) for number in range(MOST + 3)]
    [told] = notes(rules, saying("退"))
    assert len(told) == MOST and told[0].endswith(f"intent-{MOST + 2}")


def test_a_dialogue_is_told_rules_of_the_search_that_did_not_see_its_fold() -> None:
    by_fold = {0: [rule("退", "without-0")], 1: [rule("退", "without-1")]}
    told = notes_out_of_fold(by_fold, [1, 0, 1], saying("退", "退", "好"))
    assert [[text.rpartition(" ")[2] for text in own] for own in told] == [["without-1"], ["without-0"], []]


def test_without_rules_nothing_is_told() -> None:
    assert notes([], saying("退")) == [()]
    assert notes_out_of_fold({}, [], []) == []
