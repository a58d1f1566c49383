from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from kdsl_cli.errors import EvidenceError
from kdsl_cli.evidence.table import SCHEMA, read_facts, write_facts
from kdsl_cli.logic.facts import Facts, ImageFact, OcrLine, TurnFact

FULL = Facts(
    "b",
    (TurnFact(0, "customer", "退货"), TurnFact(1, "service", "")),
    (OcrLine(0, 0, "退款", 0.9, (0.0, 0.1, 0.5, 0.2)), OcrLine(2, 0, "订单", 0.8, (0.1, 0.1, 1 / 3, 0.2))),
    (
        ImageFact(0, "screenshot", {"aspect": 0.5, "line_count": 1.0}),
        ImageFact(1, error="empty file"),
        ImageFact(2, None, {"aspect": 2.0}),
    ),
)
TEXT_ONLY = Facts("a", (TurnFact(0, "customer", "你好"),))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    write_facts(path, [FULL, TEXT_ONLY], {("b", 0): "k0"})
    assert read_facts([path]) == {"a": TEXT_ONLY, "b": FULL}
    assert list(read_facts([path])) == ["a", "b"]


def test_order_of_dialogues_does_not_change_the_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one.parquet", tmp_path / "two.parquet"
    write_facts(one, [FULL, TEXT_ONLY])
    write_facts(two, [TEXT_ONLY, FULL])
    assert one.read_bytes() == two.read_bytes()


def test_a_failed_picture_is_a_row_of_its_own_kind_with_reason_and_key(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    write_facts(path, [FULL], {("b", 1): "k1"})
    frame = pl.read_parquet(path)
    assert frame.schema == SCHEMA
    failed = frame.filter(pl.col("kind") == "failed")
    assert failed.select("id", "image", "error", "key").rows() == [("b", 1, "empty file", "k1")]


def test_only_the_dialogues_wanted_are_given(tmp_path: Path) -> None:
    train, val = tmp_path / "train.parquet", tmp_path / "val.parquet"
    write_facts(train, [FULL])
    write_facts(val, [TEXT_ONLY])
    assert list(read_facts([train, val], ids=["a"])) == ["a"]
    assert list(read_facts([train, val])) == ["b", "a"]


def test_no_dialogues_make_a_readable_file(tmp_path: Path) -> None:
    path = tmp_path / "val.parquet"
    write_facts(path, [])
    assert read_facts([path]) == {}


def test_a_dialogue_without_evidence_is_named(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    write_facts(path, [FULL])
    with pytest.raises(EvidenceError, match="no evidence of 1 dialogues: zz"):
        read_facts([path], ids=["b", "zz"])


def test_a_dialogue_in_two_files_is_refused(tmp_path: Path) -> None:
    paths = [tmp_path / "train.parquet", tmp_path / "val.parquet"]
    for path in paths:
        write_facts(path, [FULL])
    with pytest.raises(EvidenceError, match="two files"):
        read_facts(paths)


def test_files_that_are_no_evidence_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="no such file"):
        read_facts([tmp_path / "none.parquet"])
    (tmp_path / "text.parquet").write_text("hello")
    with pytest.raises(EvidenceError, match="not a Parquet file"):
        read_facts([tmp_path / "text.parquet"])
    pl.DataFrame({"id": ["a"]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(EvidenceError, match="its columns are others"):
        read_facts([tmp_path / "other.parquet"])
