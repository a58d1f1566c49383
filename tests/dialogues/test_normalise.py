from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl_cli.dialogues.normalise import normalise, normalised


@settings(max_examples=30)
@given(st.text(max_size=30))
def test_the_text_with_offsets_is_the_text_without(text: str) -> None:
    found = normalised(text)
    assert found.text == normalise(text)
    assert len(found.offsets) == len(found.text)
    assert list(found.offsets) == sorted(found.offsets)
    assert all(0 <= offset < len(text) for offset in found.offsets)


@given(st.text("aＡ㎏①é\u0301ﬁ中が\uff9e한각ｱ\u1161", max_size=8), st.data())
def test_a_span_of_the_normalised_text_contains_what_it_came_from(text: str, data: st.DataObject) -> None:
    found = normalised(text)
    start = data.draw(st.integers(0, len(found.text)))
    end = data.draw(st.integers(start, len(found.text)))
    first, last = found.span(start, end)
    assert found.text[start:end] in normalise(text[first:last])


def test_letters_that_combine_across_characters_point_at_the_first_of_them() -> None:
    found = normalised("xe\u0301y")
    assert found.text == unicodedata.normalize("NFC", "xéy")
    assert found.offsets == (0, 1, 3)
    assert found.span(1, 2) == (1, 3)


def test_half_width_katakana_voice_marks_join_their_letter() -> None:
    assert normalised("ｶﾞa").text == "ガa"
    assert normalised("ｶﾞa").offsets == (0, 2)


def test_an_empty_span_is_a_point() -> None:
    assert normalised("ab").span(1, 1) == (1, 1)
    assert normalised("ab").span(2, 2) == (2, 2)
