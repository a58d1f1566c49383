"""The manifest as a file."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from kdsl_cli import __version__
from kdsl_cli.errors import StageError
from kdsl_cli.runs import manifest as module
from kdsl_cli.runs.hashing import FileRecord
from kdsl_cli.runs.manifest import Code, Counts, Manifest, current_code, read_manifest, write_manifest

WHOLE = Manifest(
    stage="mine",
    status="success",
    key="k",
    argv=("kdsl", "mine-rules"),
    config={"proposer": "统计"},
    outputs=(FileRecord("a.parquet", "0" * 64, 12, 3),),
    code=Code(version="0.1.0"),
    counts=Counts(total=3, ok=2, failed=1),
    started="2026-01-01T00:00:00+00:00",
)


def test_a_manifest_comes_back_as_it_was_written(tmp_path):
    write_manifest(tmp_path, WHOLE)
    assert read_manifest(tmp_path) == WHOLE
    written = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert written["schema"] == "kdsl.manifest/1"
    assert written["counts"] == {"in": 3, "ok": 2, "failed": 1, "skipped": 0, "cached": 0}


def test_no_manifest_is_none(tmp_path):
    assert read_manifest(tmp_path) is None
    assert read_manifest(tmp_path / "nowhere") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "a web app", "version": 3}'])
def test_a_file_that_is_no_manifest_is_named(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(StageError) as caught:
        read_manifest(tmp_path)
    assert caught.value.problems[0].where == str(tmp_path / "manifest.json")


@pytest.mark.skipif(shutil.which("git") is None, reason="makes a checkout with git")
def test_the_commit_is_told_in_a_checkout_of_kdsl_only(tmp_path, monkeypatch):
    package = tmp_path / "checkout" / "kdsl_cli"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", "-C", str(package.parent), *identity, *command], check=True)
    monkeypatch.setattr(module.kdsl_cli, "__file__", str(package / "__init__.py"))
    code = current_code()
    assert (len(code.git_sha or ""), code.dirty) == (40, False)
    (package / "__init__.py").write_text("changed = True")
    assert current_code().dirty is True

    inside_another = package.parent / "venv" / "kdsl_cli" / "__init__.py"
    inside_another.parent.mkdir(parents=True)
    monkeypatch.setattr(module.kdsl_cli, "__file__", str(inside_another))
    assert current_code() == Code(version=__version__)
