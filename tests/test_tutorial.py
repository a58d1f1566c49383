"""Every command of the tutorial, in its order and in a workspace of its own, on a part of the shop."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kdsl_cli.commands.app import run as kdsl
from tests.conftest import ROOT

SHOP = ROOT / "data/shop"
TASKS = {"shop-page": "image-scene", "shop-request": "dialogue-intent"}
INTENTS = ("home", "coupon-list", "refund-only", "urge-shipping", "coupon-problem")
AS_OFTEN = {"shop-page": 6, "shop-request": 14}
QUICK = {
    "KDSL_EXTRACT_WORKERS": "1",
    "KDSL_MINE_SIMULATIONS": "60",
    "KDSL_MINE_PATIENCE": "40",
    "KDSL_MINE_PERMUTATIONS": "3",
    "KDSL_MINE_WORKERS": "1",
    "KDSL_EVAL_BOOTSTRAP": "50",
}
MAY_FIND = (["rules", "lint"], ["rules", "test"])
ENDLESS = (["rules", "watch"],)


def commands() -> Iterator[list[str]]:
    """Give the words of each line of shell in the tutorial."""
    for block in re.findall(r"```bash\n(.*?)```", (ROOT / "docs/tutorial.md").read_text("utf-8"), re.DOTALL):
        yield from (shlex.split(line, comments=True) for line in block.splitlines())


def shop() -> list[dict]:
    """Return some dialogues of a few intents, one turn each, without a picture in a request."""
    found = []
    for line in (SHOP / "dialogues.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        pictures = [name for turn in row["turns"] for name in turn["images"]]
        as_often = sum(one["label"] == row["label"] for one in found)
        wanted = row["label"] in INTENTS and as_often < AS_OFTEN[row["task"]]
        if wanted and len(row["turns"]) == 1 and bool(pictures) == (row["task"] == "shop-page"):
            found.append(row)
    return found


def export(folder: Path) -> None:
    """Write what a person would come with: a table, and pictures in a folder."""
    shutil.copytree(SHOP / "images", folder / "pictures")
    with (folder / "export.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["sku", "kind", "question", "files", "label"])
        for row in shop():
            (turn,) = row["turns"]
            pictures = ";".join(Path(name).name for name in turn["images"])
            table.writerow([row["id"], TASKS[row["task"]], turn["text"], pictures, row["label"]])


def filled_in(word: str) -> str:
    """Put something of this workspace in the place of a word in capitals."""
    if word == "RULE":
        return re.findall(r'- id: "(.+)"', Path("rules/dialogue-intent.yaml").read_text("utf-8"))[0]
    if word == "ID":
        return json.loads(Path("data/val.jsonl").read_text("utf-8").splitlines()[0])["id"]
    return "coupon-list" if word == "INTENT" else word


def catalogue() -> str:
    """Return the shop's intents under the tutorial's names of tasks."""
    text = (SHOP / "intents.yaml").read_text("utf-8")
    for theirs, ours in TASKS.items():
        text = text.replace(f'"{theirs}"', f'"{ours}"')
    return text


@pytest.mark.slow
def test_every_command_of_the_tutorial_does_what_it_says(tmp_path, monkeypatch, quiet_environment, capsys):
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    export(tmp_path)
    for program, *words in commands():
        if program == "cd":
            monkeypatch.chdir(words[0])
            Path("intents.yaml").write_text(catalogue(), "utf-8")
        elif program != "kdsl":
            subprocess.run([program, *words], check=True)
        elif words[:2] not in ENDLESS:
            code = kdsl([filled_in(word) for word in words])
            assert code == 0 or (code == 1 and words[:2] in MAY_FIND), (words, capsys.readouterr().err)
        if words == ["data", "split"]:
            shutil.copy("data/test.jsonl", "new.jsonl")
    told = capsys.readouterr().out
    assert "added coupon-list-" in told  # the rule that was written is foretold
    assert "answered alike by A and B" in told or "exact McNemar" in told
