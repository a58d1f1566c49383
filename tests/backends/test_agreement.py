from __future__ import annotations

import math

import pytest

from kdsl_cli.backends.agreement import pairs, worst_first
from kdsl_cli.backends.backend import Failed, Scored

NAMES = ("refund", "parcel", "hurry")


def likely(*logprobs: float | None) -> Scored:
    return Scored(logprobs, "likelihood")


def test_what_both_sides_hold_likeliest_is_compared_and_how_far_they_are_apart() -> None:
    same, other = pairs(
        ["a", "b"],
        NAMES,
        [likely(-1, -2, -3), likely(-1, -2, -3)],
        [likely(-1.5, -2.5, -3.5), likely(-2, -1, -3)],
    )
    assert same.agree and same.choices == ("refund", "refund")
    assert same.apart == pytest.approx(0.5)
    assert same.apart_within == pytest.approx(0)  # one side is surer of every answer alike
    share = 1 / (1 + math.exp(-1) + math.exp(-2))
    assert same.probabilities == pytest.approx((share, share))
    assert not other.agree and other.choices == ("refund", "parcel")
    assert other.apart == other.apart_within == pytest.approx(1)


def test_a_side_that_failed_agrees_with_nobody() -> None:
    [pair] = pairs(["a"], NAMES, [likely(-1, -2, -3)], [Failed("busy")])
    assert (pair.agree, pair.error, pair.choices, pair.apart) == (False, "busy", ("refund", None), None)
    [pair] = pairs(["a"], NAMES, [Failed("busy")], [Failed("too")])
    assert not pair.agree and pair.error == "busy"


def test_what_one_side_does_not_tell_is_not_compared() -> None:
    [pair] = pairs(["a"], NAMES, [likely(-1, -2, -3)], [likely(-1, None, None)])
    assert pair.agree and pair.apart == 0


def test_the_worst_come_first() -> None:
    found = pairs(
        ["near", "far", "other", "failed"],
        NAMES,
        [likely(-1, -2, -3)] * 4,
        [likely(-1, -2, -3.1), likely(-1, -2, -9), likely(-2, -1, -3), Failed("busy")],
    )
    assert [pair.id for pair in worst_first(found)] == ["failed", "other", "far", "near"]
