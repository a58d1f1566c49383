"""Text as it is compared: one width, one case, with the way back to what was written."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass


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
        """Return the span of `original` from which ``text[start:end]`` came.

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

    Examples
    --------
    >>> normalise("ＡＰＰ　下单，①Straße")
    'app 下单,1strasse'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded)  # folding can leave letters decomposed


def normalised(text: str) -> Normalised:
    """Return `text` normalised, with the offset of every character.

    Examples
    --------
    >>> normalised("a①Ｂ").offsets
    (0, 1, 2)
    """
    whole = normalise(text)
    pieces: list[str] = []
    offsets: list[int] = []
    for start, piece in _pieces(text):
        pieces.append(normalise(piece))
        offsets.extend([start] * len(pieces[-1]))
    if "".join(pieces) != whole:  # marks that combine over a longer range than the pieces see
        offsets = [0] * len(whole)
    return Normalised(text, whole, tuple(offsets))


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Cut `text` where normalising the parts gives the same as normalising the whole."""
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or not _joined(text[start:end], text[end]):
            yield start, text[start:end]
            start = end


def _joined(before: str, character: str) -> bool:
    if character.isascii():
        return False  # no ASCII character combines with what stands before it
    alone = unicodedata.normalize("NFKC", character)
    if unicodedata.combining(alone[0]):
        return True
    return unicodedata.normalize("NFKC", before + character) != unicodedata.normalize("NFKC", before) + alone
