"""Why a rule base says what it says: down to the characters, as plain JSON."""

from __future__ import annotations

import json
from dataclasses import replace

from kdsl_cli.logic.conditions import All, Any, AtLeast, Not
from kdsl_cli.logic.facts import Facts, ImageFact, OcrLine, TurnFact
from kdsl_cli.logic.matching import match
from kdsl_cli.logic.predicates import CountPredicate, OcrPredicate, TextPredicate
from kdsl_cli.logic.rule import BaseRate, Evidence, Rule, RuleBase
from kdsl_cli.prediction.why import decisive, judge, reasons

FACTS = Facts(
    "d1",
    (TurnFact(0, "customer", "要退款"),),
    (OcrLine(0, 0, "退款成功", 0.9, (0.1, 0.1, 0.9, 0.15)),),
    (ImageFact(0, "screenshot"), ImageFact(1, error="truncated")),
)
SCREEN = OcrPredicate("contains", ("退款",))
OTHER = OcrPredicate("contains", ("物流",))
SAID = TextPredicate("any", "contains", ("退款",))
UNSAID = TextPredicate("any", "contains", ("发货",))
RULES = (
    Rule("light", "refund", SAID, weight=0.5, why="They say so."),
    Rule("heavy", "refund", All((SCREEN, Not(UNSAID))), weight=2.0, evidence=Evidence(9, 9, 0.8)),
    Rule("against", "parcel", SAID, weight=-1.0),
    Rule("unclear", "parcel", OTHER),
    Rule("false", "parcel", UNSAID),
    Rule("off", "parcel", SAID, "disabled"),
)
BASE = RuleBase("scene", RULES)


def test_fired_rules_come_heaviest_first_with_their_places_and_the_sum_of_each_intent():
    told = json.loads(json.dumps(reasons(BASE, FACTS)))
    assert told["id"] == "d1"
    assert (told["scores"], told["base_rates"]) == ({"refund": 2.5, "parcel": -1.0}, {})
    assert [(one["rule"], one["weight"]) for one in told["fired"]] == [
        ("heavy", 2.0), ("light", 0.5), ("against", -1.0)
    ]  # fmt: skip
    heavy, light, _ = told["fired"]
    assert (heavy["precision_low"], light["precision_low"], light["why"]) == (0.8, None, "They say so.")
    on_screen, unsaid = heavy["because"]
    assert on_screen["value"] is True
    assert on_screen["at"] == [
        {"what": 'picture 1, line 1, characters 0 to 2: "退款"', "image": 0, "line": 0, "span": [0, 2]}
    ]
    assert (unsaid["value"], unsaid["at"]) == (False, [])
    assert "发货" in unsaid["predicate"]


def test_base_rates_are_named_beside_the_rules_that_add_to_them():
    rates = (BaseRate("parcel", -0.5), BaseRate("coupon", -3.0), BaseRate("refund", -9.0, "disabled"))
    told = reasons(replace(BASE, base_rates=rates), FACTS)
    assert told["scores"] == {"refund": 2.5, "parcel": -1.5}
    assert told["base_rates"] == {"parcel": -0.5}


def test_rules_that_cannot_be_judged_say_which_picture_is_missing():
    (unclear,) = reasons(BASE, FACTS)["unknown"]
    assert (unclear["rule"], unclear["intent"]) == ("unclear", "parcel")
    (because,) = unclear["because"]
    assert because["value"] is None
    assert because["at"][0]["what"] == "picture 2 could not be read: truncated"


def test_disabled_rules_are_not_judged_and_false_ones_stay_in_order():
    assert [one.rule.id for one in judge(RULES, FACTS)] == ["heavy", "light", "against", "unclear", "false"]


def test_of_a_group_only_the_parts_that_agree_with_it_are_decisive():
    def settled_by(condition):
        return [leaf.node for leaf in decisive(match(condition, FACTS))]

    assert settled_by(Any((SAID, UNSAID))) == [SAID]
    assert settled_by(All((SAID, UNSAID))) == [UNSAID]
    assert settled_by(All((SAID, OTHER))) == [OTHER]
    assert settled_by(Not(Any((SAID, UNSAID)))) == [SAID]
    turns = CountPredicate("turns", "gte", 1)
    assert settled_by(AtLeast(2, (SAID, UNSAID, turns))) == [SAID, turns]
