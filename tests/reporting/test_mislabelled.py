"""Likely mislabelled dialogues: who is suspect, in which order, and who is merely hard to tell."""

from __future__ import annotations

import numpy as np
import pytest

from kdsl_cli.prediction.held_out import HeldOut, held_out
from kdsl_cli.prediction.outoffold import OutOfFold
from kdsl_cli.reporting.mislabelled import suspects

NAMES = ("refund", "parcel", "coupon")


def said(together, truth, rules=None, large=None, silent=None):
    scores = np.array(together, dtype=float)
    n = len(scores)
    return HeldOut(
        tuple(f"d{row:02}" for row in range(n)),
        np.array(truth),
        None if rules is None else np.array(rules, dtype=float),
        None if large is None else np.array(large, dtype=float),
        scores,
        np.zeros(n, dtype=bool) if silent is None else np.array(silent),
    )


SURE = {0: [0.9, 0.05, 0.05], 1: [0.05, 0.9, 0.05], 2: [0.05, 0.05, 0.9]}


def test_a_dialogue_taken_for_something_else_is_suspect_and_the_surest_comes_first():
    rows = [0] * 8 + [1] * 8 + [2] * 8
    together = [SURE[row] for row in rows]
    together[3], together[9] = [0.1, 0.85, 0.05], SURE[2]
    found = suspects(said(together, rows), "scene", NAMES)
    assert [(one.id, one.label, one.suggested) for one in found] == [
        ("d09", "parcel", "coupon"),
        ("d03", "refund", "parcel"),
    ]
    assert (found[1].p_label, found[1].p_suggested) == (0.1, 0.85)


def test_intents_taken_for_each_other_both_ways_come_last_and_are_marked():
    rows = [0] * 10 + [1] * 10 + [2] * 10
    together = [SURE[row] for row in rows]
    for row in (0, 1):
        together[row] = [0.02, 0.96, 0.02]
    for row in (10, 11):
        together[row] = [0.96, 0.02, 0.02]
    together[20] = [0.8, 0.1, 0.1]
    found = suspects(said(together, rows), "scene", NAMES)
    assert [one.id for one in found] == ["d20", "d00", "d01", "d10", "d11"]
    assert [one.confusable for one in found] == [False, True, True, True, True]


def test_one_way_is_no_confusion_however_often():
    rows = [0] * 10 + [1] * 10
    together = [SURE[row] for row in rows]
    for row in (0, 1, 2):
        together[row] = SURE[1]
    assert [one.confusable for one in suspects(said(together, rows), "scene", NAMES)] == [False] * 3


def test_each_side_is_told_and_silence_is_nobodys_word():
    rows = [0] * 4 + [1] * 4
    together = [SURE[row] for row in rows]
    together[0] = together[1] = SURE[1]
    rules = [SURE[1], SURE[0], *[SURE[row] for row in rows[2:]]]
    large = [SURE[1], SURE[1], *[SURE[row] for row in rows[2:]]]
    silent = [False, True, *[False] * 6]
    first, second = suspects(said(together, rows, rules, large, silent), "scene", NAMES)
    assert (first.rules, first.large, first.against) == ("parcel", "parcel", 2)
    assert (second.rules, second.large, second.against) == (None, "parcel", 1)


def test_out_of_fold_scores_of_both_sides_become_one_probability_a_row():
    labels = {f"d{n}": NAMES[n % 2] for n in range(40)}
    large = {id: (0.8, 0.1, 0.1) if name == "refund" else (0.1, 0.8, 0.1) for id, name in labels.items()}
    rules = {id: None if id == "d0" else (2.0, 0.0, 0.0) for id in labels}
    found = held_out(
        OutOfFold({"scene": rules}),
        OutOfFold({"scene": {**large, "d1": None}}),
        {**labels, "gone": "refund"},
        "scene",
        NAMES,
    )
    assert len(found.ids) == 39 and "d1" not in found.ids and found.ids == tuple(sorted(found.ids))
    assert found.silent.tolist() == [id == "d0" for id in found.ids]
    assert (found.together.argmax(axis=1) == found.truth).all()
    assert np.allclose(found.together.sum(axis=1), 1)


@pytest.mark.parametrize("side", ["rules", "large"])
def test_one_side_is_enough_and_none_is_not(side):
    labels = {f"d{n}": NAMES[n % 2] for n in range(10)}
    scores = {id: (0.9, 0.05, 0.05) if name == "refund" else (0.05, 0.9, 0.05) for id, name in labels.items()}
    one = OutOfFold({"scene": scores})
    sides = {"rules": None, "large": None, side: one}
    found = held_out(sides["rules"], sides["large"], labels, "scene", NAMES)
    assert (found.rules is None, found.large is None) == (side == "large", side == "rules")
    assert (found.together.argmax(axis=1) == found.truth).all()
    with pytest.raises(ValueError, match="no side"):
        held_out(None, None, labels, "scene", NAMES)
