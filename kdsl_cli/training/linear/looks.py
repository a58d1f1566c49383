"""How the pictures of a dialogue look, as numbers on one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kdsl_cli.evidence.descriptors import text_features
from kdsl_cli.logic.facts import Facts

Floats = npt.NDArray[np.float64]

FURTHEST = 5.0
"""Standard deviations beyond which a value says nothing more: one huge picture must not drown the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """Mean and standard deviation, (n_names,) each, that make descriptors comparable."""

    names: tuple[str, ...]
    mean: Floats
    spread: Floats

    @classmethod
    def fit(cls, dialogues: Sequence[Facts], names: tuple[str, ...]) -> Scale:
        """Return the scale of descriptors over the dialogues in which they are known.

        A descriptor that is known nowhere gets mean 0, one that never varies a spread of 1.
        """
        values = descriptors(dialogues, names)
        known = ~np.isnan(values)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, values, 0).sum(axis=0) / count
        spread = np.sqrt(np.where(known, (values - mean) ** 2, 0).sum(axis=0) / count)
        return cls(names, mean, np.where(spread > 0, spread, 1.0))

    def matrix(self, dialogues: Sequence[Facts]) -> Floats:
        """Return (n_dialogues, n_names) standard deviations from the mean; what is unknown is at the mean."""
        values = (descriptors(dialogues, self.names) - self.mean) / self.spread
        return np.clip(np.nan_to_num(values, nan=0.0), -FURTHEST, FURTHEST)


def descriptors(dialogues: Sequence[Facts], names: Sequence[str]) -> Floats:
    """Return (n_dialogues, n_names) means over the pictures that were read, NaN where there is none.

    Examples
    --------
    >>> from kdsl_cli.logic.facts import ImageFact
    >>> seen = ImageFact(0, features={"aspect": 0.5}), ImageFact(1, error="truncated")
    >>> descriptors([Facts("a", images=seen), Facts("b")], ["aspect", "line_count"]).tolist()
    [[0.5, 0.0], [nan, nan]]
    """
    values = np.full((len(dialogues), len(names)), np.nan)
    for row, dialogue in enumerate(dialogues):
        pictures = _pictures(dialogue)
        for column, name in enumerate(names):
            known = [value for picture in pictures if np.isfinite(value := picture.get(name, np.nan))]
            if known:
                values[row, column] = sum(known) / len(known)
    return values


def _pictures(dialogue: Facts) -> list[Mapping[str, float]]:
    read = [image for image in dialogue.images if image.error is None]
    return [
        {**text_features(line for line in dialogue.ocr if line.image == image.image), **image.features}
        for image in read
    ]
