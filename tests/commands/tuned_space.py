"""A workspace with a tuned model, as training would have left it, on the tiny checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kdsl_cli.dialogues.prompting import INTENT_VERSION, Choice
from kdsl_cli.evidence.table import write_facts
from kdsl_cli.logic.facts import Facts, TurnFact
from kdsl_cli.runs.atomic import write_parquet, write_text
from kdsl_cli.runs.stage import Stage
from kdsl_cli.training.lora.answers.record import (
    ADAPTER,
    MODEL,
    Kind,
    TunedRecord,
    TunedTask,
    adapter_hash,
    save,
)
from tests.backends.local.conftest import checkpoint

__all__ = ["checkpoint", "tuned_space", "untuned_space"]

PIXELS = 20_000
CATALOGUE = """\
tasks:
- name: "scene"
  intents: [{name: "退款页面", description: "a page about a refund"}, {name: "parcel"}]
- name: "wish"
  intents: [{name: "hurry"}, {name: "return"}, {name: "thanks"}]
"""
CHOICES = {
    "scene": (Choice("退款页面", "a page about a refund"), Choice("parcel")),
    "wish": (Choice("hurry"), Choice("return"), Choice("thanks")),
}
# id, task, text, pictures, label
ROWS = [
    ("t1", "scene", "", ["red.png"], "退款页面"),
    ("t2", "scene", "看<image>这个", ["blue.png"], "parcel"),
    ("t3", "wish", "快点发货 please be quick", [], "hurry"),
    ("t4", "wish", "I send it back", [], "return"),
    ("t5", "wish", "谢谢", [], None),
]


def line(id: str, task: str, text: str, images: list[str], label: str | None) -> str:
    turns = [{"role": "customer", "text": text, "images": images}]
    row = {"id": id, "task": task, "turns": turns, "group": None, "label": label}
    return json.dumps(row, ensure_ascii=False) + "\n"


@pytest.fixture
def untuned_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything but the model: dialogues with pictures, and their evidence."""
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    write_text(tmp_path / "kdsl.yaml", "predict: {strategy: large}\n")
    write_text(tmp_path / "intents.yaml", CATALOGUE)
    for split in ("train", "test"):
        rows = "".join(line(f"{split[0]}-{id}", *row) for id, *row in ROWS)
        write_text(tmp_path / f"data/{split}.jsonl", rows)
    for name in ("red", "blue"):
        Image.new("RGB", (90, 160), name).save(tmp_path / f"data/{name}.png")
    out = tmp_path / "runs/evidence"
    with Stage("extract", out, inputs=[tmp_path / "data/test.jsonl"]).run() as run:
        facts = [Facts(f"t-{row[0]}", (TurnFact(0, "customer", row[2]),)) for row in ROWS]
        write_facts(run.output(out / "test.parquet"), facts)
    return tmp_path


@pytest.fixture
def tuned_space(untuned_space: Path, checkpoint: Path) -> Path:
    """All of it, the model tuned in NF4."""
    tuned(untuned_space, checkpoint)
    return untuned_space


def tuned(space: Path, checkpoint: Path, **changes: Any) -> TunedRecord:
    """Leave a model in ``runs/large`` as training would: an adapter that says something, and its record."""
    from kdsl_cli.backends.local.local import open_local
    from kdsl_cli.backends.spec import BackendOptions, LocalSpec

    quant = changes.get("quant", "nf4")
    backend = open_local(LocalSpec(str(checkpoint)), BackendOptions(quant=quant, max_pixels=PIXELS))
    out = space / "runs/large"
    with Stage("train", out, force=True).run() as run:
        adapter(checkpoint, run.output(out / ADAPTER), kind=changes.get("kind", "lora"))
        record = TunedRecord(
            kind="lora",
            base=f"local:{checkpoint}",
            revision=backend.identity["revision"],
            quant=quant,
            max_pixels=PIXELS,
            processor=backend.identity["processor"],
            prompts=INTENT_VERSION,
            described=True,
            tasks=tuple(TunedTask(name=task, choices=offered) for task, offered in CHOICES.items()),
            adapter=adapter_hash(out / ADAPTER),
        ).model_copy(update=changes)
        run.output(out / MODEL)
        save(out, record)
        out_of_fold(run.output(out / "oof.parquet"))
    return record


def adapter(checkpoint: Path, folder: Path, kind: Kind = "lora") -> Path:
    """Write what was learnt as training does, but drawn: nothing of it is zero."""
    import torch

    from kdsl_cli.backends.local.loading import load
    from kdsl_cli.backends.spec import BackendOptions, LocalSpec
    from kdsl_cli.training.lora.adapters.adapting import adapt
    from kdsl_cli.training.lora.adapters.settings import LoraSettings

    loaded = load(LocalSpec(str(checkpoint)), BackendOptions(quant="none"))
    settings = LoraSettings(method=kind, rank=4, alpha=8, soft_tokens=3)
    learning = adapt(loaded, settings, {task: len(offered) for task, offered in CHOICES.items()}, 1)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(1)
        for weight in learning.learnt.values():
            torch.nn.init.normal_(weight, std=0.1)
    learning.save(folder, checkpoint.name)
    return folder


def out_of_fold(path: Path) -> None:
    import polars as pl

    intents = {task: [one.name for one in offered] for task, offered in CHOICES.items()}
    schema = {"id": pl.String, "task": pl.String, "fold": pl.Int64, "scores": pl.List(pl.Float64)}
    rows = [(f"t-{id}", task, 0, [1 / len(intents[task])] * len(intents[task])) for id, task, *_ in ROWS]
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    write_parquet(path, frame, metadata={"kdsl": json.dumps({"intents": intents})})
