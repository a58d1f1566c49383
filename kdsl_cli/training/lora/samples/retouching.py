"""Small changes to a picture that leave what it shows as it was: a crop, colours, the marks of JPEG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, slots=True)
class Retouch:
    """What is done to each picture of a dialogue; made as drawn by `retouch(image)`.

    Attributes
    ----------
    crop
        Share of the width or height cut off at the left, top, right and bottom. What is left is scaled to
        the size the picture had, so that it costs as many tokens.
    brightness, contrast, saturation
        Factors; 1 changes nothing.
    quality
        Of the JPEG that the picture becomes for once. None: it does not.
    """

    crop: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    quality: int | None = None

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return the picture, changed, at the size it had."""
        from PIL import Image, ImageEnhance

        if any(self.crop):
            width, height = image.size
            left, top, right, bottom = self.crop
            box = (left * width, top * height, width - right * width, height - bottom * height)
            image = image.resize(image.size, Image.Resampling.BICUBIC, box=box)
        for kind, factor in (
            (ImageEnhance.Brightness, self.brightness),
            (ImageEnhance.Contrast, self.contrast),
            (ImageEnhance.Color, self.saturation),
        ):
            if factor != 1.0:
                image = kind(image).enhance(factor)
        return image if self.quality is None else _as_jpeg(image, self.quality)


def _as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    from PIL import Image

    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")
