"""A hash says what a file was, wherever it lies."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from kdsl_cli.runs.hashing import file_record, sha256_bytes, sha256_file, sha256_json


def test_a_file_has_the_hash_of_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_file(tmp_path / "a") == sha256_bytes(b"abc")
    assert sha256_bytes(b"abc").startswith("ba7816bf8f01cfea")


def test_json_hashes_do_not_hang_on_the_order_of_keys_but_on_types():
    assert sha256_json({"b": Path("x/y"), "a": None}) == sha256_json({"a": None, "b": "x/y"})
    assert sha256_json({"a": 1}) != sha256_json({"a": "1"})
    assert sha256_json([1, 2]) != sha256_json([2, 1])


@pytest.mark.parametrize("value", [{"a": float("nan")}, {"a": {1, 2}}, {"a": object()}])
def test_what_json_cannot_say_has_no_hash(value):
    with pytest.raises((TypeError, ValueError)):
        sha256_json(value)


def test_rows_are_counted_where_there_are_rows(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"n": 1}\n\n{"n": 2}')
    pl.DataFrame({"n": [1, 2, 3]}).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.txt").write_text("one\n")
    (tmp_path / "broken.parquet").write_text("PAR1")
    rows = {path.name: file_record(path).rows for path in tmp_path.iterdir()}
    assert rows == {"a.jsonl": 2, "a.parquet": 3, "a.txt": None, "broken.parquet": None}


def test_a_path_is_told_from_the_base(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("one")
    record = file_record(tmp_path / "data" / "a.txt", base=tmp_path / "runs" / "mine")
    assert (record.path, record.bytes) == ("../../data/a.txt", 3)


def test_a_folder_is_its_names_and_contents_but_not_what_is_hidden(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(b"1")
    before = file_record(tmp_path / "a")
    (tmp_path / "a" / ".1.png.0123abcd.tmp").write_bytes(b"half")
    assert file_record(tmp_path / "a") == before
    assert (before.rows, before.bytes) == (1, 1)
    (tmp_path / "a" / "1.png").rename(tmp_path / "a" / "2.png")
    assert file_record(tmp_path / "a").sha256 != before.sha256
