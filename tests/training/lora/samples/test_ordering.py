"""The order of an epoch."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl_cli.training.lora.samples.ordering import order

sample = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["t", "u"])), min_size=1, max_size=24)
few = settings(max_examples=50)
epochs, seeds = st.integers(0, 5), st.integers(0, 3)


@few
@given(sample, epochs, seeds)
def test_unbalanced_every_sample_stands_in_every_epoch_once(
    drawn: list[tuple[str, str]], epoch: int, seed: int
) -> None:
    labels, tasks = zip(*drawn, strict=True)
    assert sorted(order(labels, tasks, epoch, seed, balanced=False)) == list(range(len(drawn)))


@few
@given(sample, epochs, seeds)
def test_balanced_intents_of_all_tasks_have_the_same_share_of_an_epoch(
    drawn: list[tuple[str, str]], epoch: int, seed: int
) -> None:
    labels, tasks = zip(*drawn, strict=True)
    places = order(labels, tasks, epoch, seed, balanced=True)
    counts = Counter(drawn[place] for place in places)
    assert len(places) == len(drawn)
    assert counts.keys() == set(drawn)
    assert max(counts.values()) - min(counts.values()) <= 1


@few
@given(sample, st.integers(1, 6), seeds)
def test_balanced_no_sample_of_an_intent_is_forgotten_for_another(
    drawn: list[tuple[str, str]], epochs: int, seed: int
) -> None:
    labels, tasks = zip(*drawn, strict=True)
    seen: Counter[int] = Counter()
    for epoch in range(epochs):
        seen.update(order(labels, tasks, epoch, seed, balanced=True))
    for intent in set(drawn):
        counts = [seen[place] for place, own in enumerate(drawn) if own == intent]
        assert max(counts) - min(counts) <= 1


@few
@given(sample, epochs, seeds, st.booleans())
def test_the_same_seed_gives_the_same_order(
    drawn: list[tuple[str, str]], epoch: int, seed: int, balanced: bool
) -> None:
    labels, tasks = zip(*drawn, strict=True)
    told = order(labels, tasks, epoch, seed, balanced=balanced)
    assert told == order(labels, tasks, epoch, seed, balanced=balanced)


def test_an_epoch_is_not_like_the_last_and_a_seed_not_like_another() -> None:
    labels, tasks = ["a", "b"] * 20, ["t"] * 40
    told = [order(labels, tasks, epoch, seed, balanced=True) for epoch, seed in ((0, 0), (1, 0), (0, 1))]
    assert told[0] != told[1] and told[0] != told[2]


def test_tasks_are_learnt_side_by_side() -> None:
    """No half of an epoch is of one task alone."""
    labels, tasks = ["a"] * 40, ["t"] * 20 + ["u"] * 20
    first = order(labels, tasks, 0, 0, balanced=True)[:20]
    assert 4 < sum(place < 20 for place in first) < 16
