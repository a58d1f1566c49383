"""Text as it is compared: NFKC and case-folded, with the way back to the characters as they were written."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise


def normalise(text: str) -> str:
    """Return `text` with full-width forms, ligatures and case folded away.

    Normalising twice changes nothing more, so normalised phrases may be stored and normalised again.

    Examples
    --------
    >>> normalise("ＡＢＣ：退款１２３")
    'abc:退款123'
    """
    if text.isascii():
        return text.lower()
    return _fold(text)


@dataclass(frozen=True)
class Normalised:
    """A text, normalised, that knows where each of its characters came from.

    Attributes
    ----------
    text
        The normalised text.
    offsets
        `offsets[i]` is the place in the original of the character that `text[i]` came from; one entry more
        than `text` has characters, the last being the length of the original.

    Examples
    --------
    >>> found = Normalised.of("重㎏量")
    >>> found.text, found.offsets
    ('重kg量', (0, 1, 1, 2, 3))
    >>> found.original_span(2, 4)
    (1, 3)
    """

    text: str
    offsets: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Normalised:
        """Normalise `text` and keep the map."""
        folded = normalise(text)
        starts = list(_segments(text)) if text != folded else list(range(len(text) + 1))
        if text == folded:
            return cls(folded, tuple(starts))
        pieces = [normalise(text[a:b]) for a, b in pairwise(starts)]
        if "".join(pieces) != folded:
            # Characters that only fold together: one piece is coarse and still true.
            pieces, starts = [folded], [0, len(text)]
        offsets = [start for start, piece in zip(starts, pieces, strict=False) for _ in piece]
        return cls(folded, (*offsets, len(text)))

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return where `text[start:end]` stands in the original, as start and end; whole characters only.

        `start < end` is wanted; an empty span comes back as the empty span at its place.
        """
        if end <= start:
            return self.offsets[start], self.offsets[start]
        last = self.offsets[end - 1]
        while self.offsets[end] == last and end < len(self.text):
            end += 1
        return self.offsets[start], self.offsets[end]


@lru_cache(maxsize=100_000)
def _fold(text: str) -> str:
    while (folded := unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())) != text:
        text = folded
    return text


def _segments(text: str) -> Iterator[int]:
    """Yield the starts of the shortest pieces that normalise on their own, then the length of `text`."""
    start = 0
    for place, character in enumerate(text):
        if place == 0 or (character.isascii() and text[place - 1].isascii()):
            parts = True
        else:
            parts = not _joins(text[start:place], character)
        if parts:
            start = place
            yield start
    if text:
        yield len(text)


def _joins(piece: str, character: str) -> bool:
    """Whether `character` folds together with the piece before it (a combining mark, a Hangul jamo)."""
    if unicodedata.combining(unicodedata.normalize("NFKD", character)[0]):
        return True
    return normalise(piece + character) != normalise(piece) + normalise(character)
