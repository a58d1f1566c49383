"""``kdsl env`` and ``kdsl doctor`` tell the truth about an installation and a workspace."""

from __future__ import annotations

import json

import polars
import pytest
from PIL import Image

from kdsl_cli.commands.app import run
from kdsl_cli.commands.doctor import checks
from kdsl_cli.runs.manifest import package_versions

DIALOGUE = {
    "id": "1",
    "task": "image-scene",
    "turns": [{"role": "customer", "text": "", "images": ["1.png"]}],
}


@pytest.fixture
def workspace(tmp_path, monkeypatch, quiet_environment, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["init", "-q"]) == 0
    capsys.readouterr()
    return tmp_path


@pytest.fixture
def light(monkeypatch):
    """Leave out the checks of the installation, which take seconds."""
    monkeypatch.setattr(checks, "BASE", {})
    monkeypatch.setattr(checks, "_reader", lambda: "left out")


def doctor(capsys):
    code = run(["doctor", "--json"])
    return code, {check["name"]: check for check in json.loads(capsys.readouterr().out)}


def put_dialogue(workspace, size=(40, 80)):
    (workspace / "data" / "dialogues.jsonl").write_text(json.dumps(DIALOGUE) + "\n")
    if size:
        Image.new("RGB", size).save(workspace / "data" / "1.png")


def test_env_tells_versions_for_people_and_for_programs(capsys, monkeypatch):
    assert run(["env"]) == 0
    assert f"polars: {polars.__version__}\n" in capsys.readouterr().out
    monkeypatch.setenv("HF_HOME", "/models")
    assert run(["env", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["packages"] == package_versions()
    assert told["caches"]["huggingface"] == "/models"
    assert told["cores"] >= 1


@pytest.mark.slow
def test_doctor_finds_this_installation_sound_and_really_reads_a_picture(kdsl):
    done = kdsl("doctor", "--json")
    found = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert "was read as 'Refund 2048'" in found["reads pictures"]["reason"]
    assert {found[name]["outcome"] for name in checks.BASE.values()} == {"pass"}
    assert found["workspace"]["outcome"] == "skip"


def test_a_new_workspace_is_sound_and_told_what_is_next(workspace, light, capsys):
    code, found = doctor(capsys)
    assert code == 0
    assert found["catalogue"]["outcome"] == "pass"
    assert found["dialogues"] == {
        "name": "dialogues",
        "outcome": "skip",
        "reason": "data/dialogues.jsonl is not there yet",
        "fix": "Bring some in: kdsl data import FILE",
    }


def test_a_workspace_with_data_is_looked_through(workspace, light, capsys):
    put_dialogue(workspace)
    code, found = doctor(capsys)
    assert code == 0
    assert found["dialogues"]["reason"] == "1 dialogues, 1 pictures, all were opened"
    assert found["splits"]["outcome"] == "skip"
    assert "kdsl data split" in found["splits"]["fix"]


@pytest.mark.parametrize(
    ("name", "file", "content"),
    [
        ("settings", "kdsl.yaml", "mine: {seed: x}"),
        ("catalogue", "intents.yaml", "tasks: 3"),
        ("dialogues", "data/dialogues.jsonl", "{}\n"),
        ("dialogues", "data/1.png", "no picture"),
        ("splits", "data/splits.json", "{}"),
    ],
)
def test_what_is_broken_fails_and_says_where(workspace, light, capsys, name, file, content):
    put_dialogue(workspace)
    (workspace / file).write_text(content)
    code, found = doctor(capsys)
    assert code == 1
    assert found[name]["outcome"] == "fail"
    assert file in found[name]["reason"]
    assert found[name]["fix"]


def test_a_picture_that_is_not_there_fails(workspace, light, capsys):
    put_dialogue(workspace, size=None)
    code, found = doctor(capsys)
    assert (code, found["dialogues"]["reason"]) == (1, "data/1.png: not there.")


def test_a_library_that_cannot_be_imported_fails_and_the_rest_goes_on(tmp_path, monkeypatch, light, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checks, "BASE", {"no_such_module": "no-such-package", "json": "pip"})
    code, found = doctor(capsys)
    assert code == 1
    assert found["no-such-package"]["outcome"] == "fail"
    assert "no-such-package" in found["no-such-package"]["fix"]
    assert "workspace" in found


def test_torch_without_torchvision_fails_and_says_what_cannot_be_made(tmp_path, monkeypatch, light, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checks, "installed", lambda module: module == "torch")
    monkeypatch.setattr(checks, "_torch", lambda: "2.13, no GPU")
    code, found = doctor(capsys)
    assert code == 1
    assert found["torchvision"]["outcome"] == "fail"
    assert "no Qwen2-VL processor" in found["torchvision"]["reason"]
    assert found["4-bit"]["outcome"] == "skip"


def test_quiet_names_what_failed_and_people_get_the_fix(workspace, light, capsys):
    (workspace / "intents.yaml").write_text("tasks: 3")
    assert run(["doctor", "-q"]) == 1
    assert capsys.readouterr().out == "catalogue\n"
    assert run(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "fail  catalogue: intents.yaml:1" in out
    assert "      Mend intents.yaml" in out
    assert "1 failed" in out
