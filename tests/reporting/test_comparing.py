"""Two runs compared: on the same rows, with what their differences leave room for."""

from __future__ import annotations

import numpy as np
import pytest

from kdsl_cli.errors import CheckFailed, StageError
from kdsl_cli.reporting.comparing import compare
from kdsl_cli.reporting.comparison_text import warning


def run(row, table_of, said, labels=None, groups=None, **more):
    """A run on the task scene: what it said of each row."""
    labels = labels or ["refund", "parcel", "coupon"] * (len(said) // 3)
    rows = [
        row(
            f"d{n:03}",
            labels[n],
            (one, one, one),
            group=groups[n] if groups else None,
            decided_by="both" if one else "none",
            **more,
        )
        for n, one in enumerate(said)
    ]
    return table_of(rows)


NAMES = ["refund", "parcel", "coupon"]


def test_what_is_gained_and_lost_is_counted_by_intent_and_named_by_dialogue(row, table_of):
    first = run(row, table_of, ["refund", "coupon", "coupon"] * 4)
    second = run(row, table_of, ["refund", "parcel", None] * 4)
    (found,) = compare(first, second, seed=0, resamples=50)
    assert (found.n, found.groups, found.mcnemar.first_only, found.mcnemar.second_only) == (12, 12, 4, 4)
    assert found.mcnemar.p == 1.0
    assert {one.intent: (one.gained, one.lost) for one in found.intents} == {
        "refund": (0, 0),
        "parcel": (4, 0),
        "coupon": (0, 4),
    }
    assert [(flip.id, flip.first, flip.second, flip.right) for flip in found.flips[:2]] == [
        ("d001", "coupon", "parcel", (False, True)),
        ("d002", "coupon", None, (True, False)),
    ]


def test_a_run_against_itself_differs_nowhere_and_nothing_is_too_small(row, table_of):
    same = run(row, table_of, ["refund", "coupon", "coupon"] * 4)
    (found,) = compare(same, same, seed=0, resamples=50)
    assert found.flips == () and found.mcnemar.p == 1.0
    assert {one.value for one in found.differences} == {0.0}
    assert {one.detectable for one in found.differences} == {None}
    assert warning(found) is None


def test_the_least_difference_that_shows_is_that_of_the_formula(row, table_of):
    rng = np.random.default_rng(3)
    labels = [NAMES[i] for i in rng.integers(3, size=300)]
    wrong = {name: NAMES[(i + 1) % 3] for i, name in enumerate(NAMES)}
    sides = [[label if rng.random() < share else wrong[label] for label in labels] for share in (0.8, 0.82)]
    (found,) = compare(
        run(row, table_of, sides[0], labels), run(row, table_of, sides[1], labels), seed=1, resamples=2000
    )
    accuracy = found.differences[0]
    b, c, n = found.mcnemar.first_only, found.mcnemar.second_only, found.n
    error = np.sqrt(((b + c) / n - ((c - b) / n) ** 2) / n)
    assert accuracy.value == pytest.approx((c - b) / n)
    assert accuracy.detectable == pytest.approx((1.959964 + 0.841621) * error, rel=0.05)
    assert accuracy.low < accuracy.value < accuracy.high
    told = warning(found)
    assert "300 rows are too few to tell these differences from chance: Accuracy +" in told
    assert f"(MDE {accuracy.detectable:.3f})" in told


def test_a_difference_as_large_as_the_rows_can_show_is_told_without_a_warning(row, table_of):
    good = ["refund", "parcel", "coupon"] * 30
    bad = ["parcel", "parcel", "coupon"] * 30
    (found,) = compare(run(row, table_of, bad), run(row, table_of, good), seed=0, resamples=200)
    assert all(one.told and one.value > one.detectable for one in found.differences)
    assert found.mcnemar.p < 0.001 and warning(found) is None


def test_rows_of_one_group_are_drawn_together_so_few_groups_show_less(row, table_of):
    one, other = ["refund", "parcel", "refund"] * 20, ["refund", "refund", "coupon"] * 20
    groups = [f"g{n // 6}" for n in range(60)]
    alone, grouped = (
        compare(
            run(row, table_of, one, groups=each),
            run(row, table_of, other, groups=each),
            seed=0,
            resamples=400,
        )[0]
        for each in (None, groups)
    )
    assert (alone.groups, grouped.groups) == (60, 10)
    assert alone.differences[0].value == grouped.differences[0].value
    by_block = run(row, table_of, ["refund"] * 30 + ["parcel"] * 30, ["refund"] * 60, groups)
    other_block = run(row, table_of, ["parcel"] * 30 + ["refund"] * 30, ["refund"] * 60, groups)
    (clustered,) = compare(by_block, other_block, seed=0, resamples=400)
    (loose,) = compare(
        run(row, table_of, ["refund"] * 30 + ["parcel"] * 30, ["refund"] * 60),
        run(row, table_of, ["parcel"] * 30 + ["refund"] * 30, ["refund"] * 60),
        seed=0,
        resamples=400,
    )
    assert clustered.differences[0].detectable > 2 * loose.differences[0].detectable
    told = warning(
        compare(
            by_block,
            run(row, table_of, ["refund"] * 28 + ["parcel"] * 32, ["refund"] * 60, groups),
            seed=0,
            resamples=400,
        )[0]
    )
    assert "60 rows of 10 groups" in told


def test_one_group_alone_tells_nothing_and_says_so(row, table_of):
    first = run(row, table_of, ["refund", "coupon", "coupon"], groups=["anna"] * 3)
    second = run(row, table_of, ["refund", "parcel", "coupon"], groups=["anna"] * 3)
    (found,) = compare(first, second, seed=0, resamples=50)
    assert [one.low for one in found.differences] == [None] * 3
    assert "all rows are of one group" in warning(found)


def test_rows_that_cannot_be_compared_are_named_with_the_reason(row, table_of):
    first = table_of(
        [
            row("a", "refund", ("refund",) * 3),
            row("b", "refund", ("refund",) * 3),
            row("c", None, ("refund",) * 3),
            row("d", "refund", error="no facts"),
            row("e", "refund", ("refund",) * 3),
        ]
    )
    second = table_of(
        [
            row("a", "refund", ("parcel",) * 3),
            row("b", "parcel", ("parcel",) * 3),
            row("c", None, ("refund",) * 3),
            row("d", "refund", ("refund",) * 3),
            row("f", "refund", ("refund",) * 3),
        ]
    )
    (found,) = compare(first, second, seed=0, resamples=10)
    assert found.n == 1
    assert found.left_out == {
        "in one run alone": ("e", "f"),
        "failed in a run": ("d",),
        "without a label": ("c",),
        "labelled differently": ("b",),
    }


def test_runs_without_a_dialogue_in_common_or_a_system_that_was_not_asked_are_refused(row, table_of):
    one, other = (
        table_of([row("a", "refund", ("refund",) * 3)]),
        table_of([row("b", "refund", ("refund",) * 3)]),
    )
    with pytest.raises(CheckFailed, match="no labelled dialogue in common"):
        compare(one, other, seed=0, resamples=10)
    alone = table_of([row("a", "refund", ("refund", None, "refund"))])
    with pytest.raises(StageError, match="'large' took no part in the task 'scene' of the second run"):
        compare(one, alone, system="large", seed=0, resamples=10)
