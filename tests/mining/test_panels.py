"""Panels: wordings of one question find each other by their answers, and outvote each other's errors."""

from __future__ import annotations

import random

import pytest

from kdsl_cli.logic.conditions import AtLeast, leaves
from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.firing import condition_matrix
from kdsl_cli.logic.indexing import index
from kdsl_cli.logic.predicates import AnswerPredicate
from kdsl_cli.mining.candidates import Candidate
from kdsl_cli.mining.proposers.panels import Pair, Questions, panelled
from kdsl_cli.mining.sample import Mask, mask_of

N = 200
EVERYONE = (1 << N) - 1
GREY = [place % 14 == 0 for place in range(N)]
DAY = [place % 2 == 0 for place in range(N)]


def asked(words: str, truth: list[bool], wrong: float = 0.1, unknown: Mask = 0) -> dict[str, Pair]:
    """Return a question with its candidates, each answer wrong by a chance of its own."""
    rng = random.Random(words)
    yes = mask_of(is_ ^ (rng.random() < wrong) for is_ in truth) & ~unknown
    no = EVERYONE & ~yes & ~unknown
    pair = (
        Candidate(AnswerPredicate(words, True), yes, no),
        Candidate(AnswerPredicate(words, False), no, yes),
    )
    return {words: pair}


def wordings(name: str, number: int, truth: list[bool], wrong: float = 0.1) -> dict[str, Pair]:
    return {words: pair for n in range(number) for words, pair in asked(f"{name} {n}", truth, wrong).items()}


def questions_of(pair: Pair) -> set[str]:
    return {leaf.question for leaf in leaves(pair[0].predicate) if isinstance(leaf, AnswerPredicate)}


def test_wordings_of_a_question_are_a_panel_and_others_stand_alone() -> None:
    pairs = wordings("grey", 5, GREY) | wordings("day", 3, DAY) | wordings("idle", 4, DAY, wrong=0.5)
    names = sorted(pairs, key=lambda words: words[-1])
    offered = panelled({words: pairs[words] for words in names}, EVERYONE)
    assert list(offered) == names
    for words, pair in offered.items():
        kind = words.split()[0]
        assert questions_of(pair) == ({words} if kind == "idle" else {n for n in names if kind in n})


def test_most_of_a_panel_are_right_where_each_of_it_errs() -> None:
    pairs = wordings("grey", 5, GREY)
    truth = mask_of(GREY)
    yes, no = panelled(pairs, EVERYONE)["grey 0"]
    alone = min((truth ^ own.true).bit_count() for own, _ in pairs.values())
    assert (truth ^ yes.true).bit_count() < alone / 2
    assert (no.true, no.false) == (yes.false, yes.true)


@pytest.mark.parametrize("number", [3, 4, 5])
def test_a_panel_holds_where_its_condition_does(number: int) -> None:
    pairs: dict[str, Pair] = {}
    for n in range(number):
        pairs |= asked(f"day {n}", DAY, unknown=0b111 << 3 * n)
    facts = [
        Facts(
            str(place),
            answers={
                words: bool(yes.true >> place & 1)
                for words, (yes, no) in pairs.items()
                if (yes.true | no.true) >> place & 1
            },
        )
        for place in range(N)
    ]
    for panel in panelled(pairs, EVERYONE)["day 0"]:
        assert isinstance(panel.predicate, AtLeast)
        assert panel.predicate.n == number // 2 + 1
        column = condition_matrix([panel.predicate], [index(fact) for fact in facts])[:, 0]
        assert (mask_of(column == 1), mask_of(column == 0)) == (panel.true, panel.false)


def test_what_is_alike_is_seen_in_the_dialogues_that_count_alone() -> None:
    half = (1 << N // 2) - 1
    pairs: dict[str, Pair] = {}
    for n in range(3):
        ((yes, _),) = asked(f"grey {n}", GREY).values()
        ((chance, _),) = asked(f"chance {n}", DAY, wrong=0.5).values()
        parted = yes.true & half | chance.true & ~half
        pairs |= asked(f"grey {n}", [bool(parted >> place & 1) for place in range(N)], wrong=0)
    assert len(questions_of(panelled(pairs, half)["grey 0"])) == 3
    assert panelled(pairs, EVERYONE & ~half) == pairs


@pytest.mark.parametrize("pairs", [{}, wordings("grey", 2, GREY), wordings("never", 3, [False] * N, wrong=0)])
def test_two_wordings_and_constant_answers_are_no_panel(pairs: dict[str, Pair]) -> None:
    assert panelled(pairs, EVERYONE) == pairs


def test_a_run_offers_each_panel_once_under_its_first_wording_and_lets_it_grow() -> None:
    questions = Questions(EVERYONE)
    questions.add(asked("idle", DAY, wrong=0.5))
    questions.add(wordings("grey", 3, GREY))
    assert list(questions.offered()) == ["idle", "grey 0"]
    assert questions.pair("grey 2") == questions.offered()["grey 0"]
    questions.add(wordings("grey", 5, GREY))
    assert (len(questions), "grey 4" in questions, "grey 5" in questions) == (6, True, False)
    assert list(questions.offered()) == ["idle", "grey 0"]
    assert len(questions_of(questions.pair("grey 2"))) == 5
