"""What is claimed of conditions by their meaning must hold of whatever facts there are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from kdsl_cli.logic.conditions import All, Any, AtLeast, Not
from kdsl_cli.logic.facts import TurnFact
from kdsl_cli.logic.indexing import index
from kdsl_cli.logic.linting.entailment import covered
from kdsl_cli.logic.linting.worlds import MOST, implies, satisfiable, tautology
from kdsl_cli.logic.matching import holds
from kdsl_cli.logic.predicates import (
    AnswerPredicate,
    CountPredicate,
    ImagePredicate,
    OcrPredicate,
    TextPredicate,
)
from tests.logic.strategies import conditions, facts, quick

HIGHEST = {"top_bar": 0.5, "bottom_bar": 0.5, **dict.fromkeys(("width", "height", "aspect"), 9.0)}
FREE = {"line_count", "colour_count"}


def ocr(*phrases, op="contains_any", region="all"):
    return OcrPredicate(op, phrases, region)


def said(*phrases, op="contains_any", field="last_customer"):
    return TextPredicate(field, op, phrases)


def plausible(found):
    """Facts as extraction makes them: at least one turn, shares no larger than one."""
    turns = found.turns or (TurnFact(0, "customer", ""),)
    images = tuple(
        replace(
            image,
            features={
                name: value if name in FREE else min(value, HIGHEST.get(name, 1.0))
                for name, value in image.features.items()
            },
        )
        for image in found.images
    )
    return index(replace(found, turns=turns, images=images))


@quick
@given(conditions(), conditions(), facts())
def test_what_is_implied_is_never_false_where_the_other_is_true(first, second, found):
    known = plausible(found)
    if implies(first, second) and holds(first, known) is True:
        assert holds(second, known) is not False


@quick
@given(conditions(), facts())
def test_what_cannot_be_true_is_not_and_what_must_be_is_never_false(condition, found):
    known = plausible(found)
    if not satisfiable(condition):
        assert holds(condition, known) is not True
    if tautology(condition):
        assert holds(condition, known) is not False


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (ocr("退款金额"), ocr("退款")),
        (ocr("ＶＩＰ卡"), ocr("vip")),
        (ocr("退款", region="top"), ocr("退款", region="upper")),
        (ocr("退款", region="bottom"), ocr("退款")),
        (ocr("a", "b", op="contains_all"), ocr("b", "c")),
        (said("退款", op="equals"), said("退", op="startswith")),
        (said("退款12", op="equals"), said(r"\d{2}", op="regex")),
        (said("退款"), said("退款", field="customer")),
        (said("退款"), CountPredicate("customer_turns", "gte", 1)),
        (ocr("x"), CountPredicate("images", "gte", 1)),
        (CountPredicate("images", "gte", 3), CountPredicate("images", "gte", 2)),
        (CountPredicate("images", "between", (2, 3)), CountPredicate("images", "gte", 2)),
        (ImagePredicate("line_count", "gte", 3), CountPredicate("ocr_lines", "gte", 2)),
        (ImagePredicate("brightness", "gte", 0.8), ImagePredicate("brightness", "gte", 0.5)),
        (All((ocr("a"), ocr("b"))), ocr("a")),
        (ocr("a"), Any((ocr("b"), ocr("a")))),
        (All((ocr("a"), ocr("b"))), AtLeast(2, (ocr("a"), ocr("b"), ocr("c")))),
        (Not(ocr("退款")), Not(ocr("退款金额"))),
        (AnswerPredicate("Torn?", True), Not(AnswerPredicate("Torn?", False))),
    ],
)
def test_the_narrower_condition_implies_the_wider_and_not_the_other_way(narrow, wide):
    assert implies(narrow, wide)
    assert not implies(wide, narrow)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ocr("退款"), said("退款")),
        (ocr("退款", region="top"), ocr("退款", region="lower")),
        (said("a", field="customer"), said("a", field="last_customer")),
        (ocr("a", "b"), ocr("a")),
        (ImagePredicate("brightness", "gte", 0.8), ImagePredicate("aspect", "gte", 0.5)),
    ],
)
def test_nothing_is_claimed_of_conditions_that_merely_look_alike(first, second):
    assert not implies(first, second)


@pytest.mark.parametrize(
    "condition",
    [
        All((ocr("a"), Not(ocr("a")))),
        All((ocr("退款金额"), Not(ocr("退款")))),
        All((said("退款", op="equals"), said("退货", op="equals"))),
        All((said("退", op="startswith"), said("换", op="startswith"))),
        All((said("退款"), CountPredicate("customer_turns", "lte", 0))),
        All((AnswerPredicate("Torn?", True), AnswerPredicate("Torn?", False))),
        ImagePredicate("photo_score", "gte", 1.5),
        CountPredicate("turns", "lte", 0),
    ],
)
def test_a_condition_that_contradicts_itself_cannot_be_met(condition):
    assert not satisfiable(condition)
    assert tautology(Not(condition))


def test_two_pictures_may_meet_what_one_cannot():
    both = (ImagePredicate("brightness", "gte", 0.8), ImagePredicate("brightness", "lte", 0.2))
    kinds = (ImagePredicate("kind", "is", "photo"), ImagePredicate("kind", "is", "screenshot"))
    assert satisfiable(All(both)) and satisfiable(All(kinds))


def test_of_a_condition_too_large_to_judge_nothing_is_claimed():
    many = tuple(ocr(f"w{number}") for number in range(MOST + 1))
    assert satisfiable(All((*many, Not(many[0]))))
    assert not tautology(Any((*many, Not(many[0]))))
    assert not implies(All(many), many[0])


def test_of_phrases_that_say_the_same_the_first_stays():
    assert covered(ocr("ＶＩＰ", "vip", "卡")) == ("vip",)
    assert covered(ocr("退款", "退款金额", op="contains_all")) == ("退款",)
    assert covered(said("退款", "退款金额", op="equals_any")) == ()
