from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from evidence.drawing import encoded, photo, screen
from kdsl_cli.evidence import descriptors
from kdsl_cli.evidence.descriptors import describe
from kdsl_cli.logic.facts import OcrLine


def features(picture: Image.Image, format: str = "PNG") -> dict[str, float]:
    return describe(encoded(picture, format))[1]


def test_every_name_has_a_finite_value_for_any_size() -> None:
    names = [*descriptors.PIXEL_FEATURES, *descriptors.LAYOUT_FEATURES, *descriptors.HASH_FEATURES]
    for size in ((1, 1), (1, 300), (300, 1), (2, 2), (3000, 20), (20, 40)):
        found = features(Image.new("RGB", size, "red"))
        assert sorted(found) == sorted(names)
        assert np.isfinite(list(found.values())).all()
        assert (found["width"], found["height"]) == size


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
@pytest.mark.parametrize("quality", [30, 90])
def test_a_photo_is_a_photo_at_any_quality(name: str, quality: int) -> None:
    picture = Image.fromarray(load_sample_image(name))
    assert describe(encoded(picture, "JPEG", quality=quality))[0] == "photo"


def test_a_screen_is_a_screenshot_even_with_a_product_photo_on_it() -> None:
    page = screen("Order", "Paid", "Shipped")
    page.paste(photo(size=(360, 260)), (0, 380))
    for picture in (screen("Order", "Paid"), page):
        assert describe(encoded(picture, "JPEG", quality=70))[0] == "screenshot"


def test_between_the_two_nothing_is_said() -> None:
    page = screen("Order")
    page.paste(photo(size=(360, 470)), (0, 120))
    assert describe(encoded(page))[0] is None


def test_the_kind_follows_from_the_score() -> None:
    for picture in (screen("a"), photo(), photo(size=(20, 20))):
        kind, found = describe(encoded(picture))
        assert kind == descriptors.kind_of(found["photo_score"])


def test_bars_have_their_height() -> None:
    found = features(screen("Order", bar="orange"))
    assert found["top_bar"] == pytest.approx(51 / 640, abs=0.01)
    assert found["bottom_bar"] == 0.5
    assert features(photo())["top_bar"] < 0.05


@pytest.mark.parametrize(
    ("color", "name"),
    [
        ("red", "red_fraction"),
        ((255, 80, 0), "orange_fraction"),
        ("white", "white_fraction"),
        ((30, 30, 34), "dark_fraction"),
        ((128, 128, 130), "grey_fraction"),
    ],
)
def test_each_colour_counts_once(color: tuple[int, int, int] | str, name: str) -> None:
    picture = Image.new("RGB", (100, 100), "lime")
    picture.paste(Image.new("RGB", (100, 25), color), (0, 0))
    found = features(picture)
    fractions = {
        key: value for key, value in found.items() if key.endswith("_fraction") and key != "flat_fraction"
    }
    assert {key for key, value in fractions.items() if value > 0} == {name}
    assert found[name] == pytest.approx(0.25)


def test_strong_blue_and_purple_are_not_red() -> None:
    for color in ("blue", "purple", "magenta"):
        assert features(Image.new("RGB", (20, 20), color))["red_fraction"] == 0


def test_the_layout_says_where_a_colour_is() -> None:
    picture = Image.new("RGB", (80, 160), "black")
    picture.paste(Image.new("RGB", (20, 20), "red"), (60, 140))
    found = features(picture)
    lit = {name for name in descriptors.LAYOUT_FEATURES if found[name] > 0}
    assert lit == {"grid.r7c3.red"}


def test_the_hash_stays_when_the_picture_is_recompressed_and_shrunk() -> None:
    def bits(picture: Image.Image, format: str) -> int:
        return descriptors.hash_of(features(picture, format))

    whole = bits(photo(), "PNG")
    assert (whole ^ bits(photo().resize((200, 150)), "JPEG")).bit_count() <= 4
    assert (whole ^ bits(photo(seed=1), "PNG")).bit_count() >= 12


def test_text_counts_boxes_and_stops_at_the_whole_picture() -> None:
    lines = [OcrLine(0, seq, "x", 1.0, (0.0, 0.0, 1.0, 0.7)) for seq in range(2)]
    assert descriptors.text_features(lines) == {"line_count": 2.0, "text_fraction": 1.0}
    assert descriptors.text_features([]) == {"line_count": 0.0, "text_fraction": 0.0}
