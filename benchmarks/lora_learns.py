"""Does a tuned model learn the shop: how many of its samples, and of those held out, are told right.

    python benchmarks/lora_learns.py --out benchmarks/results/lora_learns.json

Four kinds of page of the shop that ships, told by pictures alone: 52 are learnt, 35 held out. The model is
the tiny checkpoint in NF4 with random weights, of which the additions alone are learnt: what it can do it has
learnt here. It says nothing about a real model, which `docs/results.md` has a command for.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import random_models

from kdsl_cli.backends.local.loading import load
from kdsl_cli.backends.local.local import LocalBackend
from kdsl_cli.backends.local.rendering import Renderer
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from kdsl_cli.commands.shipped import shipped
from kdsl_cli.commands.splits import dialogues_in
from kdsl_cli.dialogues.catalogue import Catalogue, Task
from kdsl_cli.dialogues.prompting import INTENT_VERSION
from kdsl_cli.runs.atomic import write_json
from kdsl_cli.training.lora.adapting import adapt
from kdsl_cli.training.lora.collating import Collator
from kdsl_cli.training.lora.head_backend import HeadBackend
from kdsl_cli.training.lora.journal import Journal
from kdsl_cli.training.lora.loop import Loop
from kdsl_cli.training.lora.model import TunedModel
from kdsl_cli.training.lora.objectives import Answers, Objective, Places
from kdsl_cli.training.lora.processes import World
from kdsl_cli.training.lora.record import TunedRecord, TunedTask
from kdsl_cli.training.lora.samples import Sample, choices_of, sample_of, view_of
from kdsl_cli.training.lora.settings import LoraSettings, Method
from kdsl_cli.training.lora.trainings import Told, Training
from kdsl_cli.training.lora.validating import by_task, held_out

INTENTS = ("order-confirm", "refund-progress", "coupon-list", "waybill-photo")
PIXELS = 12_544
"""Of a picture: 16 tokens."""

RATES: dict[Method, float] = {"lora": 3e-3, "head": 3e-3, "prompt": 3e-2, "full": 1e-3}


def pages(names: Sequence[str], share: float = 0.6) -> tuple[Task, list[Sample], list[Sample]]:
    """Return the pages of some kinds, those to learn and those held out, drawn once and for all."""
    whole = Catalogue.load(shipped("data/shop") / "intents.yaml").task("shop-page")
    task = Task(whole.name, tuple(intent for intent in whole.intents if intent.name in names))
    known = dialogues_in(shipped("data/shop") / "dialogues.jsonl")
    samples = [sample_of(one, task) for one in known if one.task == task.name and one.label in names]
    random.Random(0).shuffle(samples)
    cut = int(len(samples) * share)
    return task, samples[:cut], samples[cut:]


def settings_of(given: argparse.Namespace) -> LoraSettings:
    return LoraSettings(
        method=given.method,
        quant="none" if given.method == "full" else "nf4",
        max_pixels=PIXELS,
        micro_batch=8,
        checkpointing=False,
        rank=8,
        dropout=0.0,
        epochs=given.epochs,
        batch=8,
        learning_rate=given.rate or RATES[given.method],
        patience=None,
    )


def learn(where: Path, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Tune the model of a folder, and return how well it tells pages."""
    settings = settings_of(given)
    task, learnt, unseen = pages(given.intents)
    view = view_of([sample.dialogue for sample in (*learnt, *unseen)], shipped("data/shop"), described=False)
    how = BackendOptions(quant=settings.quant, max_pixels=PIXELS, batch_size=16)
    loaded = load(LocalSpec(str(where)), how)
    adapted = adapt(loaded, settings, {task.name: len(task.names)}, given.seed)
    renderer, intents = Renderer.of(loaded, PIXELS), {task.name: task.names}
    collator = Collator(renderer, view, settings.max_length)
    objective: Objective = Answers(adapted.model, collator)
    backend: Any = LocalBackend("tiny", loaded, how)
    if adapted.head is not None:
        objective = Places(adapted.model, renderer, view, intents)
        backend = HeadBackend("tiny", loaded, adapted.head, intents, PIXELS)
    model = TunedModel(record_of(task, settings), backend, view.pictures.__getitem__)
    lengths = [collator.encode(sample).n_tokens for sample in learnt]
    begun = time.perf_counter()
    loop = Loop(adapted, objective, settings, given.seed, Journal(folder / "metrics.jsonl"), tell=show)
    loop.fit(Training("all", learnt, lengths, folder / "all.pt"), None)
    seconds = time.perf_counter() - begun

    def accuracy(samples: Sequence[Sample]) -> float:
        held = held_out(model, adapted, samples, 0, World())
        return round(by_task(held, intents, {})[task.name].accuracy or 0.0, 4)

    most = Counter(sample.right.name for sample in unseen).most_common(1)[0][1]
    return {
        "method": settings.method,
        "quant": settings.quant,
        "samples": len(learnt),
        "held_out": len(unseen),
        "epochs": settings.epochs,
        "learnt_numbers": sum(weight.numel() for weight in adapted.learnt.values()),
        "seconds": round(seconds, 1),
        "train_accuracy": accuracy(learnt),
        "held_out_accuracy": accuracy(unseen),
        "majority": round(most / len(unseen), 4),
    }


def record_of(task: Task, settings: LoraSettings) -> TunedRecord:
    return TunedRecord(
        kind="lora",
        base="local:tiny",
        revision="",
        quant=settings.quant,
        max_pixels=PIXELS,
        processor="",
        prompts=INTENT_VERSION,
        described=False,
        tasks=(TunedTask(name=task.name, choices=choices_of(task)),),
        adapter="",
    )


def show(told: Told) -> None:
    if told.step % 20 == 0 or told.step == told.steps:
        pace = f"{told.samples_per_second:.1f} samples/s"
        print(f"{told.step:4}/{told.steps}  loss {told.loss:.3f}  {pace}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="a checkpoint, in place of the tiny one")
    parser.add_argument("--method", choices=list(RATES), default="lora")
    parser.add_argument("--intents", nargs="+", default=INTENTS)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        machine = random_models.machine("cpu")
        result = learn(given.model or random_models.checkpoint(folder, "tiny"), folder, given)
    for what, value in result.items():
        print(f"{what:18} {value}")
    if given.out:
        write_json(given.out, {**result, "machine": machine})


if __name__ == "__main__":
    main()
