r"""Regular expressions in rules: Rust's, through polars, so that matching takes linear time on any text.

A pattern meets normalised text. So that a person may write what the screen shows, full-width characters of a
pattern are folded too (`：\d` finds "：５"), and case is ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import polars as pl

from kdsl_cli.dialogues.normalise import normalise

MAX_PATTERN: Final = 200
"""Longest pattern, in characters."""

_SPECIAL: Final = frozenset(r"\.+*?()|[]{}^$#&-~")


def pattern_error(pattern: str) -> str | None:
    r"""Tell why a pattern cannot be used, or None if it can.

    Examples
    --------
    >>> pattern_error("(?=退款)")
    'look-around, including look-ahead and look-behind, is not supported'
    >>> pattern_error(r"订单号：\d+") is None
    True
    """
    if len(pattern) > MAX_PATTERN:
        return f"it is {len(pattern)} characters long; at most {MAX_PATTERN} are allowed"
    try:
        matches(pattern, [""])
    except pl.exceptions.ComputeError as error:
        lines = str(error).splitlines()
        reasons = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        return reasons[0] if reasons else lines[0]
    return None


def matches(pattern: str, texts: Sequence[str]) -> list[bool]:
    r"""Tell for each normalised text whether the pattern is found in it.

    Examples
    --------
    >>> matches(r"No：\d+", ["no:12", "no"])
    [True, False]
    """
    found: list[bool] = pl.Series(texts, dtype=pl.String).str.contains(folded_pattern(pattern)).to_list()
    return found


def first_span(pattern: str, text: str) -> tuple[int, int] | None:
    r"""Return where the pattern is first found in a normalised text, in characters, or None.

    Examples
    --------
    >>> first_span(r"\d+", "订单123号")
    (2, 5)
    """
    series = pl.Series([text], dtype=pl.String)
    start_byte = series.str.find(folded_pattern(pattern)).item()
    if start_byte is None:
        return None
    start = len(text.encode()[:start_byte].decode())
    return start, start + len(series.str.extract(folded_pattern(pattern), 0).item())


@lru_cache(maxsize=4096)
def folded_pattern(pattern: str) -> str:
    r"""Return the pattern as it is run: case ignored, characters outside ASCII folded as texts are.

    Examples
    --------
    >>> folded_pattern("（Ａ）.")
    '(?i)\\(a\\).'
    """
    return "(?i)" + "".join(c if c.isascii() else _literal(normalise(c)) for c in pattern)


def _literal(text: str) -> str:
    """Escape what a folded character may have turned into: a full-width bracket is no group."""
    return "".join(f"\\{c}" if c in _SPECIAL else c for c in text)
