"""``kdsl rules watch``: every save is scored, half a thought is told, and Ctrl-C is how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kdsl_cli.commands.app import run as kdsl
from kdsl_cli.commands.desk import watch
from tests.commands.deciding import large_model, space  # noqa: F401 fixtures

SCENE = Path("rules/scene.yaml")


@pytest.fixture
def saves(monkeypatch):
    """Let the given edits happen, each while the program waits, and Ctrl-C after the last."""

    def these(*edits):
        waiting = iter([edit for each in edits for edit in (each, lambda: None)])

        def sleep(_seconds):
            edit = next(waiting, None)
            if edit is None:
                raise KeyboardInterrupt
            edit()

        monkeypatch.setattr(watch.time, "sleep", sleep)

    return these


def edit(old, new):
    def do():
        text = SCENE.read_text()
        assert old in text
        SCENE.write_text(text.replace(old, new))

    return do


def test_a_save_is_scored_and_says_what_changed(space, capsys, saves):
    saves(edit('"money"', '"hello!"'), edit('"hello!"', '"money"'))
    assert kdsl(["rules", "watch", "--split", "test"]) == 0
    said = capsys.readouterr()
    first, second, third = said.out.split("change their answer")
    assert "scene: accuracy 1.000, weighted F1 1.000 on 2 dialogues, silent on 0" in first
    assert "scene: edited r-money (when)" in first and "t1" in first
    assert "1 of 3 dialogues" in first and "0 become right, 1 wrong, 0 neither" in second
    assert "scene: accuracy 0.500" in second and "scene: accuracy 1.000" in third
    assert said.err.endswith("\nno longer watching\n") and "error" not in said.err


def test_a_file_that_cannot_be_read_is_told_and_the_next_save_mends_it(space, capsys, saves):
    saves(edit("contains:", "contians:"), edit("contians:", "contains:"), edit("weight: 2.0", "weight: 3.0"))
    assert kdsl(["rules", "watch", "--split", "test"]) == 0
    said = capsys.readouterr()
    assert "error: rules/scene.yaml:8: unknown key 'contians'" in said.err
    assert "edited r-money (weight)" in said.out and "1 keep it with other scores" in said.out


def test_a_file_that_an_editor_swaps_is_waited_for(space, capsys, saves):
    text = SCENE.read_text()
    saves(SCENE.unlink, lambda: SCENE.write_text(text.replace('"money"', '"hello!"')))
    assert kdsl(["rules", "watch", str(SCENE), "--split", "test"]) == 0
    assert "1 of 3 dialogues change their answer" in capsys.readouterr().out


def test_with_predictions_the_joint_decision_is_scored(space, capsys, saves):
    assert kdsl(["predict", "-q"]) == 0
    saves(edit("weight: 2.0", "weight: -2.0"))
    capsys.readouterr()
    assert kdsl(["rules", "watch", "--split", "test", "--json"]) == 0
    first, second = capsys.readouterr().out.split("\n}\n{")
    told = json.loads("{" + second)
    assert told["decided"].startswith("as in runs/predict/test: log-odds")
    assert [(one["id"], one["after"]) for one in told["changes"]] == [("t1", "parcel")]
    assert json.loads(first + "\n}")["scene"]["accuracy"] == 1.0


def test_ctrl_c_before_there_is_anything_to_watch_is_an_interruption(space, capsys, monkeypatch):
    def interrupted(place):
        raise KeyboardInterrupt

    monkeypatch.setattr(watch, "_read", interrupted)
    assert kdsl(["rules", "watch", "--split", "test"]) == 130
    assert "interrupted. To go on: kdsl rules watch --split test" in capsys.readouterr().err
