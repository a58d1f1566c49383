from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl_cli.mining.phrases import MAX_CHARACTERS, closed_phrases

lines = st.text("ab1退款，é_ ", max_size=7)
texts = st.lists(st.lists(lines, max_size=2), max_size=5)


def inside_a_word(before: str, after: str) -> bool:
    letters = "a" <= before <= "z" and "a" <= after <= "z"
    return letters or ("0" <= before <= "9" and "0" <= after <= "9")


def whole(line: str, start: int, end: int) -> bool:
    return not any(0 < cut < len(line) and inside_a_word(line[cut - 1], line[cut]) for cut in (start, end))


def units(phrase: str) -> int:
    return sum(not char.isspace() for char in phrase) - sum(inside_a_word(*two) for two in pairwise(phrase))


def brute_force(texts: list[list[str]], min_support: int, max_units: int) -> dict[str, int]:
    """Return what `closed_phrases` promises, by looking at every substring."""
    standing: dict[str, set[int]] = {}
    for place, own in enumerate(texts):
        for line in own:
            for start in range(len(line)):
                for end in range(start + 2, min(start + MAX_CHARACTERS, len(line)) + 1):
                    if whole(line, start, end):
                        standing.setdefault(line[start:end], set()).add(place)
    by_mask: dict[int, list[str]] = {}
    for phrase, places in standing.items():
        readable = phrase[0].isalnum() and phrase[-1].isalnum() and any(map(str.isalpha, phrase))
        if readable and units(phrase) <= max_units and len(places) >= min_support:
            mask = sum(1 << i for i, own in enumerate(texts) if any(phrase in line for line in own))
            by_mask.setdefault(mask, []).append(phrase)
    return {min(phrases, key=lambda p: (-len(p), p)): mask for mask, phrases in by_mask.items()}


@settings(max_examples=60, deadline=None)
@given(texts, st.integers(1, 2), st.integers(1, 4))
def test_they_are_the_closed_ones_of_all_substrings(
    texts: list[list[str]], min_support: int, max_units: int
) -> None:
    found = closed_phrases(texts, min_support=min_support, max_units=max_units)
    assert found == brute_force(texts, min_support, max_units)
    assert list(found) == sorted(found)


def test_an_english_word_is_never_cut_but_found_where_matching_finds_it() -> None:
    found = closed_phrases([["my art"], ["cart, art"], ["cart"]], min_support=2)
    assert found == {"art": 0b111, "cart": 0b110}


def test_a_word_inside_other_words_alone_is_no_phrase() -> None:
    assert closed_phrases([["carts"], ["starting"]], min_support=2) == {}


def test_no_phrase_stands_across_two_lines() -> None:
    assert closed_phrases([["我退", "款了"], ["要退", "款吗"]], min_support=2) == {}


def test_of_equally_long_phrases_of_the_same_dialogues_the_first_by_code_point_stays() -> None:
    assert closed_phrases([["退款，下单"], ["下单。退款"]], min_support=2) == {"下单": 0b11}


def test_numbers_alone_are_no_phrase() -> None:
    assert closed_phrases([["123 45"], ["123 45"]], min_support=2) == {}
