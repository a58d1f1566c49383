"""Bytes of a picture to an array of pixels, the same way for every reader of it.

Phones and shops send every kind of file there is: turned by EXIF, with alpha, with a palette, in CMYK,
animated, 16 bits deep, cut off halfway, or far too large. What can be shown is turned into upright RGB
of 8 bits; what cannot raises `PictureError` with the reason.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kdsl_cli.errors import EvidenceError

if TYPE_CHECKING:
    from PIL import Image

Pixels = NDArray[np.uint8]
"""Shape (height, width, 3), red, green, blue."""

MAX_PIXELS = 64_000_000
"""A 64-megapixel photograph still passes; decoded it takes 192 MB in each worker."""

MAX_SIDE = 65_535
"""The most a JPEG can have; longer pictures are no screenshots."""


class PictureError(EvidenceError):
    """A picture that cannot be shown; `reason` is short, and the same on every machine."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def decode(data: bytes) -> Pixels:
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
            return _to_rgb(ImageOps.exif_transpose(opened))
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


def _to_rgb(image: Image.Image) -> Pixels:
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        return _deep_grey(np.asarray(image, dtype=np.float64))
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        image = Image.alpha_composite(ground, layer)
    return np.array(image.convert("RGB"), dtype=np.uint8)


def _deep_grey(values: NDArray[Any]) -> Pixels:
    """Return grey of more than 8 bits as RGB; Pillow's own conversion would cut it off at 255."""
    top = float(values.max(initial=0.0))
    scaled = values * (255.0 / 65535.0) if top > 255 else values
    grey = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)
