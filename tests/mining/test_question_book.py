from __future__ import annotations

from kdsl_cli.evidence.questions import Answer
from kdsl_cli.logic.predicates import AnswerPredicate
from kdsl_cli.mining.proposers.question_book import QuestionBook

from .talkers import Knower

SHOWN = (("red",), ("blue",), None, ("?",))


def knows(question: str, told: str) -> bool | None:
    return None if told == "?" else told == "red"


def test_only_what_was_not_asked_before_is_asked() -> None:
    knower = Knower(knows)
    book = QuestionBook(knower, SHOWN)
    assert book.ask("Is it red?", [1, 0]) == {0: Answer(True), 1: Answer(False)}
    book.ask("is it  RED", range(4))
    book.ask("Is it red?", range(4))
    assert knower.asked == [("Is it red?", 2), ("Is it red?", 2)]


def test_both_answers_of_a_question_are_candidates_and_what_is_unknown_is_neither() -> None:
    yes, no = QuestionBook(Knower(knows), SHOWN).candidates(["Is it red?"])["Is it red?"]
    assert (yes.predicate, yes.true, yes.false) == (AnswerPredicate("Is it red?", True), 0b1, 0b10)
    assert (no.predicate, no.true, no.false) == (AnswerPredicate("Is it red?", False), 0b10, 0b1)


def test_everything_answered_is_told_with_its_dialogue() -> None:
    book = QuestionBook(Knower(knows), SHOWN)
    book.ask("Is it red?", [0])
    book.ask("Is it big?", [2])
    assert list(book.rows("abcd")) == [
        ("a", "Is it red?", Answer(True)),
        ("c", "Is it big?", Answer(None, error="torn")),
    ]
