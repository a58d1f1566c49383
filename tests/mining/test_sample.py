from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl_cli.mining.sample import as_bools, make_sample, mask_of

members = st.lists(st.booleans(), max_size=40)


@settings(max_examples=50, deadline=None)
@given(members)
def test_a_mask_says_what_it_was_made_of(members: list[bool]) -> None:
    mask = mask_of(members)
    assert as_bools(mask, len(members)).tolist() == members
    assert mask.bit_count() == sum(members)


def test_folds_part_the_sample_and_spread_every_intent() -> None:
    labels = ["a"] * 9 + ["b"] * 4
    sample = make_sample(labels, [None] * 13, ["a", "b"], n_folds=4, seed=3)
    assert sum(sample.folds) == sample.seen == (1 << 13) - 1  # no bit twice, none missing
    for intent in "ab":
        counts = [(fold & sample.positives(intent)).bit_count() for fold in sample.folds]
        assert max(counts) - min(counts) <= 1


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), min_size=1, max_size=12))
def test_a_group_stays_in_one_fold(rows: list[tuple[str, str]]) -> None:
    labels, groups = zip(*rows, strict=True)
    sample = make_sample(labels, groups, ["a", "b"], n_folds=3, seed=0)
    for group in set(groups):
        held = mask_of(other == group for other in groups)
        assert sum(bool(fold & held) for fold in sample.folds) == 1


def test_another_seed_makes_other_folds_and_the_same_seed_the_same() -> None:
    made = [make_sample(["a"] * 20, [None] * 20, ["a"], n_folds=4, seed=seed).folds for seed in (0, 0, 1)]
    assert made[0] == made[1] != made[2]


def test_without_a_fold_its_dialogues_do_not_count() -> None:
    sample = make_sample(["a", "b"] * 6, [None] * 12, ["a", "b"], n_folds=3, seed=0)
    rest = sample.without(1)
    assert rest.seen == sample.seen & ~sample.folds[1]
    assert rest.folds == (sample.folds[0], sample.folds[2])
    assert rest.positives("a") == sample.positives("a") & rest.seen
