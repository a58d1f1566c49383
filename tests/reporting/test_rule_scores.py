"""Per rule: counts on the scored rows of the rule's task, and how rules get on with each other."""

from __future__ import annotations

import pytest

from kdsl_cli import metrics
from kdsl_cli.errors import StageError
from kdsl_cli.logic.predicates import OcrPredicate
from kdsl_cli.logic.rule import Rule, RuleBase
from kdsl_cli.reporting.rule_scores import per_rule


def rule(name, intent, **changes):
    return Rule(name, intent, OcrPredicate("contains", (name,)), **changes)


SCENE = RuleBase(
    "scene",
    (
        rule("r-refund", "refund", status="mined"),
        rule("r-parcel", "parcel"),
        rule("r-old", "parcel", status="disabled"),
    ),
)
CHAT = RuleBase("chat", (rule("r-return", "return"),))


def by_rule(frame):
    return {row["rule"]: row for row in frame.iter_rows(named=True)}


def test_a_rule_is_counted_on_labelled_rows_that_did_not_fail(table):
    found = by_rule(per_rule(table, [SCENE, CHAT]))
    assert list(found) == ["r-refund", "r-parcel", "r-return"]  # file order, disabled rules left out
    refund = found["r-refund"]
    assert (refund["task"], refund["intent"], refund["status"]) == ("scene", "refund", "mined")
    assert (refund["fired"], refund["correct"], refund["recall"]) == (3, 2, 1.0)
    assert (refund["precision"], refund["precision_low"]) == (2 / 3, metrics.precision_low(2, 3))
    assert refund["decided"] == 2  # in s4 it fired, but nothing was decided
    parcel = found["r-parcel"]
    assert (parcel["fired"], parcel["correct"]) == (1, 0)  # its firing on the unlabelled s6 tells nothing
    assert (parcel["conflicts"], refund["conflicts"]) == (1, 1)


def test_a_rule_that_never_fired_has_no_precision_and_an_intent_without_rows_no_recall(table):
    base = RuleBase("scene", (*SCENE.rules, rule("r-coupon", "coupon")))
    coupon = by_rule(per_rule(table, [base, CHAT]))["r-coupon"]
    assert coupon["fired"] == 0
    assert (coupon["precision"], coupon["precision_low"], coupon["recall"]) == (None, None, None)


def test_rules_of_one_intent_overlap_and_rules_of_two_conflict(row, table_of):
    base = RuleBase("scene", (rule("a", "refund"), rule("b", "refund"), rule("c", "parcel")))
    found = by_rule(
        per_rule(
            table_of([row("1", "refund", fired=["a", "b"]), row("2", "refund", fired=["a", "b", "c"])]),
            [base],
        )
    )
    assert [(found[name]["overlaps"], found[name]["conflicts"]) for name in "abc"] == [(2, 1), (2, 1), (0, 1)]


def test_a_rule_against_an_intent_is_right_where_the_label_is_another(row, table_of):
    base = RuleBase(
        "scene",
        (
            rule("no", "refund", weight=-1.0),
            rule("yes", "refund"),
            rule("parcel", "parcel"),
            rule("no-2", "coupon", weight=-2.0),
        ),
    )
    rows = [
        row("1", "parcel", (None, None, "parcel"), fired=["no", "parcel", "no-2"]),
        row("2", "refund", (None, None, "refund"), fired=["no", "yes"]),
    ]
    found = by_rule(per_rule(table_of(rows), [base]))
    against = found["no"]
    assert (against["against"], against["fired"], against["correct"]) == (True, 2, 1)
    assert (against["recall"], against["decided"]) == (None, None)
    assert (against["overlaps"], against["conflicts"]) == (
        0,
        1,
    )  # with "yes"; "not a refund, a parcel" is fine
    assert (found["parcel"]["conflicts"], found["no-2"]["conflicts"]) == (0, 0)


def test_the_large_models_decisions_are_not_a_rules_merit(row, table_of):
    said = ("refund", "refund", "refund")
    rows = [row(by, "refund", said, fired=["r-refund"], decided_by=by) for by in ("rules", "large", "both")]
    assert by_rule(per_rule(table_of(rows), [SCENE]))["r-refund"]["decided"] == 2


def test_rules_that_fired_but_are_in_no_file_are_named(table):
    with pytest.raises(StageError) as error:
        per_rule(table, [RuleBase("scene", (rule("r-refunds", "refund"), rule("r-parcel", "parcel")))])
    told = [problem.render() for problem in error.value.problems]
    assert len(told) == 2
    assert told[0].startswith("rule r-refund: ") and told[1].startswith("rule r-return: ")
    assert told[0].endswith("with the options that it had: kdsl predict --split test --force.")
