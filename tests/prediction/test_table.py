"""The border of `predictions.parquet`: what goes in comes out, and what breaks a promise is named."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from kdsl_cli.errors import StageError
from kdsl_cli.prediction.table import (
    COLUMNS,
    METADATA_KEY,
    Prediction,
    prediction_table,
    read_predictions,
    write_predictions,
)

INTENTS = {"scene": ("退款页面", "物流页面"), "intent": ("催发货", "查物流", "退货")}
DECIDED = Prediction(
    id="b",
    task="scene",
    split="test",
    group="g1",
    label="退款页面",
    prediction="退款页面",
    scores=(0.9, 0.1),
    fired=("refund-1", "refund-2"),
    strategy="log-odds",
    rules_prediction="退款页面",
    rules_scores=(0.8, 0.2),
    large_prediction="物流页面",
    large_scores=(0.4, 0.6),
    decided_by="rules",
)
ABSTAINED = Prediction("a", "intent", "test", None, None, None, (0.3, 0.3, 0.4), (), "rules")
FAILED = Prediction(
    "c", "scene", "test", None, "物流页面", None, None, (), "log-odds", error="picture: truncated"
)


def test_what_is_written_comes_back_sorted_by_id_with_the_order_of_intents(tmp_path):
    written = write_predictions(tmp_path / "p.parquet", [DECIDED, FAILED, ABSTAINED], INTENTS)
    table = read_predictions(tmp_path / "p.parquet")
    assert table.frame.equals(written.frame)
    assert table.intents == INTENTS
    assert list(table.intents) == list(INTENTS)
    assert table.frame["id"].to_list() == ["a", "b", "c"]
    abstained, decided, failed = table.frame.iter_rows(named=True)
    assert decided["scores"] == [0.9, 0.1]
    assert decided["fired"] == ["refund-1", "refund-2"]
    assert (abstained["prediction"], abstained["scores"], abstained["fired"]) == (None, [0.3, 0.3, 0.4], [])
    assert (failed["prediction"], failed["scores"], failed["error"]) == (None, None, "picture: truncated")


def test_the_same_rows_in_another_order_make_the_same_bytes(tmp_path):
    write_predictions(tmp_path / "1.parquet", [DECIDED, ABSTAINED], INTENTS)
    write_predictions(tmp_path / "2.parquet", [ABSTAINED, DECIDED], INTENTS)
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()


def test_no_rows_are_a_table_too(tmp_path):
    write_predictions(tmp_path / "p.parquet", [], INTENTS)
    assert read_predictions(tmp_path / "p.parquet").frame.schema == pl.Schema(dict(COLUMNS))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "a"}, ":a: the id occurs twice"),
        ({"task": "scnee"}, "task 'scnee' is not among scene, intent"),
        ({"label": "查物流"}, "label '查物流' is no intent of scene"),
        ({"large_prediction": "?"}, "large_prediction '?' is no intent of scene"),
        ({"scores": (0.5, 0.3, 0.2)}, "scores are not 2 numbers from 0 to 1"),
        ({"scores": (float("nan"), 0.5)}, "scores are not 2 numbers from 0 to 1"),
        ({"rules_scores": (1.5, 0.0)}, "rules_scores are not 2 numbers from 0 to 1"),
        ({"scores": None}, "neither scores nor an error"),
        ({"error": "boom"}, "a failed row has neither prediction nor scores"),
        ({"prediction": None}, "prediction None was decided by 'rules'"),
        ({"decided_by": "none"}, "was decided by 'none'"),
        ({"decided_by": "chance"}, "decided_by 'chance' is not one of rules, large, both, none"),
    ],
)
def test_a_row_that_breaks_a_promise_is_named_and_nothing_is_written(tmp_path, change, message):
    with pytest.raises(StageError) as error:
        write_predictions(tmp_path / "p.parquet", [ABSTAINED, replace(DECIDED, **change)], INTENTS)
    assert message in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_only_a_failed_row_may_be_of_an_unknown_task():
    failed = replace(FAILED, task="scnee", error="unknown task 'scnee'")
    assert prediction_table([failed], INTENTS).frame["label"].to_list() == ["物流页面"]
    with pytest.raises(StageError, match="large_prediction '退款页面' is no intent of scnee"):
        prediction_table([replace(failed, large_prediction="退款页面")], INTENTS)


def test_every_wrong_row_is_named_at_once():
    with pytest.raises(StageError) as error:
        prediction_table([replace(DECIDED, label="x"), replace(FAILED, error=None)], INTENTS)
    assert [problem.where for problem in error.value.problems] == ["predictions:b", "predictions:c"]


def rewrite(path, frame, metadata):
    frame.write_parquet(path, metadata=metadata)
    return path


def test_a_file_of_another_kind_is_refused_with_what_is_allowed(tmp_path):
    path = tmp_path / "p.parquet"
    write_predictions(path, [DECIDED], INTENTS)
    frame, note = pl.read_parquet(path), pl.read_parquet_metadata(path)[METADATA_KEY]

    for metadata, message in [
        ({}, "no predictions"),
        ({METADATA_KEY: "["}, "no predictions"),
        ({METADATA_KEY: note.replace("predictions/2", "predictions/9")}, "schema 'kdsl.predictions/9'"),
    ]:
        with pytest.raises(StageError, match=r"Allowed: kdsl\.predictions/2") as error:
            read_predictions(rewrite(path, frame, metadata))
        assert message in str(error.value)

    for changed, message in [
        (frame.drop("fired", "label"), "column 'label' is missing.\n"),
        (frame.with_columns(extra=1), "column 'extra' is unknown"),
        (frame.with_columns(pl.lit(1).alias("group")), "column 'group' holds Int32, not String"),
        (frame.with_columns(pl.lit(None, pl.String).alias("strategy")), ":b: nothing in strategy"),
        (pl.concat([frame, frame]), ":b: the id occurs twice"),
    ]:
        with pytest.raises(StageError) as error:
            read_predictions(rewrite(path, changed, {METADATA_KEY: note}))
        assert message in str(error.value)


def test_a_file_that_is_not_there_or_torn_says_what_to_run(tmp_path):
    with pytest.raises(StageError, match=r"no such file.*Run `kdsl predict` first"):
        read_predictions(tmp_path / "p.parquet")
    path = tmp_path / "p.parquet"
    write_predictions(path, [DECIDED], INTENTS)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(StageError, match="not a whole Parquet file"):
        read_predictions(path)
