"""From dialogues and facts to rows: what either side says is kept, what cannot be decided is named."""

from __future__ import annotations

import numpy as np
import pytest

from kdsl_cli.dialogues.schema import Dialogue, Turn
from kdsl_cli.errors import DatasetError, StageError
from kdsl_cli.logic.facts import Facts, ImageFact, TurnFact
from kdsl_cli.logic.predicates import OcrPredicate, TextPredicate
from kdsl_cli.logic.rule import BaseRate, Evidence, Rule, RuleBase
from kdsl_cli.prediction.predict import LargeSide, in_chunks, predict_all, predict_task, sort_out
from kdsl_cli.prediction.settling import Settled
from kdsl_cli.prediction.strategies import Weights
from kdsl_cli.prediction.table import prediction_table

INTENTS = ("refund", "parcel")
CATALOGUE = {"scene": INTENTS}


def says(word):
    return TextPredicate("any", "contains", (word,))


RULES = (
    Rule("r-money", "refund", says("money"), "mined", 2.0, evidence=Evidence(9, 9, precision_low=0.95)),
    Rule("r-box", "parcel", says("box"), "mined", 1.0),
    Rule("r-not-box", "refund", says("box"), "mined", -0.5),
    Rule("r-off", "parcel", says("money"), "disabled", 9.0),
)


def base(rules=RULES, rates=()):
    return RuleBase("scene", rules, base_rates=rates)


def dialogue(id, text="", task="scene", label=None):
    return Dialogue(id, task, (Turn("customer", text),), None, label)


def facts(id, text=""):
    return Facts(id, (TurnFact(0, "customer", text),))


def even(given):
    return np.tile([0.4, 0.6], (len(given), 1))


def predict(texts, settled, large=even, rules=RULES, rates=()):
    dialogues = [dialogue(f"d{place}", text) for place, text in enumerate(texts)]
    known = [facts(each.id, text) for each, text in zip(dialogues, texts, strict=True)]
    return predict_task(
        dialogues, known, INTENTS, split="test", rules=base(rules, rates), large=large, settled=settled
    )


def test_every_row_says_what_each_side_said_which_rules_fired_and_who_decided():
    rows = predict(["my money", "the box", "hello"], Settled("log-odds", Weights(1.0, 1.0)))
    assert [row.prediction for row in rows] == ["refund", "parcel", "parcel"]
    assert [row.decided_by for row in rows] == ["rules", "both", "large"]
    assert [row.fired for row in rows] == [("r-money",), ("r-box", "r-not-box"), ()]
    assert [row.rules_prediction for row in rows] == ["refund", "parcel", None]
    assert [row.rules_scores is None for row in rows] == [False, False, True]
    assert {row.large_prediction for row in rows} == {"parcel"}
    assert {row.large_scores for row in rows} == {(0.4, 0.6)}
    assert rows[2].scores == pytest.approx((0.4, 0.6))
    prediction_table(rows, CATALOGUE)


def test_the_rules_alone_abstain_where_nothing_speaks_for_an_intent():
    rows = predict(["my money", "hello"], Settled("rules"), large=None)
    assert [(row.prediction, row.decided_by) for row in rows] == [("refund", "rules"), (None, "none")]
    assert rows[1].scores == (0.5, 0.5)
    assert rows[0].large_scores is None
    prediction_table(rows, CATALOGUE)


def test_base_rates_count_where_rules_speak_fire_nowhere_and_break_no_silence():
    rows = predict(["the box", "hello"], Settled("rules"), rates=(BaseRate("parcel", -2.0),))
    assert [(row.prediction, row.rules_prediction) for row in rows] == [("refund", "refund"), (None, None)]
    assert [row.fired for row in rows] == [("r-box", "r-not-box"), ()]
    parcel, refund = rows[0].rules_scores[::-1]
    assert parcel / refund == pytest.approx(np.exp(1.0 - 2.0 + 0.5))


def test_both_sides_are_asked_whatever_the_strategy():
    for strategy in ("rules", "large", "rules-first"):
        (row,) = predict(["my money"], Settled(strategy))
        assert (row.rules_prediction, row.large_prediction, row.strategy) == ("refund", "parcel", strategy)


