import math

import pytest

from kdsl_cli.search.selection import Puct, Uct, Widening, score


@pytest.mark.parametrize(
    ("c", "q", "parent_visits", "visits", "expected"),
    [
        (1.0, 0.5, 10, 4, 1.258714),  # ln 10 = 2.302585, / 4 = 0.575646, root 0.758714
        (2.0, 0.0, 8, 2, 2.039334),  # ln 8 = 2.079442, / 2 = 1.039721, root 1.019667
        (math.sqrt(2), 0.25, 1, 1, 0.25),  # ln 1 = 0
    ],
)
def test_uct_matches_numbers_worked_out_by_hand(c, q, parent_visits, visits, expected):
    found = score(Uct(c), q=q, parent_visits=parent_visits, visits=visits, prior=0.9)
    assert found == pytest.approx(expected, abs=1e-6)


def test_uct_prefers_an_untried_edge_to_any_tried_one():
    untried = score(Uct(0.01), q=0.0, parent_visits=2, visits=0, prior=0.0)
    tried = score(Uct(0.01), q=1.0, parent_visits=2, visits=1, prior=1.0)
    assert untried > tried


@pytest.mark.parametrize(
    ("c", "q", "parent_visits", "visits", "prior", "expected"),
    [
        (2.0, 0.5, 16, 3, 0.25, 1.0),  # 2 * 0.25 * 4 / 4 = 0.5
        (2.0, 0.5, 16, 0, 0.25, 2.5),  # 2 * 0.25 * 4 / 1 = 2
        (1.25, 0.5, 4, 1, 0.0, 0.5),  # no prior, no exploration
    ],
)
def test_puct_matches_numbers_worked_out_by_hand(c, q, parent_visits, visits, prior, expected):
    assert score(Puct(c), q=q, parent_visits=parent_visits, visits=visits, prior=prior) == expected


def test_widening_grows_with_visits():
    assert [Widening(k0=2, k=0.5, alpha=0.5).admitted(n) for n in (1, 4, 16, 100)] == [2, 3, 4, 7]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Uct(0.0),
        lambda: Uct(math.nan),
        lambda: Puct(-1.0),
        lambda: Widening(k0=-1),
        lambda: Widening(alpha=1.5),
        lambda: Widening(k0=0.5, k=0.2),
    ],
)
def test_parameters_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="allowed"):
        make()
