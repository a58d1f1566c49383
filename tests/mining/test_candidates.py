from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kdsl_cli.dialogues.catalogue import Intent
from kdsl_cli.logic.facts import Facts, ImageFact, OcrLine
from kdsl_cli.logic.indexing import index
from kdsl_cli.logic.matching import holds
from kdsl_cli.logic.predicates import ImagePredicate, OcrPredicate, TextPredicate
from kdsl_cli.mining.candidates import Candidate, candidates
from kdsl_cli.mining.sample import mask_of
from tests.logic.strategies import facts, quick

from .planted import said

INTENTS = (Intent("ab"), Intent("退款", synonyms=("Ａ退", "款")))


@quick
@given(st.lists(facts(), max_size=4), st.integers(1, 2))
def test_a_candidate_holds_where_matching_says_so(dialogues: list[Facts], min_support: int) -> None:
    everyone = (1 << len(dialogues)) - 1
    found = candidates([index(one) for one in dialogues], INTENTS, min_support=min_support)
    for one in found:
        truths = [holds(one.predicate, facts) for facts in dialogues]
        assert one.true == mask_of(truth is True for truth in truths), one
        assert one.false == mask_of(truth is False for truth in truths), one
        assert min_support <= one.true.bit_count()
        assert one.true != everyone
    assert len({one.true for one in found}) == len(found)


def screen(text: str, error: str | None = None, y: float = 0.5, **features: float) -> Facts:
    lines = () if error else (OcrLine(0, 0, text, 0.9, (0.5, y, 0.5, y)),)
    return Facts("d", ocr=lines, images=(ImageFact(0, None, features, error),))


def find(found: tuple[Candidate, ...], wanted: object) -> Candidate:
    (one,) = [one for one in found if one.predicate == wanted]
    return one


def test_a_picture_that_was_not_read_neither_shows_a_phrase_nor_lacks_it() -> None:
    dialogues = [screen("退款成功"), screen("退款成功"), screen("订单"), screen("", "torn")]
    found = candidates([index(one) for one in dialogues])
    one = find(found, OcrPredicate("contains", ("退款成功",)))
    assert (one.true, one.false) == (0b0011, 0b0100)


def test_of_places_that_hold_alike_the_one_that_promises_least_is_kept() -> None:
    everywhere = [screen("退款", y=0.1), screen("退款", y=0.1), screen("订单", y=0.1)]
    found = candidates([index(one) for one in everywhere])
    assert [one.predicate for one in found] == [OcrPredicate("contains", ("退款",), "all")]
    apart = [*everywhere, screen("退款", y=0.9)]
    found = candidates([index(one) for one in apart])
    assert find(found, OcrPredicate("contains", ("退款",), "top")).true == 0b0011
    assert find(found, OcrPredicate("contains", ("退款",), "all")).true == 0b1011


def test_words_of_the_catalogue_are_candidates_and_know_whose_they_are() -> None:
    dialogues = [said(text) for text in ("我要退货", "怎么退货呀", "换一个", "想换一个", "要换货", "你好")]
    intents = (Intent("退货", synonyms=("换一个",)), Intent("换货", synonyms=("换一个",)))
    found = candidates(dialogues, intents)
    assert find(found, TextPredicate("last_customer", "contains", ("退货",))).named == {"退货"}
    assert find(found, TextPredicate("last_customer", "contains", ("换一个",))).named == {"退货", "换货"}
    together = find(found, TextPredicate("last_customer", "contains_any", ("退货", "换一个")))
    assert (together.named, together.true) == ({"退货"}, 0b1111)


def test_a_word_of_the_catalogue_need_not_be_closed() -> None:
    dialogues = [said(text) for text in ("申请退货", "申请退货", "你好")]
    with_name = candidates(dialogues, [Intent("退货")])
    assert TextPredicate("last_customer", "contains", ("退货",)) in [one.predicate for one in with_name]
    assert TextPredicate("last_customer", "contains", ("申请退货",)) in [
        one.predicate for one in candidates(dialogues)
    ]


def test_what_was_not_measured_gives_no_bound() -> None:
    values = (0.1, 0.2, 0.3, 0.4, math.nan)
    dialogues = [index(screen("x", brightness=value)) for value in values]
    bounds = [
        one.predicate.bounds for one in candidates(dialogues) if isinstance(one.predicate, ImagePredicate)
    ]
    assert bounds
    assert all(not math.isnan(bound) for pair in bounds for bound in pair)


def test_bounds_of_a_descriptor_come_from_its_quantiles() -> None:
    dialogues = [index(screen("x", brightness=place / 10)) for place in range(11)]
    found = [one for one in candidates(dialogues) if isinstance(one.predicate, ImagePredicate)]
    low = sorted(one.predicate.bounds[1] for one in found if one.predicate.op == "lte")
    assert low == [0.1, 0.25, 0.5, 0.75, 0.9]
    held = [find(found, ImagePredicate("brightness", "lte", bound)).true for bound in low]
    assert all(less & more == less != more for less, more in pairwise(held))
