from __future__ import annotations

import pytest
from hypothesis import given

from kdsl_cli.logic.conditions import All, Any, AtLeast, Condition, Not, canonical, condition_key
from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.matching import holds
from kdsl_cli.logic.predicates import CountPredicate, ImagePredicate, OcrPredicate, TextPredicate
from kdsl_cli.logic.rule import rule_id

from .strategies import conditions, facts, quick

A, B, C = (OcrPredicate("contains", (word,)) for word in "abc")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (All((A, B)), All((B, A, A))),
        (All((A, All((B, C)))), All((A, B, C))),
        (Any((A, Any((B,)))), Any((B, A))),
        (Not(Not(A)), A),
        (All((A,)), A),
        (AtLeast(1, (A, B)), Any((A, B))),
        (AtLeast(2, (A, B)), All((A, B))),
        (OcrPredicate("contains", ("ＡＢ",)), OcrPredicate("contains_any", ("ab",))),
        (OcrPredicate("contains_all", ("b", "a")), OcrPredicate("contains_all", ("a", "b", "a"))),
        (ImagePredicate("width", "gte", 3), ImagePredicate("width", "gte", 3.0)),
    ],
)
def test_conditions_of_one_meaning_share_a_key(one: Condition, other: Condition) -> None:
    assert condition_key(one) == condition_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (All((A, B)), Any((A, B))),
        (AtLeast(2, (A, A, B)), AtLeast(2, (A, B, C))),
        (OcrPredicate("contains", ("a",)), OcrPredicate("contains", ("a",), "top")),
        (OcrPredicate("contains_all", ("a", "b")), OcrPredicate("contains_any", ("a", "b"))),
        (TextPredicate("any", "contains", ("a",)), TextPredicate("customer", "contains", ("a",))),
        (CountPredicate("turns", "gte", 2), CountPredicate("turns", "lte", 2)),
    ],
)
def test_conditions_of_different_meaning_do_not(one: Condition, other: Condition) -> None:
    assert condition_key(one) != condition_key(other)


@quick
@given(conditions(), facts())
def test_the_canonical_form_matches_alike_and_is_its_own_canonical_form(
    condition: Condition, seen: Facts
) -> None:
    form = canonical(condition)
    assert holds(form, seen) is holds(condition, seen)
    assert canonical(form) == form


@pytest.mark.parametrize(
    "make",
    [
        lambda: All(()),
        lambda: AtLeast(3, (A, B)),
        lambda: OcrPredicate("contains", ("a", "b")),
        lambda: OcrPredicate("contains_any", ()),
        lambda: OcrPredicate("contains", ("　",)),
        lambda: ImagePredicate("kind", "is", "painting"),
        lambda: ImagePredicate("widht", "gte", 3),
        lambda: ImagePredicate("width", "between", (3, 2)),
        lambda: CountPredicate("turns", "gte", float("inf")),
    ],
)
def test_what_cannot_be_meant_cannot_be_built(make: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        make()  # type: ignore[operator]


def test_a_rule_id_keeps_chinese_and_follows_the_meaning() -> None:
    assert rule_id("退款页面", All((A, B))) == rule_id("退款页面", All((B, A)))
    assert rule_id("退款页面", A).startswith("退款页面-")
    assert rule_id("退款页面", A) != rule_id("退款页面", B)
    assert rule_id("***", A).startswith("rule-")
