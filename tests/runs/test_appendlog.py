"""A log loses at most the line in work, and says where somebody else wrote into it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl_cli.errors import StageError
from kdsl_cli.runs.appendlog import AppendLog, read_log

RECORDS = st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=9) | st.integers()), max_size=5)


def test_no_file_is_an_empty_log(tmp_path):
    assert read_log(tmp_path / "none.jsonl") == []


@settings(max_examples=30)
@given(records=RECORDS, more=RECORDS, data=st.data())
def test_cut_anywhere_a_log_keeps_its_whole_lines_and_goes_on_from_there(
    tmp_path_factory, records, more, data
):
    path = tmp_path_factory.mktemp("log") / "a.jsonl"
    with AppendLog(path, sync=False) as log:
        log.extend(records)
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    kept = records[: whole[:cut].count(b"\n")]
    assert read_log(path) == kept
    with AppendLog(path, sync=False) as log:
        log.extend(more)
    assert read_log(path) == kept + more


def test_a_torn_line_longer_than_a_block_is_cut_off(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 1}\n{"n": "' + b"x" * 200_000)
    AppendLog(path).close()
    assert path.read_bytes() == b'{"n": 1}\n'


def test_every_broken_line_is_named(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 1}\n{"n": \n[2]\n\n{"n": 3}\n{"n"')
    with pytest.raises(StageError) as caught:
        read_log(path)
    assert [problem.where for problem in caught.value.problems] == [f"{path}:{line}" for line in (2, 3, 4)]


def test_what_was_appended_is_there_before_the_log_is_closed(tmp_path):
    log = AppendLog(tmp_path / "a.jsonl")
    log.append({"intent": "退款"})
    assert read_log(tmp_path / "a.jsonl") == [{"intent": "退款"}]
    log.close()


def test_what_is_not_json_is_refused_and_leaves_no_trace(tmp_path):
    with AppendLog(tmp_path / "a.jsonl") as log:
        with pytest.raises(ValueError, match="JSON compliant"):
            log.extend([{"n": 1}, {"n": float("inf")}])
        log.append({"n": 2})
    assert read_log(tmp_path / "a.jsonl") == [{"n": 2}]
