"""``kdsl init`` makes a workspace that the rest of the program takes as it is, and overwrites nothing."""

from __future__ import annotations

import json

import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.commands.workspace.settings import Settings, options
from kdsl_cli.commands.workspace.settings_sources import read_file, resolve
from kdsl_cli.dialogues.catalogue import Catalogue


def test_a_new_workspace_is_valid_and_shows_every_option(kdsl, tmp_path):
    done = kdsl("init", "shop", "--tasks", "image-scene, 对话意图")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "shop"
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "data",
        "intents.yaml",
        "kdsl.yaml",
        "rules",
    ]
    given = read_file(folder / "kdsl.yaml")
    assert resolve(given, {}, {}) == Settings()
    assert given.values == options()
    assert Catalogue.load(folder / "intents.yaml").names == ("image-scene", "对话意图")


def test_the_current_folder_is_the_default(kdsl, tmp_path):
    assert kdsl("init").returncode == 0
    assert (tmp_path / "kdsl.yaml").is_file()


def test_its_result_has_three_forms(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["init", "shop"]) == 0
    assert "shop/kdsl.yaml" in capsys.readouterr().out
    assert run(["init", "b", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"][0] == "b/kdsl.yaml"
    assert run(["init", "c", "-q"]) == 0
    assert capsys.readouterr().out == "c\n"


def test_files_that_are_there_are_named_and_nothing_is_written(kdsl, tmp_path):
    (tmp_path / "intents.yaml").write_text("mine")
    done = kdsl("init")
    assert done.returncode == 2
    assert done.stderr.startswith("error: intents.yaml: is there already. Nothing was written.")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["intents.yaml"]


def test_force_replaces_what_init_writes_but_not_the_readme_of_a_project(kdsl, tmp_path):
    for name in ("kdsl.yaml", "intents.yaml", "README.md"):
        (tmp_path / name).write_text("mine")
    assert kdsl("init", "--force").returncode == 0
    changed = {path.name for path in tmp_path.iterdir() if path.is_file() and path.read_text() != "mine"}
    assert changed == {"kdsl.yaml", "intents.yaml"}


@pytest.mark.parametrize("tasks", ["", "a,", "a,a", "../a", ".a", "a\nb"])
def test_a_task_that_cannot_name_a_rule_file_is_refused(tmp_path, monkeypatch, capsys, tasks):
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--tasks", tasks]) == 2
    assert capsys.readouterr().err.startswith("error: --tasks: ")
    assert list(tmp_path.iterdir()) == []
