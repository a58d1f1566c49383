from __future__ import annotations

import random

from kdsl_cli.mining.miner import workbench_for
from kdsl_cli.mining.proposers.showing import chosen, groups, most_alike

from .planted import bits, has, planted

SAMPLE, POOL = planted().sample, planted().pool


def test_intents_that_say_the_same_words_are_the_most_alike() -> None:
    assert set(most_alike(SAMPLE, "both", POOL)[:2]) == {"refund", "return"}
    assert most_alike(SAMPLE, "refund", POOL)[0] == "both"
    assert set(most_alike(SAMPLE, "other", POOL)) == {"both", "refund", "return", "invoice"}


def test_likeness_does_not_hang_on_what_does_not_count() -> None:
    rest, fold = SAMPLE.without(0), SAMPLE.folds[0]
    labels = ["other" if fold >> place & 1 else own for place, own in enumerate(SAMPLE.labels)]
    assert most_alike(rest, "both", POOL) == most_alike(rest.relabelled(labels), "both", POOL)


def test_who_is_alone_is_like_nobody() -> None:
    alone = SAMPLE.relabelled(["both"] * 80)
    assert most_alike(alone, "both", POOL) == ()
    assert most_alike(alone, "other", POOL) == ()
    assert len(most_alike(SAMPLE, "both", [])) == 4


def test_the_empty_draft_is_wrong_about_its_rivals_alone() -> None:
    bench = workbench_for(SAMPLE, "refund")
    found = groups(bench.empty(), "refund", SAMPLE, ("both", "return", "other"), 2)
    assert found.right == SAMPLE.positives("refund")
    assert found.wrong == SAMPLE.positives("both") | SAMPLE.positives("return")
    assert (found.missed, found.rivals) == (0, ("both", "return"))


def test_rivals_of_a_draft_are_the_intents_it_catches_wrongly_most_first() -> None:
    bench = workbench_for(SAMPLE, "refund")
    (one,) = [candidate for candidate in POOL if candidate.predicate == has("退款")]
    draft = bench.move(bench.empty(), "require", one)
    found = groups(draft, "refund", SAMPLE, ("invoice",), 2)
    assert found.rivals == ("both",)
    assert found.wrong == SAMPLE.positives("both")


def test_the_preferred_are_drawn_first_and_only_who_fits() -> None:
    members, preferred = bits(*range(10)), bits(2, 4, 6)
    drawn = chosen(members, preferred, 4, random.Random(0), lambda place: place != 4)
    assert {2, 6} <= set(drawn)
    assert 4 not in drawn
    assert len(drawn) == 4
    assert drawn == chosen(members, preferred, 4, random.Random(0), lambda place: place != 4)
    assert chosen(bits(1, 3), 0, 9, random.Random(0), lambda _: True) == (1, 3)
