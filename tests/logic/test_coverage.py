from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kdsl_cli.logic.coverage import coverage
from kdsl_cli.logic.facts import Facts, TurnFact
from kdsl_cli.logic.firing import firing_matrix
from kdsl_cli.logic.predicates import AnswerPredicate, TextPredicate
from kdsl_cli.logic.rule import Rule

RULES = (
    Rule("refund", "退款", TextPredicate("any", "contains", ("退",))),
    Rule("money", "退款", TextPredicate("any", "contains", ("钱",))),
    Rule("goods", "退货", TextPredicate("any", "contains", ("货",))),
    Rule("off", "退货", TextPredicate("any", "contains", ("退",)), "disabled"),
    Rule("asked", "退货", AnswerPredicate("?", True)),
)
TEXTS = ("退钱", "退货", "退", "你好")
LABELS = ("退款", "退货", None, "退款")


def test_each_rule_is_counted_beside_the_others() -> None:
    dialogues = [Facts(text, (TurnFact(0, "customer", text),)) for text in TEXTS]
    fired = firing_matrix(RULES, dialogues)
    table = coverage(RULES, fired, LABELS, lower_bound=lambda correct, fired: correct / fired / 2)
    refund, money, goods, off, asked = table.iter_rows(named=True)
    assert refund == {
        "rule": "refund",
        "intent": "退款",
        "against": False,
        "status": "draft",
        "fired": 3,
        "unknown": 0,
        "labelled": 2,
        "correct": 1,
        "precision": 0.5,
        "precision_low": 0.25,
        "recall": 0.5,
        "overlaps": 1,
        "conflicts": 1,
    }
    assert (money["fired"], money["overlaps"], money["conflicts"]) == (1, 1, 0)
    assert (goods["fired"], goods["overlaps"], goods["conflicts"]) == (1, 0, 1)
    assert (off["fired"], off["overlaps"], off["conflicts"]) == (3, 1, 3)
    assert (asked["fired"], asked["unknown"], asked["precision"], asked["recall"]) == (0, 4, None, 0.0)


def test_a_rule_of_negative_weight_is_right_where_the_label_is_another() -> None:
    rules = (
        replace(RULES[0], weight=-1.0),  # not 退款: fires on the first three, of which 退款 is the first
        RULES[1],
        RULES[2],
        replace(RULES[2], id="not-goods", weight=-0.5),
    )
    dialogues = [Facts(text, (TurnFact(0, "customer", text),)) for text in TEXTS]
    table = coverage(rules, firing_matrix(rules, dialogues), LABELS)
    against, money, goods, not_goods = table.iter_rows(named=True)
    assert (against["against"], against["labelled"], against["correct"], against["recall"]) == (
        True,
        2,
        1,
        None,
    )
    # "退钱": 钱 says 退款, and 退 says not so. "退货": not 退款, and 退货, can both be right.
    assert (against["overlaps"], against["conflicts"], money["conflicts"]) == (0, 1, 1)
    assert (goods["correct"], goods["conflicts"]) == (1, 1)
    assert (not_goods["correct"], not_goods["conflicts"]) == (0, 1)


def test_a_matrix_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the matrix is \(4, 2\), but there are 4 labels and 5 rules"):
        coverage(RULES, np.zeros((4, 2), dtype=np.int8), LABELS)
