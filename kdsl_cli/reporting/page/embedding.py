"""Data inside a page: packed, so that ten thousand dialogues are a few megabytes, and opened part by part.

A browser unpacks a part when it is first looked at (`DecompressionStream` works from ``file://`` too). Base64
holds nothing that HTML could take for its own.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any


def packed(value: Any) -> str:
    """Return a JSON value as gzip in base64; the same bytes for the same value.

    Examples
    --------
    >>> unpacked(packed({"退款": [1, None]}))
    {'退款': [1, None]}
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode("utf-8"), 9, mtime=0)).decode("ascii")


def unpacked(text: str) -> Any:
    """Return the value that `packed` packed."""
    return json.loads(gzip.decompress(base64.b64decode(text)))


def in_parts(values: Iterable[Any], size: int) -> Iterator[str]:
    """Pack `size` values at a time, as lists."""
    left = iter(values)
    while part := list(islice(left, size)):
        yield packed(part)
