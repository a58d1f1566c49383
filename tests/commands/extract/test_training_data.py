"""What the stages that learn are given: answers only after mining, and only whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from kdsl_cli.commands.extract.training_data import TrainingData, load_training_data
from kdsl_cli.commands.workspace.layout import Workspace, current_workspace, set_config_file
from kdsl_cli.commands.workspace.settings_sources import current_settings
from kdsl_cli.errors import StageError
from kdsl_cli.evidence.answers import write_answers
from kdsl_cli.evidence.questions import Answer
from kdsl_cli.runs.stage import Stage
from tests.commands.planted import copied, fill

ANGRY = "Is the customer angry?"


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    space = tmp_path_factory.mktemp("extracted") / "space"
    fill(space)
    return space


@pytest.fixture
def space(
    extracted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_environment: None
) -> Workspace:
    monkeypatch.chdir(copied(extracted, tmp_path))
    set_config_file(None)  # the one that made the template
    return current_workspace()


def mined(space: Workspace, answers: dict[str, bool] | None) -> None:
    """Leave the folder of mining as a run that asked, or did not, would."""
    with Stage("mine", space.mine_out, force=True).run() as stage:
        if answers is not None:
            rows = [(id, ANGRY, Answer(value)) for id, value in answers.items()]
            write_answers(stage.output(space.mined_answers), rows, {"kind": "test"})


def known(data: TrainingData) -> dict[str, bool]:
    return {
        id: dialogue.facts.answers[ANGRY]
        for task in data.tasks
        for id, dialogue in zip(task.ids, task.dialogues, strict=True)
        if dialogue.facts.answers
    }


def test_answers_of_mining_reach_the_stages_after_it_and_nobody_else(space: Workspace) -> None:
    settings = current_settings()
    some, other = load_training_data(space, settings).tasks[1].ids[:2]
    mined(space, {some: True, other: False})
    after = load_training_data(space, settings, answered=True)
    assert known(after) == {some: True, other: False}
    assert space.mined_answers in after.files
    before = load_training_data(space, settings)
    assert known(before) == {} and space.mined_answers not in before.files


def test_mining_that_asked_nothing_leaves_no_answers(space: Workspace) -> None:
    for _ in range(2):  # not mined yet, and mined without a question
        data = load_training_data(space, current_settings(), answered=True)
        assert known(data) == {} and space.mined_answers not in data.files
        mined(space, None)


def test_answers_that_were_lost_are_not_taken_for_unasked(space: Workspace) -> None:
    mined(space, {})
    space.mined_answers.unlink()
    with pytest.raises(StageError, match="kdsl mine-rules --force"):
        load_training_data(space, current_settings(), answered=True)
