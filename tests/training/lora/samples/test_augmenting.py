"""Samples shown a little differently, and never wrongly."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl_cli.dialogues.schema import Turn
from kdsl_cli.training.lora.samples.augmenting import CROPPED, Augmentation, augment
from kdsl_cli.training.lora.samples.retouching import Retouch
from kdsl_cli.training.lora.samples.samples import Sample, sample_of
from tests.training.lora.dialogues import TASK, said, samples

ALL = Augmentation(choices=True, turns=True, crop=True, colour=True, jpeg=True)
SWITCHES = ["choices", "turns", "crop", "colour", "jpeg"]
few = settings(max_examples=40)
switches = st.builds(Augmentation, *[st.booleans()] * 5)
numbers = st.integers(0, 50)


@few
@given(samples(), switches, numbers)
def test_the_same_intent_stays_right(sample: Sample, shown_as: Augmentation, epoch: int) -> None:
    shown = augment(sample, shown_as, epoch, seed=0)
    assert sorted(map(str, shown.choices)) == sorted(map(str, sample.choices))
    if sample.label is None:
        assert shown.label is None
    else:
        assert shown.right == sample.right and shown.completion == sample.completion


@few
@given(samples(), numbers, numbers)
def test_pictures_and_the_customers_last_words_are_always_shown(
    sample: Sample, epoch: int, seed: int
) -> None:
    shown = augment(sample, ALL, epoch, seed).dialogue
    assert shown.images == sample.dialogue.images
    told = iter(sample.dialogue.turns)
    assert all(turn in told for turn in shown.turns)  # in their order
    customers = [turn for turn in sample.dialogue.turns if turn.role == "customer"]
    assert (customers or sample.dialogue.turns)[-1] in shown.turns
    assert replace(shown, turns=sample.dialogue.turns) == sample.dialogue


@few
@given(samples(), switches, numbers, numbers, numbers)
def test_the_same_place_shows_the_same(
    sample: Sample, shown_as: Augmentation, epoch: int, seed: int, place: int
) -> None:
    assert augment(sample, shown_as, epoch, seed, place) == augment(sample, shown_as, epoch, seed, place)


@few
@given(samples(), numbers)
def test_with_all_switches_off_a_sample_is_as_it_was(sample: Sample, epoch: int) -> None:
    assert augment(sample, Augmentation(), epoch, seed=0) is sample


LONG = sample_of(
    said("a", "parcel", *[Turn("service", f"{number}") for number in range(12)], Turn("customer", "?")), TASK
)


@pytest.mark.parametrize("switch", SWITCHES)
def test_each_switch_changes_its_own_and_nothing_of_the_others(switch: str) -> None:
    def parts(shown_as: Augmentation) -> dict[str, object]:
        shown = augment(LONG, shown_as, epoch=1, seed=0)
        look = shown.retouch or Retouch()
        colours = (look.brightness, look.contrast, look.saturation)
        return {
            "choices": (shown.choices, shown.label),
            "turns": shown.dialogue,
            "crop": look.crop,
            "colour": colours,
            "jpeg": look.quality,
        }

    plain, whole = parts(Augmentation()), parts(ALL)
    alone = parts(Augmentation(**{switch: True}))
    assert {name for name in SWITCHES if alone[name] != plain[name]} == {switch}
    assert alone[switch] == whole[switch]


def test_epochs_seeds_places_and_samples_differ() -> None:
    other = replace(LONG, dialogue=replace(LONG.dialogue, id="b"))
    shown = [
        augment(LONG, ALL, 0, 0),
        augment(LONG, ALL, 1, 0),
        augment(LONG, ALL, 0, 1),
        augment(LONG, ALL, 0, 0, place=1),
        augment(other, ALL, 0, 0),
    ]
    assert len({one.retouch for one in shown}) == 5


@given(numbers)
def test_changes_are_small(epoch: int) -> None:
    look = augment(LONG, ALL, epoch, seed=0).retouch
    assert look is not None
    assert all(0 <= side <= CROPPED for side in look.crop)
    assert all(0.8 <= factor <= 1.2 for factor in (look.brightness, look.contrast, look.saturation))
