"""A picture as a model is shown it: upright, RGB, resized once, within a budget of pixels.

The size is ours to choose, here and nowhere else, so that what a picture costs is known before it is paid and
is the same for every model: a side is a multiple of what one token covers, and the area keeps to the budget.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from kdsl_cli.dialogues import decoding
from kdsl_cli.dialogues.decoding import upright
from kdsl_cli.dialogues.prompting import Picture
from kdsl_cli.errors import BackendError

if TYPE_CHECKING:
    from PIL import Image

MULTIPLE: Final = 28
"""Pixels a side that one token covers in Qwen2-VL and Qwen2.5-VL: patches of 14, merged 2 by 2."""

Change: TypeAlias = "Callable[[Image.Image], Image.Image]"
"""Something done to a picture."""

_OWN_BYTES: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_ORIENTATION: Final = 0x0112


class PictureError(BackendError):
    """A picture that cannot be shown; `reason` is short."""

    def __init__(self, picture: Picture, reason: str) -> None:
        super().__init__(reason, where=picture.path.name)
        self.reason = f"{picture.path.name}: {reason}"


def fit(
    picture: Picture, max_pixels: int, multiple: int = MULTIPLE, change: Change | None = None
) -> Image.Image:
    """Return the picture upright, in RGB, on white where it was see-through, at the size of `fitted`.

    Parameters
    ----------
    change
        Done to the picture before it gets its size.

    Raises
    ------
    PictureError
        If the file is missing or another than it was, or no picture, cut off or too large.
    """
    from PIL import Image

    image = _upright(picture, _read(picture))
    if change:
        image = change(image)
    size = fitted(image.width, image.height, max_pixels, multiple)
    return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC)


def encoded(picture: Picture, max_pixels: int) -> tuple[str, bytes]:
    """Return the media type and the bytes to send to a server: the file's own wherever they will do.

    A file within the budget goes as it is; one that is too large, lies on its side or has a rare format goes
    as a PNG of what `fit` gives.

    Raises
    ------
    PictureError
        As `fit`.
    """
    from PIL import Image

    data = _read(picture)
    image = _upright(picture, data)  # decoded in any case: a server would refuse the whole request
    with Image.open(io.BytesIO(data)) as opened:
        plain = opened.format in _OWN_BYTES and opened.getexif().get(_ORIENTATION, 1) == 1
        if plain and opened.width * opened.height <= max_pixels:
            return _OWN_BYTES[str(opened.format)], data
    out = io.BytesIO()
    size = fitted(image.width, image.height, max_pixels)
    image.resize(size, Image.Resampling.BICUBIC).save(out, "PNG")
    return "image/png", out.getvalue()


def fitted(width: int, height: int, max_pixels: int, multiple: int = MULTIPLE) -> tuple[int, int]:
    """Return the width and height that a picture is shown at.

    Each side is the nearest multiple; beyond the budget both shrink alike and are rounded down, as Qwen2-VL
    does it. A side is never less than one multiple, so a picture costs a token at least.

    Examples
    --------
    >>> fitted(720, 1560, 401_408)
    (420, 924)
    >>> fitted(30, 10, 401_408), fitted(100_000, 10, 401_408)
    ((28, 28), (14336, 28))
    """
    sides = [max(multiple, round(side / multiple) * multiple) for side in (width, height)]
    if sides[0] * sides[1] > max_pixels:
        shrink = max(1.0, math.sqrt(width * height / max_pixels))
        sides = [max(multiple, math.floor(side / shrink / multiple) * multiple) for side in (width, height)]
    # A strip thinner than a token is made thicker, so its length must give way.
    most = [max(multiple, max_pixels // other // multiple * multiple) for other in reversed(sides)]
    return min(sides[0], most[0]), min(sides[1], most[1])


def _read(picture: Picture) -> bytes:
    """Return the file's bytes, once they are known to be those that answers are remembered for."""
    try:
        data = picture.path.read_bytes()
    except OSError as error:
        raise PictureError(picture, f"cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != picture.sha256:
        raise PictureError(picture, "is not the picture it was when this run began")
    return data


def _upright(picture: Picture, data: bytes) -> Image.Image:
    try:
        return upright(data)
    except decoding.PictureError as error:
        raise PictureError(picture, error.reason) from error
