"""``kdsl doctor invariance`` and ``parity``: through the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.runs.atomic import write_text
from tests.commands.tuned_space import checkpoint, tuned_space, untuned_space

__all__ = ["checkpoint", "tuned_space", "untuned_space"]

pytestmark = pytest.mark.usefixtures("quiet_environment")

EVEN = '{"退款页面": -1.0, "parcel": -2.0, "hurry": -1.0, "return": -2.0, "thanks": -3.0}'


def script(name: str, *answers: str) -> str:
    write_text(Path(name), "answers:\n" + "".join(f"- {answer}\n" for answer in answers))
    return f"scripted:{name}"


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = run(["doctor", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_two_models_that_say_the_same_agree(untuned_space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = script("a.yaml", f"{{logprobs: {EVEN}}}"), script("b.yaml", f"{{logprobs: {EVEN}}} ")
    code, found = told(capsys, "parity", first, second)
    assert code == 0
    assert (found["agreement"], found["largest"]) == (1.0, 0.0)
    assert set(found["differs"]) == {"script"}
    assert {pair["id"] for pair in found["pairs"]} == {f"t-t{n}" for n in range(1, 6)}


def test_rows_on_which_they_differ_are_named_worst_first_and_it_exits_with_one(
    untuned_space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = script("a.yaml", f"{{logprobs: {EVEN}}}")
    second = script(
        "b.yaml",
        '{match: quick, fail: "busy"}',
        '{match: back, logprobs: {"hurry": -2.0, "return": -1.0, "thanks": -3.0}}',
        f"{{logprobs: {EVEN}}}",
    )
    assert run(["doctor", "parity", first, second]) == 1
    said = capsys.readouterr()
    assert "3 of 5 rows agree (60.0%)" in said.out
    rows = [line.split() for line in said.out.splitlines() if line.startswith("t-")]
    assert [row[0] for row in rows[:2]] == ["t-t3", "t-t4"]
    assert "busy" in rows[0] and rows[1][1:4:2] == ["hurry", "return"]
    assert "--min-agreement" in said.err
    assert run(["doctor", "parity", first, second, "--min-agreement", "0.6"]) == 0


def test_so_many_rows_are_asked_spread_over_the_split(
    untuned_space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = script("a.yaml", f"{{logprobs: {EVEN}}}")
    _, found = told(capsys, "parity", model, model, "-n", "2")
    assert [pair["id"] for pair in found["pairs"]] == ["t-t1", "t-t3"]


def test_a_model_whose_answers_depend_on_the_batch_is_found_out(
    untuned_space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script that is used up answers another way the second time."""
    moody = script(
        "moody.yaml",
        '{match: back, times: 1, logprobs: {"hurry": -2.0, "return": -1.0, "thanks": -3.0}}',
        '{match: quick, times: 1, logprobs: {"hurry": -1.2, "return": -2.0, "thanks": -3.0}}',
        f"{{logprobs: {EVEN}}}",
    )
    code, found = told(capsys, "invariance", "--model", moody)
    assert code == 1
    assert [pair["id"] for pair in found["pairs"] if not pair["agree"]] == ["t-t4"]
    assert found["largest"] == pytest.approx(1.0)
    assert found["rows"] == 5
    moody = script("moody.yaml", f"{{match: back, times: 1, logprobs: {EVEN.replace('-1.0', '-1.2')}}}",
                   f"{{logprobs: {EVEN}}}")  # fmt: skip
    assert run(["doctor", "invariance", "--model", moody]) == 1  # as likely, but by too much
    assert run(["doctor", "invariance", "--model", moody, "--tolerance", "0.3"]) == 0


def test_without_a_tuned_model_it_says_what_to_run(
    untuned_space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", "invariance"]) == 2
    assert "kdsl train-large --large local:" in capsys.readouterr().err


@pytest.mark.local
@pytest.mark.slow
def test_a_tuned_model_says_the_same_in_every_batch(
    tuned_space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = told(capsys, "invariance", "--batch", "4")
    assert code == 0
    assert found["largest"] < 1e-3
    assert found["tolerance"] == 1e-3  # float32 on the CPU


@pytest.mark.local
@pytest.mark.slow
def test_a_tuned_model_is_told_from_its_base(
    tuned_space: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = told(capsys, "parity", "large", f"local:{checkpoint}", "-n", "4")
    assert code in (0, 1)
    assert found["largest"] > 0.01
    assert set(found["differs"]) == {"adapter"}
    assert found["first"].endswith("adapter")
