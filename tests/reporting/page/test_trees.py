from __future__ import annotations

from kdsl_cli.logic.conditions import condition_key
from kdsl_cli.reporting.page.trees import FOUND, IN_USE, TRIED, moves, search_trees
from tests.reporting.page.made import BASES, PARCEL, REFUND, search


def test_a_tree_has_steps_worth_and_what_became_of_each_draft():
    (tree,) = search_trees([search()], BASES)
    assert (tree["task"], tree["intent"], tree["simulations"], tree["found"]) == ("scene", "退款", 5, 2)
    ((_, visits, _, _, hidden, (refund, parcel)),) = tree["rounds"]
    assert (visits, hidden) == (5, 0)
    assert refund[:5] == ['a line at the top of the screen contains "退款"', 3, 0.5, FOUND, 0]
    assert parcel[1:4] == [1, 0.1, TRIED]
    (more,) = refund[5]
    assert more[1:4] == [2, 0.75, IN_USE]  # its condition is that of r-refund
    assert more[0].startswith("not (a line on the screen contains") and "at the top" in more[0]


def test_a_draft_that_was_left_is_told_by_its_last_move():
    (tree,) = search_trees([search(found=[])], BASES)
    ((*_, (refund, _)),) = tree["rounds"]
    assert refund[5][0][0].startswith("not: a line on the screen contains")


def test_searches_without_a_fold_are_not_shown():
    assert list(search_trees([search(fold=0)], BASES)) == []


def test_a_search_that_was_gone_on_with_is_one():
    whole = search()
    parts = [search(events=whole["events"][:2], complete=False, found=[]), search(events=whole["events"][2:])]
    assert list(search_trees(parts, BASES)) == list(search_trees([whole], BASES))


def test_many_drafts_are_counted_and_the_kept_ones_shown_all_the_same():
    keys = [condition_key(type(REFUND)("contains", (f"w{number}",))) for number in range(30)]
    events = [
        {"round": 0, "simulation": number, "path": [f"require {key}"], "key": key, "value": 0.1, "new": True}
        for number, key in enumerate(keys)
    ]
    (tree,) = search_trees([search(events=events, found=[{"round": 0, "condition": keys[-1]}])], BASES)
    ((*_, hidden, children),) = tree["rounds"]
    assert hidden + len(children) == 30 and len(children) == 9
    assert children[-1][3] == FOUND


def test_two_moves_at_once_are_both_told_whatever_their_phrases_hold():
    sly = condition_key(type(REFUND)("contains", (" + require [",)))
    label = f"require {condition_key(PARCEL)} + exclude {sly}"
    first, second = moves(label).split("; ")
    assert first == 'a line on the screen contains "box" or "parcel"'
    assert second == 'not: a line on the screen contains " + require ["'
