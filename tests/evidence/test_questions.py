"""What is asked of a model, what its scores amount to, and what is never asked twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from kdsl_cli.backends.backend import Failed, Scored
from kdsl_cli.dialogues.prompting import Picture, Prompt
from kdsl_cli.evidence.questions import UNDECIDED, Answer, Questioner, asked_by, calibrated, prompt
from kdsl_cli.logic.conditions import All, Not
from kdsl_cli.logic.predicates import AnswerPredicate, CountPredicate
from kdsl_cli.logic.rule import Rule

REFUND, PARCEL = "Is money asked back?", "Is a parcel on the way?"
NOTHING, MONEY, BOX = ("(nothing)",), ("customer:", "my money"), ("customer:", "the box")


class Scripted:
    """A model that says what it is told to by the words of the prompt, and remembers what it was asked."""

    spec = "scripted:test"
    identity: Mapping[str, str] = {"kind": "scripted"}

    def __init__(self, says: Mapping[tuple[str, str], float | Failed], leaning: float = 0.0) -> None:
        self.says, self.leaning = dict(says), leaning
        self.asked: list[list[Prompt]] = []

    def score(self, prompts: Sequence[Prompt], choices: Sequence[str]) -> list[Scored | Failed]:
        assert list(choices) == ["yes", "no"]
        self.asked.append(list(prompts))
        return [self._row("\n".join(prompt.content())) for prompt in prompts]

    def _row(self, text: str) -> Scored | Failed:
        for words, said in self.says.items():
            if all(word in text for word in words):
                return said if isinstance(said, Failed) else Scored((said, 0.0), "likelihood")
        return Scored((self.leaning, 0.0), "likelihood")

    def generate(self, prompts: object, sampling: object, seeds: object = None) -> list[object]:
        raise AssertionError("nobody generates here")

    def close(self) -> None:
        pass

    @property
    def calls(self) -> int:
        return sum(map(len, self.asked))


def test_the_leaning_of_the_question_itself_is_taken_out() -> None:
    model = Scripted({("my money",): 3.5, ("the box",): 1.0}, leaning=2.0)
    money, box = Questioner(model).ask(REFUND, [MONEY, BOX])
    assert (money.value, money.log_odds, money.method) == (True, 1.5, "likelihood")
    assert (box.value, box.log_odds) == (False, -1.0)  # likelier yes than no, yet less so than of nothing


@pytest.mark.parametrize(
    ("odds", "value"), [(UNDECIDED, None), (-UNDECIDED, None), (0.11, True), (-0.11, False)]
)
def test_close_to_even_is_neither_yes_nor_no(odds: float, value: bool | None) -> None:
    (answer,) = Questioner(Scripted({("my money",): odds})).ask(REFUND, [MONEY])
    assert answer == Answer(value, odds, "likelihood")


def test_failed_is_unknown_with_its_reason_and_is_asked_again() -> None:
    model = Scripted({("my money",): Failed("the picture is broken")})
    questioner = Questioner(model)
    failed, fine = questioner.ask(REFUND, [MONEY, BOX])
    assert (failed.value, failed.error) == (None, "the picture is broken")
    assert (fine.value, fine.error) == (None, None)
    model.says = {("my money",): 1.0}
    assert questioner.ask(REFUND, [MONEY])[0].value is True
    assert [len(batch) for batch in model.asked] == [3, 1]  # the content-free input is known by then


def test_a_dialogue_that_cannot_be_shown_is_not_asked_about() -> None:
    model = Scripted({})
    (answer,) = Questioner(model).ask(REFUND, [None])
    assert (answer.value, answer.error) == (None, "a picture cannot be opened")
    assert model.calls == 1


def test_without_its_leaning_no_answer_counts() -> None:
    model = Scripted({("(nothing)",): Failed("too long")}, leaning=3.0)
    (answer,) = Questioner(model).ask(REFUND, [MONEY])
    assert (answer.value, answer.error) == (None, "asked without a dialogue: too long")


def test_nothing_is_asked_twice_and_pictures_are_told_by_content() -> None:
    model = Scripted({})
    here, there = (("look:", Picture(Path(name), "ab")) for name in ("a.png", "b.png"))
    other = ("look:", Picture(Path("a.png"), "cd"))
    questioner = Questioner(model)
    questioner.ask(REFUND, [here, there, here])
    assert model.calls == 2
    questioner.ask(REFUND, [other])
    assert model.calls == 3
    questioner.ask(PARCEL, [here])
    assert model.calls == 5


def test_questions_about_one_dialogue_are_asked_one_after_the_other_in_batches() -> None:
    model, done = Scripted({}), list[int]()
    rows = Questioner(model, batch=4).ask_many([REFUND, PARCEL], [MONEY, BOX], done.append)
    assert [len(row) for row in rows] == [2, 2]
    asked = [prompt for batch in model.asked for prompt in batch]
    assert asked == [
        prompt(question, parts) for parts in (NOTHING, MONEY, BOX) for question in (REFUND, PARCEL)
    ]
    assert done == [4, 2]


def test_stopped_in_between_keeps_what_was_answered() -> None:
    def stop(done: int) -> None:
        raise KeyboardInterrupt

    questioner = Questioner(Scripted({("my money",): 1.0}), batch=2)
    with pytest.raises(KeyboardInterrupt):
        questioner.ask_many([REFUND], [MONEY, BOX], stop)
    ((money, box),) = questioner.told([REFUND], [MONEY, BOX])
    assert (money.value, box.value, box.error) == (True, None, "not asked")


@pytest.mark.parametrize(
    ("logprobs", "value"),
    [
        ((0.0, None), True),
        ((None, 0.0), False),
        ((-0.5, None), True),
        ((-0.8, None), None),
        ((None, None), None),
    ],
)
def test_one_side_alone_counts_if_more_than_half_is_on_it(
    logprobs: tuple[float | None, float | None], value: bool | None
) -> None:
    answer = calibrated(Scored(logprobs, "choice-logprobs"), Failed("not asked"))
    assert answer == Answer(value, None, "choice-logprobs")


def test_the_questions_of_rules_are_those_of_their_leaves_but_of_no_vetoed_rule() -> None:
    asks = Not(All((AnswerPredicate(REFUND, is_=True), AnswerPredicate(PARCEL, is_=False))))
    vetoed = Rule("c", "x", AnswerPredicate("Is it vetoed?", is_=True), status="disabled")
    again, mute = (
        Rule("b", "x", AnswerPredicate(PARCEL, is_=True)),
        Rule("d", "x", CountPredicate("turns", "gte", 1)),
    )
    assert asked_by([Rule("a", "x", asks), again, vetoed, mute]) == (PARCEL, REFUND)
