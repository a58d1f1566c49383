"""A small workspace of text alone, whose rules are known, and which the program itself has extracted."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

from kdsl_cli.commands.app import run

SETTINGS = """\
extract: {workers: 1}
mine: {simulations: 60, patience: 40, permutations: 3, folds: 3, max_length: 2, workers: 1}
eval: {bootstrap: 50}
"""
INTENTS = """\
tasks:
- name: talk
  intents: [{name: refund}, {name: invoice}, {name: parcel}, {name: other}]
- name: mood
  intents: [{name: angry}, {name: calm}]
"""
SIGNS = {
    ("talk", "refund"): ("想退款", "退款呀"),
    ("talk", "invoice"): ("开发票", "写税号"),
    ("talk", "parcel"): ("快递呢", "快递吗"),
    ("talk", "other"): ("",),
    ("mood", "angry"): ("投诉你们",),
    ("mood", "calm"): ("谢谢",),
}
"""By task and intent, the ways in which it is said; all the rest of a text is filler."""

FILLER = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
EACH = 20


def fill(space: Path) -> None:
    """Make a workspace, part its dialogues, and extract all three splits."""
    write(space)
    for verb in (["data", "split"], ["extract"]):
        assert run([*verb, "-q", "--config-file", str(space / "kdsl.yaml")]) == 0


def write(space: Path) -> None:
    """Write settings, catalogue and dialogues."""
    (space / "data").mkdir(parents=True)
    (space / "kdsl.yaml").write_text(SETTINGS)
    (space / "intents.yaml").write_text(INTENTS)
    (space / "data/dialogues.jsonl").write_text("".join(lines()))


def lines() -> list[str]:
    rng = random.Random(0)
    rows = []
    for (task, intent), ways in SIGNS.items():
        for number in range(EACH):
            before, after = ("".join(rng.choices(FILLER, k=5)) for _ in range(2))
            turn = {"role": "customer", "text": before + ways[number % len(ways)] + after}
            row = {"id": f"{intent}-{number:02}", "task": task, "turns": [turn], "label": intent}
            rows.append(json.dumps(row, ensure_ascii=False) + "\n")
    return rows


def copied(template: Path, space: Path) -> Path:
    shutil.copytree(template, space, dirs_exist_ok=True)
    return space
