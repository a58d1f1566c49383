"""``kdsl train-large --adopt``: an adapter that another program tuned is asked like one of our own."""

from __future__ import annotations

import json

import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.prediction.table import read_predictions
from tests.backends.local.conftest import checkpoint  # noqa: F401 - a fixture of these tests too
from tests.commands.planted import copied, fill
from tests.commands.tuned_space import adapter

pytestmark = [pytest.mark.local, pytest.mark.slow]


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    space = tmp_path_factory.mktemp("filled") / "space"
    fill(space)
    return space


@pytest.fixture
def space(filled, tmp_path, monkeypatch, quiet_environment):
    copied(filled, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def adopted(model, *more):
    return run(["train-large", "--large", model, "--adopt", "--max-pixels", "12544", *more])


def test_it_is_calibrated_on_val_predicts_and_says_what_it_says_elsewhere(space, checkpoint, capsys):
    model = f"local:{checkpoint}+{adapter(checkpoint, space / 'elsewhere')}"
    (space / "data/test.jsonl").rename(space / "test.jsonl")  # nobody may need it
    assert adopted(model, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["task"] for row in told["tasks"]] == ["talk", "mood"]
    assert all(row["val"]["n"] and row["temperature"] != 1 for row in told["tasks"])
    assert any("is not known here" in text for text in told["warnings"])
    assert adopted(model) == 0 and "up to date" in capsys.readouterr().err

    (space / "test.jsonl").rename(space / "data/test.jsonl")
    assert run(["predict", "--strategy", "large"]) == 0
    frame = read_predictions(space / "runs/predict/test/predictions.parquet").frame
    assert set(frame["large_method"]) == {"likelihood"} and frame["error"].null_count() == frame.height
    assert run(["doctor", "parity", "large", model, "-n", "4"]) == 0


def test_another_adapter_under_the_same_name_is_another(space, checkpoint, capsys):
    model = f"local:{checkpoint}+{adapter(checkpoint, space / 'elsewhere')}"
    assert adopted(model) == 0
    file = space / "elsewhere/adapter_config.json"
    file.write_text(file.read_text("utf-8") + "\n", "utf-8")
    assert adopted(model) == 2
    assert "adapter_config.json" in capsys.readouterr().err


def test_what_cannot_be_taken_in_is_told_before_anything_is_touched(space, checkpoint, capsys):
    (space / "none").mkdir()
    assert adopted(f"local:{checkpoint}") == 2
    assert "names no adapter to take in" in capsys.readouterr().err
    assert adopted(f"local:{checkpoint}+{space / 'none'}") == 2
    assert "has no adapter_config.json and no adapter_model.safetensors" in capsys.readouterr().err
    elsewhere = adapter(checkpoint, space / "elsewhere")
    (elsewhere / "adapter_config.json").write_text('{"peft_type": "IA3"}')
    assert adopted(f"local:{checkpoint}+{elsewhere}") == 2
    assert "an adapter of the kind IA3 cannot be asked here" in capsys.readouterr().err
    assert not (space / "runs/large").exists()
