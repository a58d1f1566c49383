from __future__ import annotations

from kdsl_cli.logic.conditions import Any
from kdsl_cli.logic.facts import Facts, ImageFact, OcrLine, TurnFact
from kdsl_cli.logic.predicates import ImagePredicate, OcrPredicate, TextPredicate
from kdsl_cli.logic.rule import Rule
from kdsl_cli.reporting.page.verdicts import fired_rules, marks, segments, tree

FACTS = Facts(
    "a",
    (TurnFact(0, "customer", "退款金额多少"), TurnFact(1, "service", "亲")),
    (OcrLine(0, 0, "退款", 0.9, (0, 0, 1, 1)), OcrLine(1, 0, "退款", 0.9, (0, 0, 1, 1))),
    (ImageFact(0, "screenshot"), ImageFact(1, "photo")),
)


def said(*phrases):
    return TextPredicate("customer", "contains_any", phrases)


def test_overlapping_phrases_are_one_mark_with_one_number():
    judged = fired_rules([Rule("a", "x", said("退款", "退款金额")), Rule("b", "x", said("金额"))], FACTS, "x")
    assert list(marks(judged).spans[0]) == [((0, 4), 1)]


def test_lines_are_numbered_before_turns_whoever_names_them():
    rules = [Rule("a", "x", said("退款")), Rule("b", "x", OcrPredicate("contains", ("退款",)))]
    places = marks(fired_rules(rules, FACTS, "x"))
    assert dict(places.lines) == {(0, 0): 1, (1, 0): 2}
    assert list(places.spans[0]) == [((0, 2), 3)]


def test_what_did_not_decide_has_no_number():
    condition = Any((said("退款"), TextPredicate("service", "equals", ("退款",))))
    (one,) = fired_rules([Rule("a", "x", condition)], FACTS, "x")
    places = marks([one])
    _, words, _, (yes, no) = tree(one.verdict, FACTS, places)
    assert words == "any" and yes[2] == [["“退款” in message 1", 1]]
    assert no[0] is False and no[2] == []


def test_pictures_are_counted_as_people_do():
    (one,) = fired_rules([Rule("a", "x", ImagePredicate("kind", "is", "photo"))], FACTS, "x")
    told = [what for what, _ in tree(one.verdict, FACTS, marks([one]))[2]]
    assert told == ["picture 1: kind screenshot", "picture 2: kind photo"]


def test_the_chosen_intent_comes_first_then_the_weight():
    rules = [
        Rule("a", "y", said("退款"), weight=9.0),
        Rule("b", "x", said("退款"), weight=0.5),
        Rule("c", "x", said("退款"), weight=-2.0),
    ]
    assert [one.rule.id for one in fired_rules(rules, FACTS, "x")] == ["c", "b", "a"]


def test_segments_put_together_are_the_text():
    text = "我要退款金额。"
    parts = segments(text, [((0, 2), 1), ((2, 4), 2)])
    assert "".join(part for part, _ in parts) == text
    assert parts == [("我要", 1), ("退款", 2), ("金额。", 0)]
