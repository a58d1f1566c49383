"""Phrases that a sample itself holds: every run of units that recurs, closed, of any length up to a bound."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from kdsl_cli.logic.indexing import SEPARATOR
from kdsl_cli.mining.sample import Mask, mask_of

UNIT: Final = re.compile(r"[a-z]+|[0-9]+|[^\W\d_a-z]|[^\s\w]|_")
"""What a phrase is counted in: a word or number of ASCII, else one character. A phrase never starts or ends
inside an English word, so that 'art' is not found in 'cart' and proposed for it."""

MAX_CHARACTERS: Final = 24


def closed_phrases(
    texts: Sequence[Sequence[str]], *, min_support: int, max_units: int = 6
) -> Mapping[str, Mask]:
    """Return the closed phrases of some texts with the dialogues in which matching finds them.

    A phrase must stand in `min_support` dialogues as whole words; matching then finds it inside longer words
    as well ("art" in "cart"), and the masks say so. Of phrases found in exactly the same dialogues only the
    longest is kept (a closed pattern in the sense of Pasquier et al. 1999), of equally long ones the first
    by code point: "购物", "物车" and "购物车" in the same screens are one clue, and the whole word is the one
    a person can read.

    Parameters
    ----------
    texts
        For every dialogue its normalised lines; a phrase never spans two lines.
    min_support
        Fewest dialogues a phrase must stand in.
    max_units
        Longest phrase, in `UNIT`.

    Examples
    --------
    >>> found = closed_phrases([["我的购物车"], ["购物车(3)"], ["订单"]], min_support=2)
    >>> {phrase: bin(mask) for phrase, mask in found.items()}
    {'购物车': '0b11'}
    """
    masks: dict[str, Mask] = {}
    for place, lines in enumerate(texts):
        bit = 1 << place
        for phrase in {phrase for line in lines for phrase in _runs(line, max_units)}:
            masks[phrase] = masks.get(phrase, 0) | bit
    whole = [SEPARATOR.join(lines) for lines in texts]
    longest: dict[Mask, str] = {}
    for phrase, standing in masks.items():
        if standing.bit_count() >= min_support:
            cut = phrase[0].isascii() or phrase[-1].isascii()
            mask = mask_of(phrase in text for text in whole) if cut else standing
            held = longest.get(mask)
            if held is None or (-len(phrase), phrase) < (-len(held), held):
                longest[mask] = phrase
    return {phrase: mask for mask, phrase in sorted(longest.items(), key=lambda item: item[1])}


def _runs(line: str, max_units: int) -> Iterator[str]:
    """Yield the phrases of one line: two characters or more, with a letter, no punctuation at the ends."""
    units = [match.span() for match in UNIT.finditer(line)]
    for first in range(len(units)):
        if not line[units[first][0]].isalnum():
            continue
        for last in range(first, min(first + max_units, len(units))):
            phrase = line[units[first][0] : units[last][1]]
            if len(phrase) > MAX_CHARACTERS:
                break
            if len(phrase) > 1 and phrase[-1].isalnum() and any(char.isalpha() for char in phrase):
                yield phrase
