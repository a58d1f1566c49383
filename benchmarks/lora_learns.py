"""Does a tuned model learn the shop: how many pages of its sample, and of those held out, are told right.

    python benchmarks/lora_learns.py --out benchmarks/results/lora_learns.json

Four kinds of page of the shop that ships, told by pictures alone, go the way that a user's go: data split,
extract, train-large, predict, eval. The model is the tiny checkpoint in NF4 with random weights, of which the
low-rank additions alone are learnt: what it can do it has learnt here. It says nothing about a real model,
which `docs/results.md` has a command for.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import random_models

from kdsl_cli.commands.workspace.shipped import shipped
from kdsl_cli.commands.workspace.splits import dialogues_in
from kdsl_cli.runs.atomic import write_json, write_text

TASK = "shop-page"
INTENTS = ("order-confirm", "waybill-photo", "home-popup", "invoice-page")
"""Pages that look unlike each other: random weights see little. Chosen before anything was tuned on them."""

SPLITS = {"train": "train", "test": "held_out"}

SETTINGS = """\
extract: {max_side: 64, workers: 1}  # nothing is to be read: the model sees pictures, and no rule decides
train:
  max_pixels: 12544  # 16 tokens
  max_length: 512
  micro_batch: 8
  checkpointing: false
  described: false
  dropout: 0.0
  batch: 8
  epochs: 24
  learning_rate: 0.005
  patience: null
  folds: 0
large: {batch: 16}
predict: {strategy: "large"}
eval: {bootstrap: 100, pictures: "none"}
"""


def fill(space: Path) -> None:
    """Make a workspace of the pages."""
    shop = shipped("data/shop")
    known = dialogues_in(shop / "dialogues.jsonl")
    rows = [
        {
            "id": one.id,
            "task": TASK,
            "turns": [{"role": "customer", "text": "", "images": list(one.images)}],
            "label": one.label,
        }
        for one in known
        if one.task == TASK and one.label in INTENTS
    ]
    listed = "".join(f'  - {{name: "{name}"}}\n' for name in INTENTS)
    settings = f"data: {{images: {json.dumps(str(shop))}}}\n{SETTINGS}"
    write_text(space / "kdsl.yaml", settings)
    write_text(space / "intents.yaml", f'tasks:\n- name: "{TASK}"\n  intents:\n{listed}')
    write_text(space / "data/dialogues.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))


def kdsl(space: Path, *words: str) -> Any:
    """Run a command as a user does, and return what it says; what it notes is shown."""
    print("$ kdsl", *words, flush=True)
    command = [sys.executable, "-m", "kdsl_cli", *words, "--json"]
    done = subprocess.run(command, cwd=space, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=True)
    return json.loads(done.stdout)


def learn(space: Path, model: Path, seed: int) -> dict[str, Any]:
    """Tune on the training split, and return how well pages of both splits are told."""
    fill(space)
    kdsl(space, "data", "split", "--fractions", "train=0.6,test=0.4")
    kdsl(space, "extract", "--split", "train,test")
    begun, used = time.perf_counter(), _processor_seconds()
    kdsl(space, "train-large", "--large", f"local:{model}", "--seed", str(seed))
    seconds, used = time.perf_counter() - begun, _processor_seconds() - used
    labels = {split: [one.label for one in dialogues_in(space / f"data/{split}.jsonl")] for split in SPLITS}
    (_, most), *_ = Counter(labels["test"]).most_common(1)
    return {
        "intents": list(INTENTS),
        "samples": len(labels["train"]),
        "held_out": len(labels["test"]),
        "majority": round(most / len(labels["test"]), 4),
        **{f"{name}_accuracy": accuracy(space, split) for split, name in SPLITS.items()},
        "train_large_seconds": round(seconds, 1),
        "train_large_processor_seconds": round(used, 1),
        "settings": json.loads((space / "runs/large/model.json").read_text("utf-8"))["settings"],
    }


def accuracy(space: Path, split: str) -> Any:
    """Return the share of a split that the model alone tells right."""
    kdsl(space, "predict", "--split", split)
    scored = kdsl(space, "eval", "--split", split)
    return next(
        round(row["accuracy"], 4) for row in scored if (row["system"], row["task"]) == ("large", TASK)
    )


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="a checkpoint, in place of the tiny one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        machine = random_models.machine("cpu")
        model = given.model or random_models.checkpoint(Path(name), "tiny")
        result = learn(Path(name) / "space", model.resolve(), given.seed)
    for what, value in result.items():
        print(f"{what:30} {value}")
    if given.out:
        write_json(given.out, {**result, "machine": machine})


if __name__ == "__main__":
    main()
