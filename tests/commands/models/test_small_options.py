"""How a verb's options reach the small model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.runs.manifest import read_manifest

RULES = """\
schema: "kdsl.rules/1"
task: "wish"
rules:
- id: "r-hurry"
  intent: "hurry"
  when:
    answer: {question: "Is the customer in a hurry?", is: "yes"}
"""


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_environment: None) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kdsl.yaml").write_text("extract: {workers: 1}\n")
    for folder in ("data", "rules"):
        (tmp_path / folder).mkdir()
    turn = {"role": "customer", "text": "quick please", "images": []}
    row = {"id": "a", "task": "wish", "turns": [turn], "group": None, "label": None}
    (tmp_path / "data/val.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "rules/wish.yaml").write_text(RULES)
    (tmp_path / "model.yaml").write_text('answers: [{choose: "yes"}]')
    return tmp_path


@pytest.mark.parametrize("verb", ["extract", "mine-rules", "run", "predict"])
def test_another_kind_of_quantisation_is_refused_by_name(
    space: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    assert run([verb, "--quant", "nf8"]) == 2
    told = capsys.readouterr().err
    assert "--quant: small.quant is 'nf8'. Allowed: 'nf4', 'int8' or 'none'. Did you mean 'nf4'?" in told


def test_the_quantisation_asked_for_is_the_stages(space: Path) -> None:
    words = ["extract", "--split", "val", "--small", "scripted:model.yaml", "-q"]
    assert run([*words, "--quant", "int8"]) == 0
    made = read_manifest(space / "runs/answers")
    assert made is not None and made.config["small"]["quant"] == "int8"
    assert run(words) == 2  # by default it is nf4: other answers


@pytest.mark.local
@pytest.mark.slow
@pytest.mark.parametrize("quant", ["nf4", "int8"])
def test_a_local_model_says_what_was_left_unquantised(
    space: Path, capsys: pytest.CaptureFixture[str], quant: str
) -> None:
    assert run(["tiny-model", "tiny", "-q"]) == 0
    words = ["extract", "--split", "val", "--small", "local:tiny", "--quant", quant, "--force"]
    assert run(words) == 0
    assert "left alone" not in capsys.readouterr().err
    assert run([*words, "-v"]) == 0
    assert f"layers in {quant}; left alone: lm_head, model.visual" in capsys.readouterr().err
