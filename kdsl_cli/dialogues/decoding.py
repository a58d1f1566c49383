"""Bytes of a picture to an image that can be shown, the same way for every reader of it.

Phones and shops send every kind of file there is: turned by EXIF, with alpha, with a palette, in CMYK,
animated, 16 bits deep, cut off halfway, or far too large. What can be shown becomes upright RGB of 8 bits.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Final

import numpy as np

from kdsl_cli.errors import EvidenceError

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS: Final = 64_000_000
"""A 64-megapixel photograph still passes; decoded it takes 192 MB."""

MAX_SIDE: Final = 65_535
"""The most a JPEG can have; longer pictures are no screenshots."""


class PictureError(EvidenceError):
    """A picture that cannot be shown; `reason` is short, and the same on every machine."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def upright(data: bytes) -> Image.Image:
    """Return the picture upright, in RGB, on white where it was see-through; the first frame if animated.

    Raises
    ------
    PictureError
        If `data` is empty, no picture, cut off or too large.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not data:
        raise PictureError("empty file")
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a decompression bomb up to twice its limit; ours is lower and firm.
            warnings.simplefilter("ignore")
            opened = Image.open(io.BytesIO(data))
            _check_size(opened.width, opened.height)
            opened.load()
            return _in_rgb(ImageOps.exif_transpose(opened))
    except UnidentifiedImageError as error:
        raise PictureError("not a picture, or of an unknown format") from error
    except Image.DecompressionBombError as error:
        raise PictureError("too large: more pixels than a picture may have") from error
    except PictureError:
        raise
    except MemoryError as error:
        raise PictureError("too large: no memory to decode it") from error
    except Exception as error:  # Pillow's plug-ins raise OSError, SyntaxError, ValueError, struct.error, ...
        raise PictureError(f"broken picture: {type(error).__name__}: {error}"[:200]) from error


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise PictureError(
            f"too large: {width} x {height} pixels, at most {MAX_PIXELS:,} pixels and {MAX_SIDE:,} a side"
        )


def _in_rgb(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        return _eight_bits(image).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return grey of more than 8 bits as 8; Pillow's own conversion would cut it off at 255."""
    from PIL import Image

    values = np.asarray(image, dtype=np.float64)
    scaled = values * (255.0 / 65535.0) if values.max(initial=0.0) > 255 else values
    return Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))
