from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from evidence.drawing import bomb, encoded, photo, screen
from kdsl_cli.evidence.pictures import PictureError, decode

RED = (254, 0, 0)


def corner(data: bytes) -> tuple[int, ...]:
    return tuple(int(value) for value in decode(data)[0, 0])


@pytest.mark.parametrize(
    ("mode", "format"),
    [
        ("RGB", "PNG"),
        ("RGBA", "PNG"),
        ("P", "GIF"),
        ("P", "PNG"),
        ("CMYK", "TIFF"),
        ("RGB", "WEBP"),
        ("RGB", "BMP"),
    ],
)
def test_every_mode_becomes_rgb(mode: str, format: str) -> None:
    data = encoded(Image.new("RGB", (20, 10), RED).convert(mode), format)
    pixels = decode(data)
    assert (pixels.shape, pixels.dtype) == ((10, 20, 3), np.uint8)
    assert np.abs(pixels[0, 0].astype(int) - RED).max() <= 8


def test_grey_of_16_bits_is_scaled_and_not_cut_off() -> None:
    deep = Image.fromarray(np.full((9, 9), 32768, dtype=np.uint16))
    assert corner(encoded(deep)) == (128, 128, 128)


def test_black_and_white() -> None:
    assert corner(encoded(Image.new("1", (9, 9), 1))) == (255, 255, 255)


def test_what_is_see_through_is_white() -> None:
    assert corner(encoded(Image.new("RGBA", (9, 9), (0, 0, 0, 0)))) == (255, 255, 255)


def test_a_see_through_palette_entry_is_white() -> None:
    picture = Image.new("P", (9, 9), 0)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    assert corner(encoded(picture, "PNG", transparency=0)) == (255, 255, 255)


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (9, 9), color) for color in (RED, (0, 0, 254))]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert corner(data)[0] > 200


def test_exif_turns_the_picture_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to show
    assert decode(encoded(photo(), "JPEG", exif=exif)).shape == (400, 300, 3)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"<html>404</html>", "not a picture"),
        (encoded(screen("x"), "JPEG")[:900], "broken picture"),
        (encoded(photo())[:5000], "broken picture"),
        (bomb(), "too large"),
        (bomb(9_000), "too large"),
        (encoded(Image.new("1", (65_600, 8))), "too large"),
    ],
)
def test_what_cannot_be_shown_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(PictureError) as caught:
        decode(data)
    assert caught.value.reason.startswith(reason)
