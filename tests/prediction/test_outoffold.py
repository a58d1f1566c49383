"""Out-of-fold files: joined by id, never by place; refused where the order of intents differs."""

from __future__ import annotations

import json

import polars as pl
import pytest

from kdsl_cli.errors import StageError
from kdsl_cli.prediction.outoffold import OutOfFold, join, read_out_of_fold

INTENTS = {"scene": ("refund", "parcel"), "intent": ("ask", "return", "hurry")}
COMMAND = "kdsl prune-rules"


def write(path, rows, intents=INTENTS):
    schema = {"id": pl.String, "task": pl.String, "fold": pl.Int64, "scores": pl.List(pl.Float64)}
    note = {"intents": {task: list(names) for task, names in intents.items()}}
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(path, metadata={"kdsl": json.dumps(note)})
    return path


def test_what_was_written_is_read_by_task_and_id(tmp_path):
    path = write(tmp_path / "oof.parquet", [("b", "scene", 1, None), ("a", "scene", 0, [1.5, -0.5])])
    found = read_out_of_fold(path, INTENTS, command=COMMAND)
    assert found.scores == {"scene": {"a": (1.5, -0.5), "b": None}, "intent": {}}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("parcel", "refund"), "scene: its intents stand in another order than in the catalogue"),
        (("refund",), "scene: scores of 'parcel' are missing"),
        (("refund", "parcels"), "the catalogue has no intent 'parcels'. Did you mean 'parcel'?"),
    ],
)
def test_other_intents_or_another_order_are_refused(tmp_path, names, message):
    path = write(tmp_path / "oof.parquet", [], {"scene": names})
    with pytest.raises(StageError) as error:
        read_out_of_fold(path, INTENTS, command=COMMAND)
    assert message in str(error.value)
    assert "Run again: kdsl prune-rules" in str(error.value)


def test_a_task_that_the_catalogue_no_longer_has_is_left_out(tmp_path):
    path = write(tmp_path / "oof.parquet", [("a", "old", 0, [1.0])], {"old": ("x",)})
    assert read_out_of_fold(path, INTENTS, command=COMMAND).scores == {}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a", "scene", 0, [1.0])], ":a: scores are not 2 numbers"),
        ([("a", "scene", 0, [1.0, None])], ":a: scores are not 2 numbers"),
        ([("a", "scene", 0, [1.0, float("inf")])], ":a: scores are not 2 numbers"),
        ([("a", "scene", 0, None), ("a", "scene", 1, None)], ":a: the id occurs twice"),
    ],
)
def test_broken_rows_are_named(tmp_path, rows, message):
    with pytest.raises(StageError) as error:
        read_out_of_fold(write(tmp_path / "oof.parquet", rows), INTENTS, command=COMMAND)
    assert message in str(error.value)


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "oof.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(StageError, match="not a file of out-of-fold scores"):
        read_out_of_fold(path, INTENTS, command=COMMAND)
    pl.DataFrame({"id": ["a"]}).write_parquet(path)
    with pytest.raises(StageError, match="not a file of out-of-fold scores"):
        read_out_of_fold(path, INTENTS, command=COMMAND)


def test_sides_are_joined_by_id_and_silent_rules_score_zero():
    rules = OutOfFold({"scene": {"a": (2.0, 0.0), "b": None, "only-rules": (1.0, 0.0), "no-label": None}})
    large = OutOfFold({"scene": {"b": (0.3, 0.7), "a": (0.6, 0.4), "only-large": (0.5, 0.5), "mute": None}})
    labels = {"a": "refund", "b": "parcel", "only-rules": "refund", "only-large": "refund", "mute": "refund"}
    joined = join(rules, large, labels, "scene", INTENTS["scene"])
    assert joined.rules.tolist() == [[2, 0], [0, 0]]
    assert joined.large.tolist() == [[0.6, 0.4], [0.3, 0.7]]
    assert joined.truth.tolist() == [0, 1]


def test_a_task_that_one_side_never_saw_joins_to_nothing():
    joined = join(
        OutOfFold({}), OutOfFold({"scene": {"a": (0.5, 0.5)}}), {"a": "refund"}, "scene", ("x", "y")
    )
    assert len(joined) == 0
    assert joined.rules.shape == (0, 2)
