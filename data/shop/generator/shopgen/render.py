"""Draws a `Screen` with Pillow; the same screen gives the same bytes for the same Pillow."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from shopgen.photo import draw_parcel, finish_photo
from shopgen.screen import Icon, Parcel, Rect, Screen, Text, Veil

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

FONTS = Path(__file__).resolve().parents[1] / "fonts"
QUALITY = {"screenshot": 62, "photo": 52}


def render(screen: Screen) -> Image.Image:
    """Return the picture, RGB, `screen.width` x `screen.height` pixels."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (screen.width, screen.height), screen.back)
    seed = 0
    for item in screen.items:
        if isinstance(item, Veil):
            image = Image.blend(image, Image.new("RGB", image.size), item.strength)
        elif isinstance(item, Parcel):
            seed = item.seed
            image = draw_parcel(image.size, item)
        else:
            _draw(ImageDraw.Draw(image), item)
    return finish_photo(image, seed) if screen.kind == "photo" else image


def encode(screen: Screen) -> bytes:
    """Return the picture as WebP."""
    buffer = BytesIO()
    render(screen).save(buffer, "WEBP", quality=QUALITY[screen.kind], method=6)
    return buffer.getvalue()


def _draw(pen: ImageDraw.ImageDraw, item: Text | Rect | Icon) -> None:
    if isinstance(item, Text):
        pen.text(
            (item.x, item.y), item.text, item.colour, _font(item.size, item.bold), anchor=f"{item.anchor}m"
        )
    elif isinstance(item, Rect):
        pen.rounded_rectangle(item.box, item.radius, item.fill, item.outline)
    else:
        _icon(pen, item)


@lru_cache(maxsize=32)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    name = "shop-sans-bold.otf" if bold else "shop-sans-regular.otf"
    # The basic layout needs no shaping library, so that pictures do not hang on one.
    return ImageFont.truetype(str(FONTS / name), size, layout_engine=ImageFont.Layout.BASIC)


# Shapes on a 100 x 100 grid: (kind, numbers, shade), shade 0 the colour itself, 1 white, 2 darker.
SHAPES: dict[str, tuple[tuple[str, tuple[int, ...], int], ...]] = {
    "bag": (("ring", (30, 0, 70, 60), 2), ("rect", (12, 30, 88, 98), 0), ("rect", (12, 58, 88, 64), 2)),
    "cup": (("ring", (60, 28, 98, 72), 2), ("rect", (14, 12, 72, 96), 0), ("rect", (14, 12, 72, 24), 2)),
    "lamp": (
        ("poly", (32, 4, 68, 4, 94, 54, 6, 54), 0),
        ("rect", (46, 54, 54, 92), 2),
        ("rect", (26, 90, 74, 98), 2),
    ),
    "star": (("poly", (50, 2, 62, 36, 98, 38, 70, 60, 80, 96, 50, 75, 20, 96, 30, 60, 2, 38, 38, 36), 0),),
    "heart": (
        ("oval", (2, 10, 54, 60), 0),
        ("oval", (46, 10, 98, 60), 0),
        ("poly", (5, 44, 95, 44, 50, 96), 0),
    ),
    "box": (
        ("rect", (6, 24, 94, 96), 0),
        ("poly", (6, 24, 22, 6, 78, 6, 94, 24), 2),
        ("rect", (42, 6, 58, 60), 1),
    ),
    "bell": (
        ("oval", (38, 78, 62, 100), 2),
        ("poly", (50, 4, 78, 24, 84, 70, 98, 84, 2, 84, 16, 70, 22, 24), 0),
    ),
    "gift": (
        ("rect", (8, 40, 92, 98), 0),
        ("rect", (2, 24, 98, 44), 2),
        ("rect", (43, 24, 57, 98), 1),
        ("ring", (20, 2, 50, 26), 2),
        ("ring", (50, 2, 80, 26), 2),
    ),
    "dot": (("oval", (4, 4, 96, 96), 0), ("oval", (32, 20, 68, 56), 1), ("oval", (22, 62, 78, 90), 1)),
    "back": (("line", (62, 10, 28, 50, 62, 90), 0),),
    "more": (("oval", (0, 40, 20, 60), 0), ("oval", (40, 40, 60, 60), 0), ("oval", (80, 40, 100, 60), 0)),
    "cross": (("ring", (0, 0, 100, 100), 0), ("line", (30, 30, 70, 70), 0), ("line", (70, 30, 30, 70), 0)),
}


def _icon(pen: ImageDraw.ImageDraw, icon: Icon) -> None:
    left, top, right, bottom = icon.box
    darker = tuple(int(channel * 0.7) for channel in icon.colour)
    stroke = max(2, int((right - left) * 0.09))
    for kind, numbers, shade in SHAPES[icon.name]:
        fill = (icon.colour, (255, 255, 255), darker)[shade]
        points = [
            (left + x * (right - left) / 100, top + y * (bottom - top) / 100)
            for x, y in zip(numbers[::2], numbers[1::2], strict=True)
        ]
        if kind == "rect":
            pen.rectangle(points, fill)
        elif kind == "oval":
            pen.ellipse(points, fill)
        elif kind == "ring":
            pen.ellipse(points, None, fill, stroke)
        elif kind == "line":
            pen.line(points, fill, stroke)
        else:
            pen.polygon(points, fill)
