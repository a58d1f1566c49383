"""A picture as a list of things to draw, from which its text lines follow without drawing it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; `x` is its left, middle or right end by `anchor`, `y` its middle, in pixels."""

    x: float
    y: float
    text: str
    size: int = 15
    colour: Colour = (30, 30, 32)
    bold: bool = False
    anchor: Literal["l", "m", "r"] = "l"


@dataclass(frozen=True, slots=True)
class Rect:
    """A filled rectangle with round corners."""

    box: Box
    fill: Colour
    radius: int = 0
    outline: Colour | None = None


@dataclass(frozen=True, slots=True)
class Icon:
    """A wordless drawing by name, filling a square box: bag, cup, lamp, star, bell, gift, heart, dot."""

    name: str
    box: Box
    colour: Colour


@dataclass(frozen=True, slots=True)
class Veil:
    """Darkens everything drawn so far; 0 leaves it, 1 is black."""

    strength: float


@dataclass(frozen=True, slots=True)
class Parcel:
    """A cardboard box photographed on a table. `seed` settles the picture's grain, light and edges."""

    seed: int
    damaged: bool
    shift: tuple[int, int]
    corner: int


Item = Text | Rect | Icon | Veil | Parcel


@dataclass(frozen=True, slots=True)
class Screen:
    """A whole picture, drawn in the order of its items. `kind` is "photo" or "screenshot"."""

    width: int
    height: int
    kind: Literal["photo", "screenshot"]
    items: tuple[Item, ...]
    back: Colour = (245, 245, 247)

    def lines(self) -> list[tuple[str, Box]]:
        """Return what a perfect reader reads, top to bottom: text and box in fractions of the picture."""
        found = [(item.text, self._box(item)) for item in self.items if isinstance(item, Text)]
        return sorted(found, key=lambda line: (round(line[1][1], 2), line[1][0]))

    def _box(self, text: Text) -> Box:
        width, half = text_width(text.text, text.size), text.size * 0.6
        left = text.x - {"l": 0.0, "m": 0.5, "r": 1.0}[text.anchor] * width
        top, bottom = text.y - half, text.y + half
        box = (left / self.width, top / self.height, (left + width) / self.width, bottom / self.height)
        return tuple(round(min(max(side, 0.0), 1.0), 4) for side in box)  # type: ignore[return-value]


def text_width(text: str, size: int) -> float:
    """Return the width in pixels, near enough for regions: wide characters are square, others half.

    Examples
    --------
    >>> text_width("退款", 10), text_width("ok", 10)
    (20.0, 11.2)
    """
    return sum(size * (1.0 if unicodedata.east_asian_width(char) in "WF" else 0.56) for char in text)
