"""``kdsl write-reasons``: what is there is kept, what is not is asked for, and no other split is opened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.training.lora.samples.rationales import read_reasons

CATALOGUE = 'tasks: [{name: wish, intents: [{name: money, description: "wants it back"}, {name: hurry}]}]\n'
SCRIPT = """\
answers:
- {match: ["no luck"], fail: "no answer today"}
- {match: ["money"], text: "A sum is asked back."}
- {match: ["hurry"], text: "Somebody waits."}
"""
TRAIN = {"a": ("give it back", "money"), "b": ("quick", "hurry"), "c": ("hi", None), "d": ("soon", "hurry")}


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_environment: None) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kdsl.yaml").write_text("mine: {}\n")
    (tmp_path / "intents.yaml").write_text(CATALOGUE)
    (tmp_path / "model.yaml").write_text(SCRIPT)
    (tmp_path / "data").mkdir()
    learn(tmp_path, TRAIN)
    return tmp_path


def learn(space: Path, rows: dict[str, tuple[str, str | None]]) -> None:
    lines = [
        {
            "id": id,
            "task": "wish",
            "turns": [{"role": "customer", "text": text, "images": []}],
            "label": label,
        }
        for id, (text, label) in rows.items()
    ]
    (space / "data/train.jsonl").write_text(
        "".join(f"{json.dumps(row | {'group': None})}\n" for row in lines)
    )


def write(*more: str) -> int:
    return run(["write-reasons", "--small", "scripted:model.yaml", *more])


def test_every_labelled_training_dialogue_gets_a_reason(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write() == 0
    told = capsys.readouterr()
    assert "data/reasons.jsonl: 3 reasons, 3 of them new; 3 training dialogues" in told.out
    assert "1 reasons stand for several dialogues and teach little: 'Somebody waits.'" in told.err
    assert read_reasons(space / "data/reasons.jsonl") == {
        "a": "A sum is asked back.", "b": "Somebody waits.", "d": "Somebody waits.",
    }  # fmt: skip


def test_what_is_there_is_kept_and_only_the_rest_is_asked_for(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = space / "mine.jsonl"
    own.write_text('{"id": "a", "reason": "A person wrote this."}\n{"id": "gone", "reason": "And this."}\n')
    assert write("--out", "mine.jsonl", "--json") == 0
    assert json.loads(capsys.readouterr().out)["new"] == ["b", "d"]
    assert read_reasons(own)["a"] == "A person wrote this."
    assert read_reasons(own)["gone"] == "And this."
    before = own.read_bytes()
    (space / "model.yaml").unlink()
    assert write("--out", "mine.jsonl", "-q") == 0  # nobody is asked, so nobody need be there
    assert own.read_bytes() == before


def test_what_could_not_be_written_is_named_and_asked_for_again(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learn(space, TRAIN | {"e": ("no luck", "money")})
    assert write() == 0
    assert "no reason for e: no answer today" in capsys.readouterr().err
    (space / "model.yaml").write_text("answers: [{text: 'It went well.'}]\n")
    assert write() == 0
    assert read_reasons(space / "data/reasons.jsonl")["e"] == "It went well."


def test_a_model_that_writes_nothing_at_all_is_a_failed_check(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (space / "model.yaml").write_text("answers: [{fail: 'the model is gone'}]\n")
    assert write() == 1
    assert "no reason could be written" in capsys.readouterr().err
    assert not (space / "data/reasons.jsonl").exists()


def test_a_budget_leaves_what_was_written(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (space / "kdsl.yaml").write_text("small: {max_calls: 2}\n")
    assert write() == 0
    assert "the others have no reason yet" in capsys.readouterr().err
    assert not (space / "data/reasons.jsonl").exists()  # one batch holds all three, and it was not begun


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda space: (space / "data/train.jsonl").unlink(), "kdsl data split"),
        (lambda space: (space / "data/reasons.jsonl").write_text("{}\n"), "reasons.jsonl:1"),
        (lambda space: learn(space, {"a": ("hi", "hury")}), "Did you mean 'hurry'?"),
    ],
)
def test_what_is_wrong_is_told(
    space: Path, capsys: pytest.CaptureFixture[str], spoil: object, told: str
) -> None:
    spoil(space)  # type: ignore[operator]
    assert write() == 2
    assert told in capsys.readouterr().err
