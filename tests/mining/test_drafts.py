from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl_cli.logic.conditions import condition_key
from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.indexing import index
from kdsl_cli.logic.matching import holds
from kdsl_cli.mining.candidates import candidates
from kdsl_cli.mining.drafts import Draft, Workbench, can_widen
from kdsl_cli.mining.sample import mask_of
from tests.logic.strategies import facts

from .planted import bits, candidate, has

TWELVE = range(12)
HALVES = (bits(*range(6)), bits(*range(6, 12)))


def bench(*positives: int) -> Workbench:
    """Twelve dialogues, the first six in fold 0, the others in fold 1."""
    everyone = bits(*TWELVE)
    return Workbench(bits(*positives), everyone, HALVES, everyone)


def opened(on: Workbench, *true: int) -> Draft:
    rest = [place for place in TWELVE if place not in true]
    return on.move(on.empty(), "require", candidate(true, rest, "开"))


def test_a_part_found_in_one_fold_only_does_not_stand_there() -> None:
    draft = opened(bench(0, 1, 2, 6), 0, 1, 6)
    assert draft.fires == bits(0, 1, 6)
    assert draft.standing == bits(6)  # fold 0 alone finds two; in fold 0 nobody else vouches for it


def test_a_part_found_in_both_folds_stands_in_both() -> None:
    assert opened(bench(0, 1, 6, 7), 0, 1, 6, 7, 8).standing == bits(0, 1, 6, 7, 8)


def test_a_part_that_is_right_no_oftener_than_chance_does_not_stand() -> None:
    # Seen from fold 1, fold 0 has two right of four, and half of fold 0 is right anyway.
    assert opened(bench(0, 1, 2, 6), 0, 1, 3, 4, 6).standing == 0


def narrowed(on: Workbench, draft: Draft, move: str, *true: int) -> Draft:
    rest = [place for place in TWELVE if place not in true]
    one = candidate(true, rest, "窄") if move == "require" else candidate(rest, true, "窄")
    return on.move(draft, move, one)  # type: ignore[arg-type]


@pytest.mark.parametrize("move", ["require", "exclude"])
def test_narrowing_stands_where_the_other_fold_sheds_wrong_firings_too(move: str) -> None:
    on = bench(0, 1, 2, 6, 7, 8)
    draft = opened(on, 0, 1, 2, 3, 4, 6, 7, 8, 9, 10)
    assert draft.standing == draft.fires
    both = narrowed(on, draft, move, 0, 1, 2, 6, 7, 8)
    assert both.standing == both.fires == bits(0, 1, 2, 6, 7, 8)
    # Dialogues 3 and 4 are shed in fold 0 alone: that vouches for fold 1, and nothing does for fold 0.
    first = narrowed(on, draft, move, 0, 1, 2, 7, 8, 9, 10)
    assert first.fires == bits(0, 1, 2, 7, 8, 9, 10)
    assert first.standing == bits(0, 1, 2, 3, 4, 7, 8, 9, 10)


def test_what_is_unknown_is_not_excluded_from_being_there() -> None:
    on = bench(0, 1, 6, 7)
    draft = on.move(opened(on, 0, 1, 2, 6, 7, 8), "exclude", candidate([2, 8], [0, 1, 6], "窄"))
    assert draft.fires == bits(0, 1, 6)  # of 7 nobody knows


def test_an_alternative_stands_where_the_other_fold_finds_it_too() -> None:
    on = bench(0, 1, 2, 4, 5, 6, 7, 8, 10)
    draft = on.move(opened(on, 0, 1, 2, 6, 7, 8), "widen", candidate([4, 5, 10], [], "宽"))
    assert draft.fires == bits(0, 1, 2, 4, 5, 6, 7, 8, 10)
    assert draft.standing == bits(0, 1, 2, 6, 7, 8, 10)
    assert condition_key(draft.condition()) == condition_key(has("宽", "开"))
    assert draft.length == 2


@settings(max_examples=50, deadline=None)
@given(*[st.integers(0, (1 << 12) - 1)] * 4)
def test_whether_a_part_stands_in_a_fold_does_not_hang_on_the_labels_of_that_fold(
    fires: int, others: int, one: int, another: int
) -> None:
    inside, outside = HALVES
    everyone = inside | outside
    standing = {
        Workbench(others & outside | labels & inside, everyone, HALVES, everyone).found(fires) & inside
        for labels in (one, another)
    }
    assert len(standing) == 1


def test_only_a_single_phrase_of_the_same_place_is_an_alternative() -> None:
    on = bench(0, 1, 6, 7)
    draft = opened(on, 0, 1, 6, 7)
    assert can_widen(draft, has("宽"))
    assert not can_widen(draft, has("开"))
    assert not can_widen(draft, has("宽", "阔"))
    assert not can_widen(narrowed(on, draft, "require", 0, 1), has("宽"))
    assert not can_widen(on.empty(), has("宽"))


def test_an_empty_draft_is_no_condition() -> None:
    with pytest.raises(ValueError, match="empty"):
        bench(0).empty().condition()


@settings(max_examples=25, deadline=None)
@given(st.lists(facts(), min_size=2, max_size=4), st.data())
def test_a_draft_fires_where_matching_says_its_condition_holds(
    dialogues: list[Facts], data: st.DataObject
) -> None:
    pool = candidates([index(one) for one in dialogues], min_support=1)
    everyone = (1 << len(dialogues)) - 1
    positives = data.draw(st.integers(0, everyone))
    on = Workbench(positives, everyone, (everyone & 0b10101, everyone & 0b01010), everyone)
    draft = on.empty()
    for _ in range(3 if pool else 0):
        one = data.draw(st.sampled_from(pool))
        moves = ["require", "exclude"] if draft.clauses else ["require"]
        moves += ["widen"] * can_widen(draft, one.predicate)
        draft = on.move(draft, data.draw(st.sampled_from(moves)), one)  # type: ignore[arg-type]
        assert draft.fires == mask_of(holds(draft.condition(), facts) is True for facts in dialogues)
        assert not draft.standing & ~on.seen
