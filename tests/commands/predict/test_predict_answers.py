"""``kdsl predict`` where rules ask: what nobody answered stays unknown, and is told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest

from kdsl_cli.commands.app import run as kdsl
from kdsl_cli.logic.codec import load_rules
from kdsl_cli.logic.facts import Facts
from kdsl_cli.prediction.table import read_predictions
from kdsl_cli.prediction.why import reasons
from kdsl_cli.runs.manifest import read_manifest
from tests.commands.deciding import TEST, Model, large_model, line, rows, space  # noqa: F401 fixtures

POLITE, SAD = "Is the customer polite?", "Is the customer sad?"
RULES = """\
schema: "kdsl.rules/1"
task: "scene"
rules:
- id: "r-polite"
  intent: "refund"
  weight: 2.0
  when:
    answer: {question: "Is the customer polite?", is: "yes"}
- id: "r-rude"
  intent: "parcel"
  when:
    answer: {question: "Is the customer polite?", is: "no"}
"""
SCRIPT = """\
answers:
- {match: ["(nothing)"], logprobs: {yes: -1.0, no: -1.0}}
- {match: ["hello"], logprobs: {yes: -0.1, no: -2.5}}
- {match: ["the box"], fail: "the server is busy"}
- {match: [], logprobs: {yes: -2.5, no: -0.1}}
"""
PREDICT = ["predict", "--strategy", "rules"]
ASK = ["extract", "--split", "test", "--small", "scripted:model.yaml", "--max-failed", "1", "-q"]


@pytest.fixture
def asking(space: Path) -> Path:
    (space / "rules/scene.yaml").write_text(RULES)
    (space / "model.yaml").write_text(SCRIPT)
    return space


def extracted() -> None:
    """Read the pictures by the program itself: what the fixture left is of no engine."""
    assert kdsl([*ASK, "--force"]) == 0


def fired() -> dict[str, list[str]]:
    return {id: list(row["fired"]) for id, row in rows().items()}


def test_rules_fire_exactly_where_the_answer_is_theirs(
    asking: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extracted()
    assert kdsl(PREDICT) == 0
    assert fired() == {"t1": ["r-rude"], "t2": [], "t3": ["r-polite"], "t4": []}  # of t2 the asking failed
    told = capsys.readouterr()
    assert (
        "1 of them have questions without an answer: t2" in told.out and "without answers for" not in told.err
    )
    assert kdsl([*PREDICT, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unanswered"] == ["t2"]


def test_without_answers_rules_that_ask_are_unknown_and_it_is_no_error(
    asking: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):  # the second time it is up to date, and says so all the same
        assert kdsl(PREDICT) == 0
        told = capsys.readouterr()
        assert "without answers for 'test', which stay unknown: 1" in told.err
        assert "kdsl extract --split test --small SPEC" in told.err
        assert "3 of them have questions without an answer: t1, t2, t3" in told.out
    assert fired() == {"t1": [], "t2": [], "t3": [], "t4": []}


def test_a_question_that_is_newer_than_the_answers_is_told(
    asking: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extracted()
    (asking / "rules/scene.yaml").write_text(RULES.replace(POLITE, SAD, 1))
    assert kdsl(PREDICT) == 0
    assert "which stay unknown: 1" in capsys.readouterr().err
    assert fired() == {"t1": ["r-rude"], "t2": [], "t3": [], "t4": []}


def test_dialogues_edited_after_the_asking_are_pointed_out(
    asking: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extracted()
    (asking / "data/test.jsonl").write_text("".join(line(*row) for row in TEST[:3]))
    assert kdsl(PREDICT) == 0
    assert "is not the file that was asked about" in capsys.readouterr().err


@pytest.mark.parametrize("how", ["changed", "gone"])
def test_answers_that_are_not_whole_are_none(
    asking: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    extracted()
    path = Path("runs/answers/test.parquet")
    path.unlink() if how == "gone" else path.write_bytes(b"broken")
    assert kdsl(PREDICT) == 0
    assert "without answers for 'test'" in capsys.readouterr().err
    assert fired()["t3"] == []


def test_other_answers_are_another_prediction_and_rules_that_ask_nothing_need_none(asking: Path) -> None:
    assert kdsl([*PREDICT, "-q"]) == 0
    extracted()
    assert kdsl([*PREDICT, "-q"]) == 2  # the folder holds what was decided without answers
    assert kdsl([*PREDICT, "-q", "--force"]) == 0
    assert fired()["t3"] == ["r-polite"]
    (asking / "rules/scene.yaml").write_text(RULES.split("rules:")[0] + "rules: []\n")
    assert kdsl([*PREDICT, "-q", "--force"]) == 0
    made = read_manifest(Path("runs/predict/test"))
    assert made is not None and not [record for record in made.inputs if "answers" in record.path]
    assert made.extra["unanswered"] == []


class Looking(Model):
    """A large model that learnt from answers, and remembers which it is given."""

    questions: ClassVar[dict[str, tuple[str, ...]]] = {"scene": (SAD,)}

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, Mapping[str, bool]] = {}

    def scores(self, task: str, facts: Sequence[Facts]) -> npt.NDArray[np.float64]:
        self.seen |= {fact.id: fact.answers for fact in facts}
        return super().scores(task, facts)


def test_what_the_large_model_learnt_from_is_asked_of_new_dialogues_too(asking: Path, large_model) -> None:
    model = Looking()
    large_model(model)
    Path("new.jsonl").write_text(line("x1", "scene", "hello", None) + line("x2", "wish", "hello", None))
    command = ["predict", "-q", "--input", "new.jsonl", "--out", "out", "--small", "scripted:model.yaml"]
    assert kdsl(command) == 0
    assert model.seen == {"x1": {POLITE: True, SAD: True}, "x2": {}}


def test_what_the_large_model_learnt_from_and_nobody_answered_is_told(
    asking: Path, large_model, capsys: pytest.CaptureFixture[str]
) -> None:
    extracted()  # answers to what rules ask, and no more
    model = Looking()
    large_model(model)
    assert kdsl(["predict"]) == 0
    told = capsys.readouterr()
    assert "without answers for 'test', which stay unknown: 1" in told.err
    assert model.seen["t3"] == {POLITE: True} and fired()["t3"] == ["r-polite"]


def test_an_explanation_names_what_was_answered(
    asking: Path, large_model, capsys: pytest.CaptureFixture[str]
) -> None:
    large_model(Looking())
    extracted()
    assert kdsl(["predict", "-q"]) == 0
    capsys.readouterr()
    assert kdsl(["explain", "t3"]) == 0
    told = capsys.readouterr().out
    assert f"yes: {POLITE}" in told and "no: " not in told
    assert kdsl(["explain", "t2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["answers"] == {}


def test_new_dialogues_are_asked_about_once(asking: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.jsonl").write_text(line("x1", "scene", "hello", None) + line("x2", "wish", "hello", None))
    command = [*PREDICT, "--input", "new.jsonl", "--out", "out", "--small", "scripted:model.yaml"]
    assert kdsl(command) == 0
    found = read_predictions(Path("out/predictions.parquet")).frame
    assert dict(zip(found["id"], found["fired"].to_list(), strict=True)) == {"x1": ["r-polite"], "x2": []}
    assert kdsl([*command, "--force"]) == 0
    with closing(sqlite3.connect("runs/calls.sqlite")) as log:
        asked = log.execute("SELECT purpose, count(*) FROM calls GROUP BY purpose").fetchall()
    assert asked == [("predict", 2)]  # x1 and the content-free input; nobody asks anything of a wish
    capsys.readouterr()
    assert kdsl(command) == 0
    assert "up to date" in capsys.readouterr().err


def test_new_dialogues_without_a_model_are_decided_without_answers(
    asking: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("new.jsonl").write_text(line("x1", "scene", "hello", None))
    assert kdsl([*PREDICT, "--input", "new.jsonl", "--out", "out"]) == 0
    assert (
        "without answers for 'new.jsonl', which stay unknown: 1; give --small SPEC" in capsys.readouterr().err
    )


def test_a_split_is_asked_about_by_extract_alone(asking: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert kdsl([*PREDICT, "--small", "scripted:model.yaml"]) == 2
    assert "kdsl extract --split test --small scripted:model.yaml" in capsys.readouterr().err


def test_the_reasons_tell_the_question_and_its_answer(asking: Path) -> None:
    base = load_rules(asking / "rules/scene.yaml")
    told = reasons(base, Facts("a", answers={POLITE: True}))["fired"]
    assert told[0]["because"] == [
        {
            "predicate": f'the answer to "{POLITE}" is yes',
            "value": True,
            "at": [{"what": "the answer was yes", "value": True}],
        }
    ]
    unknown = reasons(base, Facts("a"))["unknown"]
    assert unknown[0]["because"][0]["at"] == [{"what": "the question was not asked, or not answered"}]
