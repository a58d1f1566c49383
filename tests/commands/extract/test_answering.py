"""``kdsl extract`` where rules ask: a scripted model answers, and what nobody answers stays unknown."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from kdsl_cli.commands.app import run
from kdsl_cli.commands.extract.answering import answer_questions
from kdsl_cli.commands.workspace.layout import set_config_file
from kdsl_cli.commands.workspace.settings_sources import current_settings
from kdsl_cli.evidence.answers import answered_by, read_answers, write_answers
from kdsl_cli.runs.manifest import Manifest, read_manifest
from kdsl_cli.runs.stage import Stage

HURRY, MONEY = "Is the customer in a hurry?", "Is money asked back?"
SPLITS = {
    "train": {"a": "quick please", "b": "my money"},
    "val": {"c": "quick, my money"},
    "test": {"d": "hi"},
}
RULES = """\
schema: "kdsl.rules/1"
task: "wish"
rules:
- id: "r-hurry"
  intent: "hurry"
  when:
    answer: {question: "Is the customer in a hurry?", is: "yes"}
"""
ASKS_MORE = """\
- id: "r-money"
  intent: "return"
  when:
    answer: {question: "Is money asked back?", is: "yes"}
"""
LIKELY = "{yes: -0.1, no: -2.5}"
SCRIPT = f"""\
answers:
- {{match: ["(nothing)"], logprobs: {{yes: -1.0, no: -1.0}}}}
- {{match: ["quick", "hurry"], logprobs: {LIKELY}}}
- {{match: ["money\\n", "money asked"], logprobs: {LIKELY}}}
- {{match: [], logprobs: {{yes: -3.0, no: -0.05}}}}
"""


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_environment: None) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kdsl.yaml").write_text("extract: {workers: 1}\n")
    for folder in ("data", "rules"):
        (tmp_path / folder).mkdir()
    for split, texts in SPLITS.items():
        rows = [line(id, text) for id, text in texts.items()]
        (tmp_path / "data" / f"{split}.jsonl").write_text("".join(rows))
    (tmp_path / "rules/wish.yaml").write_text(RULES)
    (tmp_path / "model.yaml").write_text(SCRIPT)
    return tmp_path


def line(id: str, text: str, task: str = "wish", images: tuple[str, ...] = ()) -> str:
    turn = {"role": "customer", "text": text, "images": list(images)}
    return json.dumps({"id": id, "task": task, "turns": [turn], "group": None, "label": None}) + "\n"


def extract(*more: str) -> int:
    return run(["extract", "--small", "scripted:model.yaml", *more])


def answers(*splits: str) -> dict[str, dict[str, bool]]:
    return read_answers([Path(f"runs/answers/{split}.parquet") for split in splits])


def made() -> Manifest:
    found = read_manifest(Path("runs/answers"))
    assert found is not None
    return found


def test_the_questions_of_the_rules_are_answered_and_counted(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert extract() == 0
    told = capsys.readouterr()
    assert "4 answers to 1 questions of the rules: 0 undecided, 0 failed; 5 calls" in told.out
    assert "small model: scripted:model.yaml, pictures of 401,408 pixels at most" in told.err
    assert answers("train", "val", "test") == {
        "a": {HURRY: True}, "b": {HURRY: False}, "c": {HURRY: True}, "d": {HURRY: False},
    }  # fmt: skip
    assert answered_by(Path("runs/answers/train.parquet"))["kind"] == "scripted"
    assert extract("--json") == 0
    told = capsys.readouterr()
    assert "runs/answers: up to date" in told.err
    said = json.loads(told.out)
    assert (said["answers"]["ok"], said["answers"]["questions"]) == (4, {"wish": [HURRY]})
    assert extract("-q") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "runs/answers/test.parquet"


def test_a_second_run_asks_nobody_and_a_new_question_only_itself(space: Path) -> None:
    assert extract("-q") == 0
    before = Path("runs/answers/train.parquet").read_bytes()
    assert extract("-q", "--force") == 0
    assert (made().extra["calls"], made().extra["known"]) == (0, 5)
    assert Path("runs/answers/train.parquet").read_bytes() == before
    (space / "rules/wish.yaml").write_text(RULES + ASKS_MORE)
    assert extract("-q") == 0
    assert (made().extra["calls"], made().extra["known"]) == (5, 5)
    assert answers("train", "val") == {
        "a": {HURRY: True, MONEY: False},
        "b": {HURRY: False, MONEY: True},
        "c": {HURRY: True, MONEY: True},
    }


def test_what_the_large_model_learnt_from_is_asked_too(space: Path) -> None:
    with Stage("train", space / "runs/large", config={"questions": {"wish": [MONEY]}}).run():
        pass
    assert extract("-q", "--split", "val") == 0
    assert answers("val") == {"c": {HURRY: True, MONEY: True}}
    (space / "rules/wish.yaml").unlink()
    assert extract("-q", "--split", "val") == 0
    assert answers("val") == {"c": {MONEY: True}}


def test_splits_come_one_after_the_other_and_other_splits_stay_shut(space: Path) -> None:
    hidden = (space / "data/test.jsonl").rename(space / "hidden")
    assert extract("-q", "--split", "train") == 0
    assert extract("-q", "--split", "val") == 0
    assert (made().config["splits"], made().extra["calls"]) == (["train", "val"], 1)
    hidden.rename(space / "data/test.jsonl")
    assert extract("-q", "--split", "test") == 0
    assert set(answers("train", "val", "test")) == {"a", "b", "c", "d"}


def test_without_a_model_it_is_said_how_many_stay_unknown(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (space / "rules/wish.yaml").write_text(RULES + ASKS_MORE)
    assert run(["extract", "--split", "val"]) == 0
    told = capsys.readouterr().err
    assert "without answers for 'val', which stay unknown: 2" in told
    assert "kdsl extract --split val --small SPEC" in told
    assert not Path("runs/answers").exists()
    (space / "rules/wish.yaml").write_text(RULES)
    assert extract("--split", "val") == 0
    (space / "rules/wish.yaml").write_text(RULES + ASKS_MORE)
    capsys.readouterr()
    assert run(["extract", "--split", "val"]) == 0
    assert "without answers for 'val', which stay unknown: 1" in capsys.readouterr().err
    (space / "rules/wish.yaml").write_text(RULES)
    assert run(["extract", "--split", "val"]) == 0
    assert "unknown" not in capsys.readouterr().err


def test_rules_that_ask_nothing_need_no_model(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (space / "rules/wish.yaml").write_text(RULES.split("rules:")[0] + "rules: []\n")
    assert run(["extract", "--small", "scripted:nowhere.yaml", "--json"]) == 0
    told = capsys.readouterr()
    assert "answers" not in json.loads(told.out) and "warning" not in told.err
    assert not Path("runs/answers").exists()


def test_a_question_is_asked_of_its_own_task_alone(space: Path) -> None:
    with (space / "data/val.jsonl").open("a") as file:
        file.write(line("e", "quick", task="scene"))
    assert extract("-q", "--split", "val") == 0
    assert set(answers("val")) == {"c"}


def test_what_failed_is_unknown_named_and_tried_again(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (space / "data/val.jsonl").write_text(
        line("c", "quick") + line("x", "busy") + line("y", "look", images=("gone.png",)) + line("z", "even")
    )
    fails = '- {match: ["busy"], fail: "the server is busy"}\n'
    even = '- {match: ["even"], logprobs: {yes: -1.0, no: -1.05}}\n'
    (space / "model.yaml").write_text(SCRIPT.replace("answers:\n", "answers:\n" + fails + even))
    assert extract("--split", "val", "--max-failed", "0.9") == 1  # all pictures failed
    assert extract("--split", "val", "--max-failed", "1", "-q") == 0
    capsys.readouterr()
    assert extract("--split", "val", "--max-failed", "1") == 0
    told = capsys.readouterr().out
    assert "4 answers to 1 questions of the rules: 1 undecided, 2 failed" in told
    assert f"failed: x: {HURRY}: the server is busy" in told
    assert f"failed: y: {HURRY}: a picture cannot be opened" in told
    assert answers("val") == {"c": {HURRY: True}}
    frame = pl.read_parquet("runs/answers/val.parquet").filter(pl.col("id") == "x")
    assert frame.select("answer", "error").rows() == [(None, "the server is busy")]

    assert extract("--split", "val", "--max-failed", "1", "--retry-failed", "-q") == 0
    assert (made().extra["calls"], made().counts.failed) == (1, 2)
    (space / "model.yaml").write_text(SCRIPT)
    assert extract("--split", "val", "--max-failed", "1", "--retry-failed", "-q") == 0
    assert answers("val") == {"c": {HURRY: True}, "x": {HURRY: False}, "z": {HURRY: False}}


def test_too_many_failures_are_a_failed_check(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (space / "model.yaml").write_text('answers:\n- {fail: "no"}\n')
    assert extract("--split", "val") == 1
    assert "1 of 1 answers failed: 100.0%, allowed are 5.0%, for reasons such as: " in capsys.readouterr().err


def test_another_model_asks_for_force(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert extract("--split", "val", "-q") == 0
    (space / "other.yaml").write_text('answers:\n- {choose: "no"}\n')
    other = ["extract", "--split", "val", "--small", "scripted:other.yaml"]
    assert run(other) == 2
    assert "--force" in capsys.readouterr().err
    assert run([*other, "--force"]) == 0
    assert answers("val") == {"c": {HURRY: False}}


def test_a_spent_budget_leaves_the_rest_unknown(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert extract("--max-failed", "1", "--max-calls", "3") == 0
    told = capsys.readouterr()
    assert "the model may be asked 3 prompts" in told.err and "stays unknown" in told.err
    assert answers("train", "val", "test") == {}
    (space / "kdsl.yaml").write_text("extract: {workers: 1}\nsmall: {max_calls: 5}\n")
    assert extract("-q") == 0
    assert set(answers("train", "val", "test")) == {"a", "b", "c", "d"}


def test_rules_may_lie_elsewhere(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (space / "rules").rename(space / "elsewhere")
    assert extract("-q", "--split", "val", "--rules", "nowhere") == 2
    assert "Check --rules" in capsys.readouterr().err
    assert extract("-q", "--split", "val", "--rules", "elsewhere") == 0
    assert answers("val") == {"c": {HURRY: True}}


def test_a_model_that_cannot_be_opened_is_told_and_the_pictures_are_kept(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["extract", "--split", "val", "--small", "scripted:nowhere.yaml"]) == 2
    assert "nowhere.yaml" in capsys.readouterr().err
    assert Path("runs/evidence/val.parquet").is_file()


def test_answers_stay_where_another_model_cannot_be_opened(space: Path) -> None:
    assert extract("--split", "val", "-q") == 0
    before = answers("val")
    assert run(["extract", "--split", "val", "--small", "scripted:nowhere.yaml", "--force"]) == 2
    assert answers("val") == before
    assert made().status == "success"


def test_pictures_are_shown_and_other_bytes_under_a_name_are_asked_about_again(space: Path) -> None:
    def ask() -> Manifest:
        found = answer_questions(
            current_settings({"small.model": "scripted:model.yaml"}), ["val"], replace=True
        )
        assert found is not None
        return found

    picture = space / "data/page.png"
    Image.new("RGB", (8, 8), "red").save(picture)
    (space / "data/val.jsonl").write_text(line("c", "look", images=("page.png",)))
    red = hashlib.sha256(picture.read_bytes()).hexdigest()
    sees = f'- {{picture: "{red}", logprobs: {LIKELY}}}\n'
    (space / "model.yaml").write_text(SCRIPT.replace("answers:\n", "answers:\n" + sees))
    set_config_file(None)
    assert ask().extra["calls"] == 2 and answers("val") == {"c": {HURRY: True}}
    Image.new("RGB", (8, 8), "blue").save(picture)
    assert ask().extra["calls"] == 1 and answers("val") == {"c": {HURRY: False}}


def test_answers_of_another_model_than_the_miner_had_are_pointed_out(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_answers(Path("runs/mine/answers.parquet"), [], {"kind": "scripted", "script": "another"})
    assert extract("--split", "val") == 0
    assert "mined with answers of another model: other script" in capsys.readouterr().err
