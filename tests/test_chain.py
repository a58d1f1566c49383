"""The chain as a whole: what it may open, and that it makes the same of the same."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from kdsl_cli.commands.app import run
from tests.commands.planted import copied, fill
from tests.conftest import environment

LEARNING = ("mine-rules", "prune-rules", "export-rules", "train-large")

# Every file that Python opens for whatever reason, hashing and locking too. (Polars opens Parquet by itself,
# unseen from here: the test below, where the files are not there to be opened, is for that.)
WATCHED = f"""
import json, sys
opened = []
sys.addaudithook(lambda event, about: opened.append(str(about[0])) if event == "open" else None)
from kdsl_cli.commands.app import run
codes = [run([verb, "-q"]) for verb in {LEARNING!r}]
print(json.dumps([codes, opened]))
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    space = tmp_path_factory.mktemp("chain") / "space"
    fill(space)
    return space


def contents(space: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(space)): path.read_bytes()
        for path in sorted(space.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


@pytest.mark.slow
def test_nothing_that_learns_opens_the_test_split(template: Path, tmp_path: Path) -> None:
    copied(template, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", WATCHED], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    codes, opened = json.loads(done.stdout.splitlines()[-1])
    assert codes == [0] * len(LEARNING), done.stderr
    inside = {path for path in opened if path.startswith(("data/", "runs/evidence/", str(tmp_path)))}
    names = {Path(path).name for path in inside}
    assert {"train.jsonl", "train.parquet", "splits.json"} <= names  # the hook does see
    assert not names & {"test.jsonl", "test.parquet", "dialogues.jsonl", "observations.jsonl"}


@pytest.mark.slow
def test_what_learns_needs_no_file_of_the_test_split(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_environment: None
) -> None:
    with_test = copied(template, tmp_path / "with")
    without = copied(template, tmp_path / "without")
    for name in ("data/test.jsonl", "data/dialogues.jsonl", "runs/evidence/test.parquet"):
        (without / name).unlink()
    for space in (with_test, without):
        monkeypatch.chdir(space)
        assert [run([verb, "-q"]) for verb in LEARNING] == [0] * len(LEARNING)
    learnt = ("runs/mine/", "runs/prune/", "runs/large/", "rules/")
    first, second = (
        {name: content for name, content in contents(space).items() if name.startswith(learnt)}
        for space in (with_test, without)
    )
    assert first == second and "rules/talk.yaml" in first


@pytest.mark.slow
def test_two_workspaces_with_the_same_dialogues_end_alike(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_environment: None
) -> None:
    left = []
    for name, workers in (("one", "1"), ("two", "2")):
        space = copied(template, tmp_path / name / "space")  # the page is called as its folder
        monkeypatch.chdir(space)
        monkeypatch.setenv("KDSL_MINE_WORKERS", workers)
        assert run(["run", "-q"]) == 0
        left.append(contents(space))
    log = "runs/mine/search.jsonl"  # units in the order in which they came back
    logs = [each.pop(log) for each in left]
    assert sorted(logs[0].splitlines()) == sorted(logs[1].splitlines())
    page = "runs/eval/test/report.html"  # it tells the hash of that log
    pages = [
        each.pop(page).replace(hashlib.sha256(own).hexdigest()[:12].encode(), b"the log")
        for each, own in zip(left, logs, strict=True)
    ]
    assert pages[0] == pages[1]
    assert left[0] == left[1]


@pytest.mark.slow
def test_a_vetoed_rule_speaks_no_more(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_environment: None
) -> None:
    monkeypatch.chdir(copied(template, tmp_path))
    assert run(["run", "-q", "--strategy", "rules"]) == 0
    predictions = Path("runs/predict/test/predictions.parquet")

    def fired() -> set[str]:
        return set(pl.read_parquet(predictions)["fired"].explode().drop_nulls())

    path = Path("rules/mood.yaml")
    head, mark, rest = path.read_text().partition("- id: ")
    vetoed = rest.split('"')[1]
    assert vetoed in fired()
    path.write_text(head + mark + rest.replace('"mined"', '"disabled"', 1))
    assert run(["predict", "-q", "--strategy", "rules", "--force"]) == 0
    assert vetoed not in fired() and fired()
