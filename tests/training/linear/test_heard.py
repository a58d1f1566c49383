"""What the small model saw and nobody wrote: answers as evidence of the linear model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.indexing import index
from kdsl_cli.logic.predicates import AnswerPredicate
from kdsl_cli.logic.rule import Rule
from kdsl_cli.training.linear.features import Features, observed
from kdsl_cli.training.linear.trainer import train
from tests.training.linear.conftest import facts, sample_of

TORN, RED = "Is the box torn?", "Is the box red?"


def seen(text: str, **answers: bool) -> Facts:
    names = {"torn": TORN, "red": RED}
    return replace(
        facts("x", text, seen="订单"), answers={names[name]: value for name, value in answers.items()}
    )


@pytest.fixture(scope="module")
def twins():
    """Two intents whose dialogues are written alike; whether the box is torn tells them apart."""
    sample = sample_of([("看图", "refund"), ("看图", "parcel")] * 6)
    told = zip(sample.dialogues, sample.labels, strict=True)
    answered = (replace(each.facts, answers={TORN: label == "refund", RED: True}) for each, label in told)
    return replace(sample, dialogues=tuple(index(each) for each in answered))


def test_answers_tell_apart_what_is_written_alike(twins):
    trained = train(twins, questions=(TORN,), seed=0)
    assert trained.quality.accuracy == 1.0
    scores = trained.model.scores([seen("看图", torn=True), seen("看图", torn=False)])
    assert scores[0, 0] > 0.8 and scores[1, 1] > 0.8


def test_an_answer_that_is_missing_is_neither_yes_nor_no(twins):
    model = train(twins, questions=(TORN,), seed=0).model
    yes, unknown, no = model.scores([seen("看图", torn=True), seen("看图"), seen("看图", torn=False)])[:, 0]
    assert yes > unknown > no and unknown == pytest.approx(0.5, abs=0.1)


def test_answers_to_other_questions_are_not_heard_in_training_or_after(twins):
    unheard = replace(twins, dialogues=tuple(index(replace(d.facts, answers={})) for d in twins.dialogues))
    deaf, never = train(twins, seed=0), train(unheard, seed=0)
    assert (deaf.scores == never.scores).all() and deaf.model.features.questions == ()
    model = train(twins, questions=(TORN,), seed=0).model
    said = model.scores([seen("看图", torn=True), seen("看图", torn=True, red=False)])
    assert (said[0] == said[1]).all()


def test_rules_of_an_expert_hear_no_more_than_the_model_does(twins):
    rule = Rule("r", "refund", AnswerPredicate(RED, True))
    model = train(twins, [rule], questions=(TORN,), seed=0).model
    said = model.scores([seen("看图", torn=True), seen("看图", torn=True, red=True)])
    assert (said[0] == said[1]).all()


def test_a_dialogue_of_which_only_an_answer_is_known_is_known():
    assert observed([index(Facts("a", answers={TORN: False})), index(Facts("b"))]).tolist() == [True, False]


def test_columns_come_with_questions_alone():
    dialogues = [index(seen("退款", torn=True)), index(seen("快递", torn=False)), index(seen("快递"))]
    plain, hearing = Features.fit(dialogues), Features.fit(dialogues, (TORN, RED))
    assert hearing.size == plain.size + 2
    found = hearing.matrix(dialogues).toarray()
    assert np.array_equal(found[:, :-2], plain.matrix(dialogues).toarray())
    assert np.sign(found[:, -2:]).tolist() == [[1, 0], [-1, 0], [0, 0]]
