"""Text as it is compared: one width, one case, with the way back to what was written."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Normalised:
    """A normalised text that remembers where each character came from.

    Attributes
    ----------
    original
        What was written.
    text
        What is compared; equal to ``normalise(original)``.
    offsets
        As long as `text`: the index in `original` of the character (or the first of the characters that
        were normalised together) from which ``text[i]`` came. Never falls.
    """

    original: str
    text: str
    offsets: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of `original` from which ``text[start:end]`` came; whole characters only.

        Examples
        --------
        >>> found = normalised("满㎏ＡＢ")
        >>> found.text, found.span(1, 2), found.span(3, 5)
        ('满kgab', (1, 2), (2, 4))
        """
        if start >= end:
            at = self.offsets[start] if start < len(self.offsets) else len(self.original)
            return at, at
        last = self.offsets[end - 1]
        after = next((offset for offset in self.offsets[end:] if offset > last), len(self.original))
        return self.offsets[start], after


def normalise(text: str) -> str:
    """Return `text` in Unicode form NFKC and case-folded.

    Normalising twice changes nothing more, so that normalised phrases may be kept and normalised again.

    Examples
    --------
    >>> normalise("ＡＰＰ　下单，①Straße")
    'app 下单,1strasse'
    """
    return text.lower() if text.isascii() else _folded(text)


def normalised(text: str) -> Normalised:
    """Return `text` normalised, with the offset of every character.

    Examples
    --------
    >>> normalised("a①Ｂ").offsets
    (0, 1, 2)
    """
    whole = normalise(text)
    if whole == text:
        return Normalised(text, whole, tuple(range(len(text))))
    starts = [*_piece_starts(text), len(text)]
    pieces = [normalise(text[start:end]) for start, end in pairwise(starts)]
    if "".join(pieces) != whole:  # marks that combine over a longer range than the pieces see
        return Normalised(text, whole, (0,) * len(whole))
    offsets = tuple(start for start, piece in zip(starts, pieces, strict=False) for _ in piece)
    return Normalised(text, whole, offsets)


@lru_cache(maxsize=100_000)
def _folded(text: str) -> str:
    # Folding can leave letters decomposed, and composing them can leave letters to fold.
    while (folded := unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())) != text:
        text = folded
    return text


def _piece_starts(text: str) -> Iterator[int]:
    """Cut `text` where normalising the parts gives the same as normalising the whole."""
    start = 0
    for place, character in enumerate(text):
        if place == 0 or not _joined(text[start:place], character):
            start = place
            yield start


def _joined(before: str, character: str) -> bool:
    if character.isascii():
        return False  # no ASCII character combines with what stands before it
    if unicodedata.combining(unicodedata.normalize("NFKD", character)[0]):
        return True
    return normalise(before + character) != normalise(before) + normalise(character)
