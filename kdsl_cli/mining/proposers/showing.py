"""Which dialogues a draft is judged by before a model, and which intents it mixes up.

Everything here is chosen among the dialogues that count (`Sample.seen`): in a run without a fold, no prompt
ever holds a dialogue or a label of that fold.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kdsl_cli.mining.candidates import Candidate
from kdsl_cli.mining.drafts import Draft
from kdsl_cli.mining.sample import Mask, Sample, as_bools, mask_of


@dataclass(frozen=True, slots=True)
class Groups:
    """What a draft does: dialogues it rightly and wrongly catches, and those of the intent that it misses.

    The empty draft catches everything; its wrong ones are those of the intents it is most like.
    """

    right: Mask
    wrong: Mask
    missed: Mask
    rivals: tuple[str, ...]


def groups(draft: Draft, intent: str, sample: Sample, alike: Sequence[str], rivals: int) -> Groups:
    """Sort the dialogues that count by what a draft does to them.

    Parameters
    ----------
    alike
        The other intents, the most similar one first (`most_alike`).
    rivals
        Intents that are called rivals, at most.
    """
    positives = sample.positives(intent)
    caught = draft.fires & sample.seen & ~positives
    if draft.clauses:
        labels = Counter(label for place, label in enumerate(sample.labels) if caught >> place & 1)
        # Of equally many the catalogue's first, whatever the order of the dialogues.
        order = {name: place for place, name in enumerate(sample.intents)}
        named = sorted(labels, key=lambda name: (-labels[name], order[name]))[:rivals]
    else:
        named = list(alike[:rivals])
        caught &= mask_of(label in named for label in sample.labels)
    return Groups(draft.fires & positives, caught, positives & ~draft.fires, tuple(named))


def most_alike(sample: Sample, intent: str, pool: Sequence[Candidate]) -> tuple[str, ...]:
    """Return the other intents that have a dialogue, the one most like this one first.

    Each intent is the vector of its shares of dialogues in which each candidate holds, less the share in
    all; likeness is the cosine of two such vectors.
    """
    size = len(sample.labels)
    seen = as_bools(sample.seen, size)
    labels = np.array(sample.labels, dtype=object)[seen]
    names = [name for name in sample.intents if (labels == name).any()]
    if intent not in names:
        return ()
    held = np.array([as_bools(candidate.true, size) for candidate in pool], dtype=np.float64)
    held = held.reshape(len(pool), size)[:, seen]
    overall = held.mean(axis=1)
    profiles = {name: held[:, labels == name].mean(axis=1) - overall for name in names}
    own = profiles[intent]

    def cosine(name: str) -> float:
        lengths = float(np.linalg.norm(own) * np.linalg.norm(profiles[name]))
        # Rounded, so that no machine's last digit decides an order.
        return round(float(own @ profiles[name]) / lengths, 9) if lengths else 0.0

    return tuple(sorted((name for name in names if name != intent), key=lambda name: -cosine(name)))


def chosen(
    members: Mask, preferred: Mask, n: int, rng: random.Random, fits: Callable[[int], bool]
) -> tuple[int, ...]:
    """Draw `n` members at most, the preferred ones first; only those that fit, in ascending order."""
    drawn: list[int] = []
    for mask in (members & preferred, members & ~preferred):
        places = [place for place in range(mask.bit_length()) if mask >> place & 1 and fits(place)]
        rng.shuffle(places)
        drawn += places[: n - len(drawn)]
    return tuple(sorted(drawn))
