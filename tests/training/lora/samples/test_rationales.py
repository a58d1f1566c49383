"""Reasons: read from a file, or written by another model that is told the intent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kdsl_cli.backends.backend import Generated
from kdsl_cli.backends.scripted import ScriptedBackend
from kdsl_cli.dialogues.schema import Turn
from kdsl_cli.errors import DatasetError
from kdsl_cli.training.lora.samples.rationales import (
    LONGEST,
    Written,
    dump,
    read_reasons,
    repeated,
    with_reasons,
    write_reasons,
    writer_prompt,
)
from kdsl_cli.training.lora.samples.samples import sample_of
from tests.training.lora.dialogues import TASK, blind_view, said

GOOD = '{"id": "a", "reason": "因为\\n写着  退款"}\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "reasons.jsonl"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_reason_is_one_line(tmp_path: Path) -> None:
    assert read_reasons(written(tmp_path, GOOD)) == {"a": "因为 写着 退款"}


def test_what_is_written_down_is_read_back(tmp_path: Path) -> None:
    reasons = {"b": 'it says "where"', "a": "写着退款"}
    path = written(tmp_path, dump(reasons))
    assert read_reasons(path) == reasons
    assert [json.loads(line)["id"] for line in path.read_text("utf-8").splitlines()] == ["a", "b"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("{", "is not JSON"),
        ("[1]", "dictionary"),
        ('{"id": "b"}', "'reason'"),
        ('{"id": "b", "reason": "  "}', "'reason'"),
        ('{"id": 3, "reason": "x"}', "'id'"),
        ('{"id": "b", "reason": "x", "why": "y"}', "'why'"),
        ('{"id": "b", "reason": "x", "reason": "y"}', "a key stands twice"),
        ('{"id": "a", "reason": "another"}', "a second reason for 'a'"),
        (json.dumps({"id": "b", "reason": "x" * (LONGEST + 1)}), str(LONGEST)),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, row: str, told: str) -> None:
    with pytest.raises(DatasetError) as error:
        read_reasons(written(tmp_path, GOOD + row + "\n"))
    assert "reasons.jsonl:2: " in str(error.value) and told in str(error.value)


def test_all_bad_lines_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as error:
        read_reasons(written(tmp_path, '{"id": 1, "reason": 2}\n{}\n'))
    assert len(error.value.problems) == 4


def test_a_sample_with_a_reason_is_learnt_both_ways_and_no_other_split_is(tmp_path: Path) -> None:
    samples = [sample_of(said(name, "refund"), TASK) for name in "ab"]
    learnt = with_reasons(samples, {"b": "因为退款", "of-the-test-split": "?"})
    assert learnt[:2] == samples
    assert [(one.id, one.completion) for one in learnt[2:]] == [("b", "因为退款\nrefund")]


SCRIPT = """\
answers:
- {match: "broken", fail: "no answer today"}
- {match: "quiet", text: "  "}
- {match: "chatty", text: "%s"}
- {match: "refund", text: "They want\\n their money back."}
- {text: "It is asked where it is."}
"""


@pytest.fixture
def writer(tmp_path: Path) -> ScriptedBackend:
    (tmp_path / "answers.yaml").write_text(SCRIPT % ("x" * (LONGEST + 1)), encoding="utf-8")
    return ScriptedBackend(tmp_path / "answers.yaml")


def test_a_model_writes_reasons_and_what_it_cannot_is_told_by_id(writer: ScriptedBackend) -> None:
    told = {
        "a": "refund",
        "broken": "parcel",
        "quiet": "parcel",
        "chatty": "parcel",
        "b": "parcel",
        "c": "parcel",
    }
    samples = [sample_of(said(id, label, Turn("customer", id)), TASK) for id, label in told.items()]
    found = write_reasons(samples, writer, blind_view())
    assert found.reasons == {
        "a": "They want their money back.",
        "b": "It is asked where it is.",
        "c": "It is asked where it is.",
    }
    assert found.failed.keys() == {"broken", "quiet", "chatty"}
    assert found.failed["broken"] == "no answer today"
    assert repeated(found.reasons) == ("It is asked where it is.",)


def test_a_reason_that_was_cut_off_is_none(writer: ScriptedBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = Generated("They want their mon", None, "length")
    monkeypatch.setattr(writer, "generate", lambda prompts, sampling: [cut])
    found = write_reasons([sample_of(said("a", "refund"), TASK)], writer, blind_view())
    assert found == Written({}, {"a": "it wrote more than one sentence: They want their mon..."})


def test_the_writer_is_told_the_intent_and_what_it_means() -> None:
    sample = sample_of(said("a", "refund", Turn("customer", "", ("1.png",))), TASK)
    prompt = writer_prompt(sample, blind_view("1.png"))
    assert '"refund" (退款 · wants money back)' in str(prompt.parts[-1])
    assert [picture.path.name for picture in prompt.pictures] == ["1.png"]
