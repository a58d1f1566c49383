"""What a model is shown of a picture, and what a server is sent of it."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from kdsl_cli.backends.pictures import PictureError, encoded, fit, fitted
from kdsl_cli.dialogues.prompting import Picture

BUDGET = 401_408


def saved(image: Image.Image, path: Path, **options: object) -> Picture:
    image.save(path, **options)
    return named(path)


def named(path: Path) -> Picture:
    return Picture(path, hashlib.sha256(path.read_bytes()).hexdigest())


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.sampled_from([28, 32]))
@example(60_000, 1, 28)
@example(1, 60_000, 28)
def test_sides_are_multiples_within_the_budget(width: int, height: int, multiple: int) -> None:
    sides = fitted(width, height, BUDGET, multiple)
    assert all(side > 0 and side % multiple == 0 for side in sides)
    assert sides[0] * sides[1] <= BUDGET


@given(st.integers(200, 3000), st.integers(200, 3000))
def test_the_form_is_kept_to_one_token(width: int, height: int) -> None:
    shown = fitted(width, height, BUDGET)
    scale = max(1.0, (width * height / BUDGET) ** 0.5)
    assert all(abs(a - b / scale) <= 28 for a, b in zip(shown, (width, height), strict=True))


def test_a_picture_on_its_side_is_put_upright(tmp_path: Path) -> None:
    lying = Image.new("RGB", (280, 140), "red")
    lying.paste("blue", (0, 0, 140, 140))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by 90 degrees to see it upright
    shown = fit(saved(lying, tmp_path / "a.jpg", exif=exif, quality=100), BUDGET)
    assert shown.size == (140, 280)
    red, _, blue = shown.getpixel((70, 40))
    assert blue > 200 > 60 > red


def test_see_through_becomes_white(tmp_path: Path) -> None:
    shown = fit(saved(Image.new("RGBA", (56, 56), (0, 0, 0, 0)), tmp_path / "a.png"), BUDGET)
    assert shown.mode == "RGB"
    assert shown.getpixel((5, 5)) == (255, 255, 255)


def test_a_file_within_the_budget_is_sent_as_it_is(tmp_path: Path) -> None:
    picture = saved(Image.new("RGB", (100, 90), "red"), tmp_path / "a.webp")
    assert encoded(picture, BUDGET) == ("image/webp", picture.path.read_bytes())


@pytest.mark.parametrize(("name", "size"), [("large.png", (2000, 1000)), ("rare.bmp", (100, 90))])
def test_any_other_is_sent_as_what_a_local_model_sees(
    tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    picture = saved(Image.effect_noise(size, 60).convert("RGB"), tmp_path / name)
    media, data = encoded(picture, BUDGET)
    assert media == "image/png"
    assert Image.open(io.BytesIO(data)).tobytes() == fit(picture, BUDGET).tobytes()


@pytest.mark.parametrize("content", [b"", b"no picture", None])
def test_what_is_no_picture_is_named_with_its_reason(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content or b"")
    picture = named(path)
    if content is None:
        path.unlink()
    for door in (fit, encoded):
        with pytest.raises(PictureError, match=r"a\.png"):
            door(picture, BUDGET)


def test_a_picture_that_changed_is_not_shown_under_the_old_ones_name(tmp_path: Path) -> None:
    red = saved(Image.new("RGB", (56, 56), "red"), tmp_path / "a.png")
    Image.new("RGB", (56, 56), "blue").save(red.path)
    for door in (fit, encoded):
        with pytest.raises(PictureError, match=r"a\.png: is not the picture it was"):
            door(red, BUDGET)
    assert fit(named(red.path), BUDGET).getpixel((5, 5)) == (0, 0, 255)


def test_a_deep_grey_is_shown_as_grey(tmp_path: Path) -> None:
    deep = Image.fromarray(np.full((56, 56), 32768, dtype=np.uint16))
    assert fit(saved(deep, tmp_path / "a.png"), BUDGET).getpixel((5, 5)) == (128, 128, 128)


def test_half_a_picture_and_a_giant_are_refused(tmp_path: Path) -> None:
    whole = saved(Image.effect_noise((300, 300), 50).convert("RGB"), tmp_path / "a.png")
    whole.path.write_bytes(whole.path.read_bytes()[:5000])
    whole = named(whole.path)
    giant = saved(Image.new("1", (9000, 9000)), tmp_path / "b.png")
    for picture, why in ((whole, "broken"), (giant, "too large")):
        with pytest.raises(PictureError) as told:
            fit(picture, BUDGET)
        assert why in told.value.reason
