"""What matching needs of `dialogues.normalise`: phrases may be normalised twice, and spans lead back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kdsl_cli.dialogues.normalise import normalise, normalised

from .strategies import LETTERS, quick

texts = st.text(LETTERS, max_size=8) | st.text(max_size=8)


@quick
@given(texts)
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@quick
@given(texts)
def test_every_character_leads_back_to_where_it_came_from(text: str) -> None:
    found = normalised(text)
    assert found.text == normalise(text)
    assert len(found.offsets) == len(found.text)
    assert list(found.offsets) == sorted(found.offsets)
    for place, character in enumerate(found.text):
        start, end = found.span(place, place + 1)
        assert character in normalise(text[start:end])
