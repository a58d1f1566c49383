from __future__ import annotations

import pytest
from PIL import Image

from evidence.drawing import FIXTURES, encoded, photo, screen
from kdsl_cli.evidence.ocr import Reader, engine_id, reading_order
from kdsl_cli.evidence.pictures import PictureError
from kdsl_cli.logic.facts import Box, OcrLine


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def line(text: str, box: Box) -> OcrLine:
    return OcrLine(0, 0, text, 1.0, box)


def test_rows_are_read_from_left_to_right_whatever_order_they_come_in() -> None:
    lines = [
        line("price", (0.7, 0.20, 0.9, 0.26)),
        line("second", (0.1, 0.30, 0.5, 0.33)),
        line("name", (0.1, 0.22, 0.3, 0.25)),
        line("title", (0.4, 0.02, 0.6, 0.06)),
    ]
    expected = ["title", "name", "price", "second"]
    for given in (lines, lines[::-1]):
        ordered = reading_order(given)
        assert [each.text for each in ordered] == expected
        assert [each.seq for each in ordered] == [0, 1, 2, 3]


def test_tightly_set_lines_do_not_melt_into_one_row() -> None:
    lines = [line(str(row), (0.9 - row / 10, row / 20, 1.0, row / 20 + 0.06)) for row in range(8)]
    assert [each.text for each in reading_order(lines)] == list("01234567")


def test_the_engine_is_named_by_all_that_shapes_what_it_reads() -> None:
    assert engine_id(960) != engine_id(800)
    for part in ("rapidocr-", "det", "rec", "max_side=960"):
        assert part in engine_id(960)


@pytest.mark.slow
def test_a_chinese_screen_is_read_with_places(reader: Reader) -> None:
    lines = reader.read((FIXTURES / "refund.webp").read_bytes())
    assert [each.text for each in lines] == [
        "退款详情", "退款金额", "¥128.50", "退款原因", "七天无理由", "订单编号", "20240518", "联系客服",
    ]  # fmt: skip
    title, contact = lines[0].box, lines[-1].box
    assert title[1] >= 0 and title[3] < 0.2 and contact[1] > 0.8 and contact[3] <= 1
    assert all(0 <= each.score <= 1 and each.image == 0 for each in lines)


@pytest.mark.slow
def test_the_same_picture_is_read_the_same_again(reader: Reader) -> None:
    data = encoded(screen("Refund 128.50", "Order 42"))
    assert reader.read(data) == reader.read(data) == Reader().read(data)


@pytest.mark.slow
def test_a_long_screenshot_is_read_to_its_end_without_repeats(reader: Reader) -> None:
    words = [f"Order number {row * 7919}" for row in range(58)]
    lines = reader.read(encoded(screen(*words, size=(360, 3000))))
    assert [each.text for each in lines] == words
    assert lines[-1].box[1] == pytest.approx((70 + 50 * 57 + 7) / 3000, abs=0.01)


@pytest.mark.slow
def test_nothing_to_read_is_no_line_and_no_error(reader: Reader) -> None:
    for picture in (
        Image.new("RGB", (300, 400), "white"),
        Image.new("RGB", (5, 300)),
        Image.new("RGB", (1, 1)),
    ):
        assert reader.read(encoded(picture)) == ()


@pytest.mark.slow
def test_odd_shapes_are_read_without_error(reader: Reader) -> None:
    for size in ((8, 3000), (3000, 8), (2500, 60), (9, 9)):
        reader.read(encoded(photo(size=size)))


@pytest.mark.slow
def test_reading_says_nothing(reader: Reader, capfd: pytest.CaptureFixture[str]) -> None:
    for picture in (Image.new("RGB", (300, 400), "white"), screen("Order")):
        reader.read(encoded(picture))
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_what_is_no_picture_is_told_as_that(reader: Reader) -> None:
    with pytest.raises(PictureError, match="not a picture"):
        reader.read(b"hello")
