"""Per dialogue and confusions."""

from __future__ import annotations

from kdsl_cli.reporting.decisions import confusions, per_dialogue


def test_every_row_is_there_with_its_state_and_null_where_nothing_can_be_said(table):
    found = per_dialogue(table)
    assert found["id"].to_list() == ["c1", "c2", "s1", "s2", "s3", "s4", "s5", "s6"]
    by_id = {row["id"]: row for row in found.iter_rows(named=True)}

    def told(name):
        return tuple(by_id[name][column] for column in ("state", "right", "rules_right", "large_right"))

    assert told("s2") == ("decided", True, True, False)
    assert told("s3") == ("decided", True, False, True)  # no rule fired: the rules abstained
    assert told("s4") == ("abstained", False, False, True)
    assert told("s5") == ("failed", None, None, None)
    assert told("s6") == ("decided", None, None, None)  # no label
    assert (by_id["s5"]["error"], by_id["s5"]["confidence"]) == ("picture: truncated", None)
    assert (by_id["s2"]["confidence"], by_id["s2"]["fired"]) == (0.8, ["r-refund", "r-parcel"])


def test_a_side_that_took_no_part_is_neither_right_nor_wrong(row, table_of):
    found = per_dialogue(table_of([row("a", "refund", ("refund", None, "refund"), strategy="rules")]))
    assert found.row(0, named=True)["rules_right"] is True
    assert found.row(0, named=True)["large_right"] is None


def test_confusions_count_the_wrong_rows_by_pair_with_their_ids(table):
    found = confusions(table)
    rules = [row for row in found.iter_rows() if row[:2] == ("rules", "scene")]
    assert rules == [
        ("rules", "scene", "parcel", "refund", 1, ["s4"]),
        ("rules", "scene", "parcel", None, 1, ["s3"]),
    ]
    assert [row for row in found.iter_rows() if row[0] == "together"] == [
        ("together", "scene", "parcel", None, 1, ["s4"])
    ]


def test_the_most_frequent_confusion_comes_first(row, table_of):
    rows = [row("a", "coupon", (None, None, "parcel"))]
    rows += [row(name, "refund", (None, None, "parcel")) for name in ("c", "b")]
    found = [line for line in confusions(table_of(rows)).iter_rows() if line[0] == "together"]
    assert [(line[2], line[4], line[5]) for line in found] == [
        ("refund", 2, ["b", "c"]),
        ("coupon", 1, ["a"]),
    ]


def test_nothing_wrong_is_an_empty_table_with_its_columns(row, table_of):
    found = confusions(table_of([row("a", "refund", ("refund", "refund", "refund"))]))
    assert (found.height, found.columns) == (0, ["system", "task", "label", "prediction", "count", "ids"])
