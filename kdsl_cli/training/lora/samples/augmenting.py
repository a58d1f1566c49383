"""Samples shown a little differently each time, so that what does not matter is not learnt.

What is drawn depends on the seed, the epoch, the place in it and the sample's id alone, and for each kind of
change apart: to switch one on changes nothing of the others. No change makes a prompt longer.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final

from kdsl_cli.dialogues.schema import Dialogue
from kdsl_cli.runs.seeds import child_seed
from kdsl_cli.training.lora.samples.retouching import Retouch
from kdsl_cli.training.lora.samples.samples import Sample

DROPPED: Final = 0.15
"""Chance that a turn is left out."""

CROPPED: Final = 0.04
"""Share of a side cut off at each end, at most: a phone's status line, and not the title below it."""

COLOURED: Final = 0.2
"""By how much brightness, contrast and saturation are changed, at most."""

QUALITIES: Final = (40, 95)
"""Of JPEG, from what chats make of a forwarded picture to what cameras write."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """What is changed from time to time.

    Attributes
    ----------
    choices
        The order in which the intents are listed.
    turns
        Which turns are shown: those without a picture may be left out, but not the customer's last.
    crop
        A strip at each edge of the pictures.
    colour
        Brightness, contrast and saturation of the pictures.
    jpeg
        The pictures are compressed once more.
    """

    choices: bool = False
    turns: bool = False
    crop: bool = False
    colour: bool = False
    jpeg: bool = False


def augment(sample: Sample, settings: Augmentation, epoch: int, seed: int, place: int = 0) -> Sample:
    """Return the sample as it is shown at one place of an epoch; pictures are changed where they are opened.

    Parameters
    ----------
    place
        In the epoch's order: a sample that is drawn twice looks different.
    """

    def chance(kind: str) -> random.Random:
        return random.Random(child_seed(seed, "augment", kind, sample.id, str(epoch), str(place)))

    if settings.choices:
        sample = reordered(sample, chance("choices"))
    if settings.turns:
        sample = replace(sample, dialogue=_shortened(sample.dialogue, chance("turns")))
    retouch = _drawn(settings, chance("crop"), chance("colour"), chance("jpeg"))
    return replace(sample, retouch=retouch) if retouch != Retouch() else sample


def reordered(sample: Sample, chance: random.Random) -> Sample:
    """Return the sample with its intents listed in another order, and the same one right."""
    order = list(range(len(sample.choices)))
    chance.shuffle(order)
    label = None if sample.label is None else order.index(sample.label)
    return replace(sample, choices=tuple(sample.choices[place] for place in order), label=label)


def _shortened(dialogue: Dialogue, chance: random.Random) -> Dialogue:
    customers = [place for place, turn in enumerate(dialogue.turns) if turn.role == "customer"]
    last = customers[-1] if customers else len(dialogue.turns) - 1
    kept = [
        turn
        for place, turn in enumerate(dialogue.turns)
        # Drawn for every turn, so that a later one does not depend on what an earlier one is.
        if chance.random() >= DROPPED or place == last or turn.images or turn.role == "system"
    ]
    return replace(dialogue, turns=tuple(kept))


def _drawn(
    settings: Augmentation, crop: random.Random, colour: random.Random, jpeg: random.Random
) -> Retouch:
    def side() -> float:
        return crop.uniform(0, CROPPED) if settings.crop else 0.0

    def factor() -> float:
        return colour.uniform(1 - COLOURED, 1 + COLOURED) if settings.colour else 1.0

    quality = jpeg.randint(*QUALITIES) if settings.jpeg else None
    return Retouch((side(), side(), side(), side()), factor(), factor(), factor(), quality)
