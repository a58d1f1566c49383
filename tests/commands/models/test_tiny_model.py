"""``kdsl tiny-model``: a checkpoint from nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kdsl_cli import extras
from kdsl_cli.commands.app import run


@pytest.mark.local
@pytest.mark.slow
def test_it_makes_a_checkpoint_and_says_how_to_use_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["tiny-model", str(tmp_path / "tiny"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["spec"] == f"local:{tmp_path / 'tiny'}"
    assert (tmp_path / "tiny" / "model.safetensors").is_file()
    assert run(["tiny-model", str(tmp_path / "tiny")]) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["torch", "torchvision", "transformers"])
def test_without_a_package_it_says_what_to_install(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = extras.installed
    monkeypatch.setattr(extras, "installed", lambda name: name != missing and there(name))
    assert run(["tiny-model", str(tmp_path / "tiny")]) == 2
    assert "pip install 'kdsl-cli[local]'" in capsys.readouterr().err
    assert not (tmp_path / "tiny").exists()
