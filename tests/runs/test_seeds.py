"""Child seeds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kdsl_cli.runs.seeds import child_seed


@given(st.integers(0, 2**63), st.lists(st.text(), max_size=3))
def test_every_child_seed_is_one_that_numpy_takes(seed, names):
    np.random.RandomState(child_seed(seed, *names))


def test_places_and_seeds_do_not_meet():
    seeds = {child_seed(seed, "mine", str(fold)) for seed in range(30) for fold in range(30)}
    assert len(seeds) == 900
