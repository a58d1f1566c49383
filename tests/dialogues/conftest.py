from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

Write = Callable[..., Path]


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Path]:
    """Make a small picture; another seed looks different."""

    def make(name: str, seed: int = 0, folder: Path = tmp_path) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.new("RGB", (68, 64), "white")
        draw = ImageDraw.Draw(image)
        state = seed * 7919 + 17
        for y in range(0, 64, 4):
            for x in range(0, 68, 4):
                state = (state * 1103515245 + 12345) % 2**31
                grey = (state >> 16) % 256
                draw.rectangle((x, y, x + 3, y + 3), fill=(grey, grey, grey))
        image.save(path)
        return path

    return make


@pytest.fixture
def write_lines(tmp_path: Path) -> Callable[..., Path]:
    """Write rows as JSON Lines; a row that is a text is written as it is."""

    def make(*rows: object, name: str = "rows.jsonl") -> Path:
        lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return make
