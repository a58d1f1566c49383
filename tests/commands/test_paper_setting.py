"""``benchmarks/paper_setting.py``: its path, with the tiny checkpoint in place of both models."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from kdsl_cli.commands.workspace.shipped import shipped
from tests.backends.local.conftest import checkpoint  # noqa: F401 - a fixture of these tests too
from tests.conftest import ROOT, environment

pytestmark = [pytest.mark.local, pytest.mark.slow]

QUICK = {
    "KDSL_EXTRACT_WORKERS": "1",
    "KDSL_EXTRACT_MAX_SIDE": "320",
    "KDSL_MINE_SIMULATIONS": "20",
    "KDSL_MINE_PERMUTATIONS": "1",
    "KDSL_MINE_FOLDS": "2",
    "KDSL_MINE_WORKERS": "1",
    "KDSL_MINE_ASKED": "1",
    "KDSL_SMALL_MAX_CALLS": "40",
    "KDSL_TRAIN_EPOCHS": "1",
    "KDSL_TRAIN_MAX_PIXELS": "12544",
    "KDSL_TRAIN_FOLDS": "2",
    "KDSL_TRAIN_CHECKPOINTING": "false",
    "KDSL_TRAIN_MICRO_BATCH": "16",
    "KDSL_EVAL_BOOTSTRAP": "20",
}


def reproduced(space, *words):
    script = ROOT / "benchmarks" / "paper_setting.py"
    command = [sys.executable, str(script), *words, "--out", str(space)]
    return subprocess.run(command, env=environment(**QUICK), capture_output=True, text=True, encoding="utf-8")


INTENTS = ("order-confirm", "invoice-page", "complain-service", "invoice-request")
EACH = 10


def few(folder):
    """Write some dialogues of the shop with their pictures, and return the file."""
    shop = shipped("data/shop")
    rows = [json.loads(line) for line in (shop / "dialogues.jsonl").read_text("utf-8").splitlines()]
    some = [row for name in INTENTS for row in [row for row in rows if row["label"] == name][:EACH]]
    (folder / "images").mkdir()
    for name in (name for row in some for turn in row["turns"] for name in turn["images"]):
        shutil.copy(shop / name, folder / name)
    file = folder / "some.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in some), "utf-8")
    return file


def test_one_model_mines_another_is_tuned_and_both_decide(tmp_path, checkpoint):
    space, model = tmp_path / "space", f"local:{checkpoint}"
    catalogue = shipped("data/shop") / "intents.yaml"
    words = [str(few(tmp_path)), "--catalogue", str(catalogue), "--small", model, "--large", model]
    done = reproduced(space, *words)
    assert done.returncode == 0, done.stderr
    scores = json.loads((space / "paper_setting.json").read_text("utf-8"))
    tasks, systems = ("shop-page", "shop-request"), ("rules", "large", "together")
    assert {(row["system"], row["task"]) for row in scores} >= {
        (one, task) for one in systems for task in tasks
    }
    assert "| weighted F1 | rules | large | together |" in done.stdout and "| shop-page |" in done.stdout
    manifests = [json.loads((space / f"runs/{name}/manifest.json").read_text()) for name in ("mine", "large")]
    assert manifests[0]["config"]["small"]["model"] and manifests[1]["config"]["large"] == model
