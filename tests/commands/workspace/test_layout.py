"""A workspace is found from any folder inside it."""

from __future__ import annotations

import pytest

from kdsl_cli.commands.workspace.layout import Workspace, current_workspace, find_workspace, set_config_file
from kdsl_cli.errors import ConfigError


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    (tmp_path / "inner" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    yield
    set_config_file(None)


def test_the_nearest_folder_upwards_is_the_workspace(tmp_path, monkeypatch):
    (tmp_path / "kdsl.yaml").touch()
    assert str(current_workspace().config) == "kdsl.yaml"
    monkeypatch.chdir(tmp_path / "inner" / "deep")
    assert current_workspace() == Workspace(tmp_path)
    (tmp_path / "inner" / "kdsl.yaml").touch()
    assert current_workspace() == Workspace(tmp_path / "inner")


def test_no_workspace_names_the_command_that_makes_one():
    assert find_workspace() is None
    with pytest.raises(ConfigError, match="kdsl init"):
        current_workspace()


def test_a_config_file_that_was_given_wins(tmp_path):
    (tmp_path / "kdsl.yaml").touch()
    (tmp_path / "inner" / "other.yaml").touch()
    set_config_file(tmp_path / "inner" / "other.yaml")
    found = current_workspace()
    assert found.config == tmp_path / "inner" / "other.yaml"
    assert found.rules("image-scene") == tmp_path / "inner" / "rules" / "image-scene.yaml"
    set_config_file(tmp_path / "gone.yaml")
    with pytest.raises(ConfigError, match=r"gone\.yaml: no such file"):
        find_workspace()


def test_an_absolute_path_in_the_settings_stays_absolute(tmp_path):
    assert Workspace(tmp_path).path("/data/a.jsonl").as_posix() == "/data/a.jsonl"
    assert Workspace(tmp_path).path("a.jsonl") == tmp_path / "a.jsonl"