def test_without_rules_or_dialogues_there_is_still_an_answer():
    (row,) = predict(["my money"], Settled("large"), rules=())
    assert (row.prediction, row.rules_prediction, row.fired) == ("parcel", None, ())
    assert predict([], Settled("large"), large=None) == []


def test_a_dialogue_with_an_unread_picture_is_decided_by_what_is_known():
    rules = (Rule("r-ocr", "refund", OcrPredicate("contains", ("refund",))), RULES[1])
    known = Facts("d", (TurnFact(0, "customer", "box"),), images=(ImageFact(0, error="truncated"),))
    (row,) = predict_task(
        [dialogue("d")],
        [known],
        INTENTS,
        split="test",
        rules=base(rules),
        large=None,
        settled=Settled("rules"),
    )
    assert (row.prediction, row.fired, row.error) == ("parcel", ("r-box",), None)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([[0.4, 0.6, 0.0]], r"gave \(1, 3\) scores for 1 dialogues and 2 intents of scene"),
        ([[0.4, 0.7]], "are no probabilities"),
        ([[-0.5, 1.5]], "are no probabilities"),
        ([[float("nan"), 1.0]], "are no probabilities"),
    ],
)
def test_what_is_no_answer_of_a_large_model_is_refused(scores, message):
    with pytest.raises(StageError, match=message):
        predict(["my money"], Settled("large"), large=lambda given: np.array(scores))


def test_what_cannot_be_decided_is_named_and_gets_no_label():
    given = [dialogue("a"), dialogue("b", task="scnee", label="?"), dialogue("c", label="parcel")]
    by_task, failed = sort_out(given, {"a": facts("a"), "b": facts("b")}, CATALOGUE, without_evidence="none")
    assert {task: [one.id for one in rows] for task, rows in by_task.items()} == {"scene": ["a"]}
    assert failed == {"b": "unknown task 'scnee'. Did you mean 'scene'?", "c": "none"}


def test_every_dialogue_gets_one_row_and_what_cannot_be_decided_gets_no_label():
    given = [dialogue("a", "my money"), dialogue("b", task="scnee", label="?"), dialogue("c", label="parcel")]
    rows = predict_all(
        given,
        {"a": facts("a", "my money")},
        {**CATALOGUE, "unused": ("x",)},
        split="val",
        rules={"scene": base()},
        large=LargeSide(),
        settled={"scene": Settled("rules")},
        without_evidence="no evidence",
    )
    table = prediction_table(rows, CATALOGUE)
    assert table.frame.select("id", "label", "prediction", "error").rows() == [
        ("a", None, "refund", None),
        ("b", "?", None, "unknown task 'scnee'. Did you mean 'scene'?"),
        ("c", "parcel", None, "no evidence"),
    ]


def test_what_the_large_model_has_no_answer_to_fails_by_name_and_is_not_asked():
    asked = []

    def even_of(given):
        asked.extend(one.id for one in given)
        return even(given)

    given = [dialogue("a", "my money"), dialogue("b", "the box", label="parcel")]
    rows = predict_all(
        given,
        {one.id: facts(one.id, "my money") for one in given},
        CATALOGUE,
        split="val",
        rules={"scene": base()},
        large=LargeSide({"scene": even_of}, {"b": "no such picture"}, {"a": "likelihood"}),
        settled={"scene": Settled("log-odds", Weights(1.0, 1.0))},
        without_evidence="no evidence",
    )
    assert asked == ["a"]
    assert [(row.id, row.error, row.prediction, row.large_method) for row in rows] == [
        ("a", None, "refund", "likelihood"),
        ("b", "no such picture", None, None),
    ]


def test_asking_in_chunks_asks_for_everything_once_and_in_order():
    done = []
    ask = in_chunks(lambda given: np.array([[float(one.id)] for one in given]), done.append, size=2)
    assert ask([facts(str(n)) for n in range(5)]).tolist() == [[0], [1], [2], [3], [4]]
    assert done == [2, 2, 1]


def test_a_label_outside_of_the_catalogue_is_an_error_with_all_of_them_named():
    given = [dialogue("a", label="refnd"), dialogue("b", label="x")]
    with pytest.raises(DatasetError) as error:
        sort_out(given, {}, CATALOGUE, without_evidence="none")
    assert [problem.where for problem in error.value.problems] == ["a", "b"]
    assert "Did you mean 'refund'?" in str(error.value)
