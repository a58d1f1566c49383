"""Bytes of a picture to an array of pixels, as text is read in it and descriptors are counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kdsl_cli.dialogues.decoding import PictureError, upright

__all__ = ["PictureError", "Pixels", "decode"]

Pixels = NDArray[np.uint8]
"""Shape (height, width, 3), red, green, blue."""


def decode(data: bytes) -> Pixels:
    """Return the picture upright, in RGB, on white where it was see-through; the first frame if animated.

    Raises
    ------
    PictureError
        If `data` is empty, no picture, cut off or too large.
    """
    return np.array(upright(data), dtype=np.uint8)
