"""What a dialogue becomes before a model sees it."""

from __future__ import annotations

import numpy as np

from kdsl_cli.logic.conditions import Not
from kdsl_cli.logic.facts import Facts, ImageFact
from kdsl_cli.logic.indexing import index
from kdsl_cli.logic.predicates import OcrPredicate, TextPredicate
from kdsl_cli.logic.rule import Rule
from kdsl_cli.training.linear.features import Features
from kdsl_cli.training.linear.knowledge import RULE_WEIGHT, Knowledge
from kdsl_cli.training.linear.looks import FURTHEST, Scale
from kdsl_cli.training.linear.ngrams import Ngrams
from tests.training.linear.conftest import TASK, facts


def test_ngrams_weigh_rare_ones_more_and_rows_have_length_one_or_zero():
    ngrams = Ngrams.fit(["退款", "退货", "退票"])
    assert ngrams.terms == ("款", "票", "货", "退", "退款", "退票", "退货")
    rows = ngrams.matrix(["退款", "zz", "退款退款"]).toarray()
    assert np.allclose(np.linalg.norm(rows, axis=1), [1, 0, 1])
    assert rows[0, ngrams.terms.index("款")] > rows[0, ngrams.terms.index("退")] > 0
    assert rows[2, ngrams.terms.index("退")] > rows[2, ngrams.terms.index("款")] * 0.5


def test_texts_without_anything_give_no_columns():
    for none in (Ngrams.fit(["", ""]), Ngrams.fit(["a", "b"], min_df=2)):
        assert none.terms == () and none.matrix(["a", ""]).shape == (2, 0)


def test_descriptors_are_told_by_the_sample_and_the_unknown_is_at_the_mean():
    def picture(aspect):
        return Facts("a", images=(ImageFact(0, features={"aspect": aspect}),))

    unread = Facts("b", images=(ImageFact(0, error="truncated"),))
    scale = Scale.fit([picture(1.0), picture(3.0), unread, Facts("c")], ("aspect", "width"))
    assert scale.mean.tolist() == [2.0, 0.0] and scale.spread.tolist() == [1.0, 1.0]
    found = scale.matrix([picture(3.0), unread, picture(1e9), picture(float("nan"))])
    assert found[:, 0].tolist() == [1.0, 0.0, FURTHEST, 0.0]
    assert not found[:, 1].any()


def test_knowledge_counts_synonyms_and_likens_to_descriptions_without_any_sample():
    matrix = Knowledge(TASK).matrix([index(facts("a", "退款 退钱")), index(facts("b", "秋季的吗"))]).toarray()
    assert matrix.shape == (2, Knowledge(TASK).size)
    refund, parcel, season = matrix[0, :3]
    assert refund == np.log1p(2) and parcel == season == 0
    assert not matrix[1, :3].any()  # no whole synonym, and yet it is like the description of one
    assert matrix[1, 3:6].argmax() == 2 and matrix[1, 5] > 0


def test_only_rules_seen_to_fire_say_something():
    rules = (
        Rule("text", "refund", TextPredicate("last_customer", "contains", ("退",))),
        Rule("screen", "refund", OcrPredicate("contains", ("退",))),
        Rule("not-screen", "refund", Not(OcrPredicate("contains", ("退",)))),
    )
    knowledge = Knowledge(TASK, rules)
    dialogues = [index(facts("a", "退", seen="x")), index(facts("b", "x", broken=True))]
    fired = knowledge.matrix(dialogues).toarray()[:, -3:]
    assert (fired / RULE_WEIGHT).tolist() == [[1, 0, 1], [0, 0, 0]]


def test_features_of_an_empty_dialogue_are_all_zero():
    features = Features.fit([index(facts("a", "退款", seen="订单")), index(facts("b", "快递", seen="订单"))])
    matrix = features.matrix([index(Facts("empty")), index(facts("c", "退款"))])
    assert matrix.shape == (2, features.size)
    assert matrix[0].nnz == 0 and matrix[1].nnz > 0
