from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl_cli.mining.objective import Objective

TEN = (1 << 10) - 1
masks = st.integers(0, (1 << 16) - 1)

# Wilson's bound at 80 %, z = 0.8416: with all of n right it is 1 / (1 + z² / n).
ALL_OF_10 = 1 / (1 + 0.70833 / 10)
ALL_OF_4 = 1 / (1 + 0.70833 / 4)


@pytest.mark.parametrize(
    ("standing", "length", "worth"),
    [
        (TEN, 1, ALL_OF_10),
        (TEN, 3, ALL_OF_10 - 2 * 0.01),
        (0b1111, 1, ALL_OF_4 * 0.4**0.5),
        (0, 1, 0.0),
        (0b1111 << 10, 1, 0.0),  # none of them right
        (0b1, 100, 0.0),  # the charge never makes it negative
    ],
)
def test_worth_as_computed_by_hand(standing: int, length: int, worth: float) -> None:
    assert Objective(TEN).value(standing, length) == pytest.approx(worth, abs=1e-4)


def test_half_right_is_bounded_well_below_half() -> None:
    # p = 1/2, n = 20: centre 0.5 + z²/40 = 0.51771, spread z sqrt(1/80 + z²/1600) = 0.09574.
    worth = (0.51771 - 0.09574) / (1 + 0.70833 / 20)
    assert Objective(TEN).value((1 << 20) - 1, 1) == pytest.approx(worth, abs=1e-4)


def test_what_kept_rules_hold_is_worth_less_each_time() -> None:
    once = Objective(TEN).with_kept([0b11111])
    assert once.new_share(TEN) == pytest.approx((5 + 5 * 0.85) / 10)
    twice = Objective(TEN).with_kept([0b11111, 0b1])
    assert twice.new_share(TEN) == pytest.approx((5 + 4 * 0.85 + 0.85**2) / 10)
    assert twice.value(TEN, 1) == pytest.approx(ALL_OF_10 * twice.new_share(TEN) ** 0.5, abs=1e-4)


def test_the_order_in_which_rules_were_kept_does_not_matter() -> None:
    kept = [0b111, 0b110, 0b11100]
    shares = {round(Objective(TEN).with_kept(order).new_share(TEN), 12) for order in (kept, kept[::-1])}
    assert len(shares) == 1


def test_firings_elsewhere_take_nothing_from_the_positives() -> None:
    assert Objective(TEN).with_kept([0b1111 << 10]) == Objective(TEN)


@settings(max_examples=60, deadline=None)
@given(masks, masks, st.lists(masks, max_size=3))
def test_one_more_right_is_never_worse_and_one_more_wrong_never_better(
    positives: int, standing: int, kept: list[int]
) -> None:
    objective = Objective(positives).with_kept(kept)
    worth = objective.value(standing, 2)
    assert 0 <= worth <= 1
    for place in range(16):
        more = objective.value(standing | 1 << place, 2)
        assert more >= worth if positives >> place & 1 else more <= worth
