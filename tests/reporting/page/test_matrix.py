from __future__ import annotations

import pytest

from kdsl_cli.reporting.page.matrix import SHADES, confusion_matrix, intent_rows
from tests.reporting.page.made import EVIL, INTENTS, material


@pytest.fixture(scope="module")
def made():
    return material(40)


def cells(matrix):
    return {
        (label, column): cell
        for label, _, row in matrix.rows
        for column, cell in zip(matrix.columns, row, strict=True)
        if cell
    }


def test_every_scored_dialogue_is_in_one_cell(made):
    matrix = confusion_matrix(made.tables, "scene", INTENTS["scene"])
    assert matrix.columns == ("退款", "parcel", EVIL, "(abstained)")
    found = {place: cell.count for place, cell in cells(matrix).items()}
    assert found == {
        ("退款", "退款"): 20,
        ("parcel", "退款"): 4,
        ("parcel", "parcel"): 16,
        ("parcel", "(abstained)"): 1,
        (EVIL, "退款"): 1,
    }


def test_a_cell_leads_to_its_dialogues_and_says_what_it_is(made):
    found = cells(confusion_matrix(made.tables, "scene", ["退款", "parcel", EVIL]))
    assert found["parcel", "退款"].link == "#list?task=scene&label=parcel&said=%E9%80%80%E6%AC%BE"
    assert found["parcel", "退款"].name == "4 of 21 parcel: 退款"
    assert found["parcel", "(abstained)"].link.endswith("label=parcel&state=abstained")


def test_the_shade_is_the_share_of_the_label(made):
    found = cells(confusion_matrix(made.tables, "scene", INTENTS["scene"]))
    assert found["退款", "退款"].shade == SHADES and found["退款", "退款"].right
    assert found["parcel", "(abstained)"].shade == 1 and not found["parcel", "(abstained)"].right


def test_an_intent_that_occurs_nowhere_has_no_row(made):
    assert [label for label, _, _ in confusion_matrix(made.tables, "chat", INTENTS["chat"]).rows] == ["hurry"]


def test_the_worst_intents_come_first_with_what_they_are_taken_for(made):
    rows = intent_rows(made.tables, "scene", {"parcel": -0.5})
    assert [row.intent for row in rows] == [EVIL, "parcel", "退款"]
    assert rows[0].confused == ("退款", 1) and rows[2].confused is None
    assert rows[1].start == -0.5 and rows[2].start is None
    assert set(rows[0].f1) == {"rules", "large", "together"}
