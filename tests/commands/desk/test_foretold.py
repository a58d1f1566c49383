"""The promise of ``kdsl rules diff`` on a whole chain: exported rules, a trained model."""

from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path

import pytest

from kdsl_cli.commands.app import run as kdsl
from kdsl_cli.prediction.table import read_predictions
from tests.commands import planted

PHRASE = re.compile(r'(?<=[\[ ])"([^"]+)"(?=[,\]}]|$)')


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A workspace with everything done, by the program itself."""
    space = tmp_path_factory.mktemp("finished")
    planted.fill(space)
    assert kdsl(["run", "-q", "--split", "test", "--config-file", str(space / "kdsl.yaml")]) == 0
    return space


def decided():
    frame = read_predictions(Path("runs/predict/test/predictions.parquet")).frame
    return dict(zip(frame["id"], frame["prediction"], strict=True))


def edit_one_word(path, rng):
    """Put another word in place of one phrase of one condition, and return the phrase."""
    lines = path.read_text("utf-8").splitlines(keepends=True)
    places = [
        (number, found.span(1))
        for number, line in enumerate(lines)
        if re.match(r"\s+(- )?(text|ocr): ", line)
        for found in PHRASE.finditer(line.split(", in:")[0])
    ]
    number, (start, end) = rng.choice(places)
    line = lines[number]
    lines[number] = line[:start] + rng.choice(["想", "呢", "谢", "甲", "投诉"]) + line[end:]
    path.write_text("".join(lines), encoding="utf-8")
    return line[start:end]


@pytest.mark.slow
def test_editing_one_word_changes_exactly_the_dialogues_that_were_foretold(
    finished, tmp_path, monkeypatch, capsys
):
    shutil.copytree(finished, tmp_path / "space")
    monkeypatch.chdir(tmp_path / "space")
    for path in Path("rules").glob("*.yaml"):  # rules with a loud voice, so that a word of theirs matters
        text = path.read_text("utf-8")
        path.write_text(re.sub(r"weight: ([\d.]+)", lambda w: f"weight: {9 * float(w[1]):g}", text), "utf-8")
    assert kdsl(["predict", "-q", "--force"]) == 0
    rng, changed = random.Random(3), 0
    for task in ("talk", "mood", "talk", "talk"):
        shutil.rmtree("before", ignore_errors=True)
        shutil.copytree("rules", "before")
        before = decided()
        assert edit_one_word(Path(f"rules/{task}.yaml"), rng)
        capsys.readouterr()
        assert kdsl(["rules", "diff", "before", "--json"]) == 0
        foretold = json.loads(capsys.readouterr().out)
        assert foretold["decided"].startswith("as in runs/predict/test: log-odds")
        assert kdsl(["predict", "-q", "--force"]) == 0
        after = decided()
        expected = {id: (before[id], after[id]) for id in before if before[id] != after[id]}
        assert {one["id"]: (one["before"], one["after"]) for one in foretold["changes"]} == expected
        changed += len(expected)
    assert changed  # else nothing was promised
