"""Files are whole or not there."""

from __future__ import annotations

import polars as pl
import pytest

from kdsl_cli.runs.atomic import replacing, sweep, write_bytes, write_json, write_parquet, write_text


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "rules.yaml"
    write_text(path, "old")
    with pytest.raises(ZeroDivisionError), replacing(path) as temporary:
        temporary.write_text("half of the n")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["rules.yaml"]


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a"
    write_bytes(path, b"old")
    with replacing(path) as temporary:
        temporary.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_folders_are_made_and_text_is_written_as_it_is(tmp_path):
    path = tmp_path / "a" / "b.txt"
    write_text(path, "退款\r\n")
    assert path.read_bytes() == "退款\r\n".encode()


def test_a_symbolic_link_stays_one(tmp_path):
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "rules.yaml", tmp_path / "rules.yaml"
    target.write_text("old")
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_new_file_may_be_read_by_whom_the_umask_says(tmp_path):
    by_open, by_us = tmp_path / "open", tmp_path / "us"
    by_open.write_text("")
    write_text(by_us, "")
    assert by_us.stat().st_mode == by_open.stat().st_mode


def test_sweep_takes_what_killed_writers_left_and_nothing_of_a_person(tmp_path):
    for name in (".kept.parquet.0123abcd.tmp", "notes.tmp", ".hidden.tmp", "kept.parquet"):
        (tmp_path / name).touch()
    sweep(tmp_path)
    assert names(tmp_path) == [".hidden.tmp", "kept.parquet", "notes.tmp"]


def test_json_keeps_chinese_readable_and_refuses_what_is_not_json(tmp_path):
    write_json(tmp_path / "a.json", {"意图": 1})
    assert "意图" in (tmp_path / "a.json").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"意图": float("nan")})


def test_parquet_comes_back_with_its_metadata(tmp_path):
    frame = pl.DataFrame({"id": ["a", "b"], "score": [0.5, None]})
    write_parquet(tmp_path / "a.parquet", frame, metadata={"intents": "x,y"})
    assert pl.read_parquet(tmp_path / "a.parquet").equals(frame)
    assert pl.read_parquet_metadata(tmp_path / "a.parquet")["intents"] == "x,y"
