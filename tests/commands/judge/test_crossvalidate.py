"""``kdsl eval --cv`` says what of the workspace's rules it does not measure."""

from __future__ import annotations

from pathlib import Path

import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.runs.manifest import read_manifest
from tests.commands.unwritten import fill


@pytest.mark.slow
def test_it_says_that_no_fold_asks_the_small_model(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quiet_environment: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(tmp_path / "space")
    monkeypatch.chdir(tmp_path / "space")
    monkeypatch.setenv("KDSL_MINE_SIMULATIONS", "10")
    capsys.readouterr()
    assert run(["eval", "--cv", "2", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "counting alone" not in err
    assert run(["mine-rules", "--small", "scripted:model.yaml", "-q"]) == 0
    capsys.readouterr()
    for words in (["--json"], ["--json", "--force"]):
        assert run(["eval", "--cv", "2", *words]) == 0
        told = capsys.readouterr()
        assert "warning: folds are mined by counting alone: the small model is not asked" in told.err
        assert told.out == out  # and it is so: the same figures as before there was a model
    made = read_manifest(Path("runs/eval/cv"))
    assert made is not None and "counting alone" in made.warnings[0]


def test_no_fold_stands_in_for_a_tuned_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kdsl.yaml").write_text('train: {large: "local:tiny"}\n')
    assert run(["eval", "--cv", "2"]) == 2
    err = capsys.readouterr().err
    assert "no fold tunes 'local:tiny'" in err and "KDSL_TRAIN_LARGE=linear" in err


@pytest.mark.parametrize("words", [["--per-intent"], ["--min-weighted-f1", "0.5"]])
def test_what_is_asked_of_a_split_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kdsl.yaml").write_text("")
    assert run(["eval", "--cv", "2", *words]) == 2
    assert words[0] in capsys.readouterr().err
