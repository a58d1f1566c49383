"""Facts: what is known of one dialogue when a rule is matched against it.

Evidence makes them, logic reads them. A fact that could not be observed is absent *and said to be*
(`ImageFact.error`, `Facts.unread`), so that matching can answer "unknown" in place of "no".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as fractions of the picture's width and height, 0 to 1."""


@dataclass(frozen=True, slots=True)
class TurnFact:
    """One turn's text, without picture marks. `seq` counts all turns of the dialogue from 0."""

    seq: int
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class OcrLine:
    """One line of text read in a picture.

    `image` is the picture's place in the dialogue from 0, `seq` the line's place in reading order
    (top to bottom, then left to right), `score` the reader's confidence from 0 to 1.
    """

    image: int
    seq: int
    text: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class ImageFact:
    """What cheap image statistics say of one picture.

    `features` maps a descriptor's name to its value; `kind` is "photo", "screenshot" or None when the
    descriptors cannot tell. `error` says why the picture could not be read; then everything else is empty.
    """

    image: int
    kind: str | None = None
    features: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known of one dialogue.

    Attributes
    ----------
    id
        The dialogue's id.
    turns
        Every turn, in order, empty ones included.
    ocr
        Lines of all pictures that were read, by picture and reading order.
    images
        One entry a picture, failed ones included (`ImageFact.error`).
    answers
        Answers to questions that were asked of a model: True yes, False no; a question not in it was
        not asked, or not answered.
    """

    id: str
    turns: tuple[TurnFact, ...] = ()
    ocr: tuple[OcrLine, ...] = ()
    images: tuple[ImageFact, ...] = ()
    answers: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def unread(self) -> bool:
        """Whether some picture could not be read, so that its text is unknown rather than absent."""
        return any(image.error is not None for image in self.images)
