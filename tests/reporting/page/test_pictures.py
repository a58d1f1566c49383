from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kdsl_cli.reporting.page import pictures
from kdsl_cli.reporting.page.pictures import picture_sources, thumbnail


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("a.png", "b c.png"):
        Image.fromarray(rng.integers(0, 256, (300, 150, 3), dtype=np.uint8)).save(tmp_path / name)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    return tmp_path


NAMES = ["a.png", "b c.png", "broken.png", "gone.png", "a.png"]


def sources(folder, show, page="page.html"):
    return picture_sources(NAMES, folder, show=show, page=folder / page)


def test_copies_are_small_pictures_and_what_cannot_be_shown_is_left_out(folder):
    found = sources(folder, "thumbnails")
    assert set(found) == {"a.png", "b c.png"}
    head, _, data = found["a.png"].partition(",")
    assert head == "data:image/webp;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (150, 300)  # never made larger


def test_links_lead_from_the_page_to_the_pictures(folder):
    found = sources(folder, "linked", "runs/eval/page.html")
    assert found["b c.png"] == "../../b%20c.png" and "gone.png" not in found


def test_none_are_none(folder):
    assert sources(folder, "none") == {}


def test_many_pictures_get_smaller_copies(folder, monkeypatch):
    large = len(sources(folder, "thumbnails")["a.png"])
    monkeypatch.setattr(pictures, "BUDGET", 20_000)
    assert len(sources(folder, "thumbnails")["a.png"]) < large / 2


def test_a_copy_keeps_its_shape(folder):
    found = thumbnail(folder / "a.png", 100, 50)
    assert found is not None and Image.open(io.BytesIO(found)).size == (50, 100)
