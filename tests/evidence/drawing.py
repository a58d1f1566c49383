"""Pictures for tests, drawn with the font that Pillow brings."""

from __future__ import annotations

import io
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

FIXTURES = Path(__file__).parent / "fixtures"


def encoded(picture: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


def screen(*lines: str, size: tuple[int, int] = (360, 640), bar: str = "orange") -> Image.Image:
    """A phone screen with a bar on top and one text in each row."""
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, size[0], 50), fill=bar)
    for row, line in enumerate(lines):
        pen.text((20, 70 + 50 * row), line, font=ImageFont.load_default(28), fill="black")
    return picture


def photo(seed: int = 0, size: tuple[int, int] = (400, 300)) -> Image.Image:
    """Something with the statistics of a photograph: smooth light, many colours, noise."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize(
        size, Image.Resampling.BICUBIC
    )
    noisy = np.asarray(coarse, dtype=np.int16) + rng.integers(-6, 7, (size[1], size[0], 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def bomb(side: int = 60_000) -> bytes:
    """A small PNG that says it is `side` pixels wide and high."""
    data = bytearray(encoded(Image.new("1", (8, 8))))
    data[16:24] = side.to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    return bytes(data)


def dialogue_line(id: str, *images: str, text: str = "") -> str:
    turn = {"role": "customer", "text": text, "images": list(images)}
    row = {"id": id, "task": "image-scene", "turns": [turn], "group": None, "label": None}
    return json.dumps(row, ensure_ascii=False) + "\n"
