"""Samples a second and peak memory of a tuning, beside TRL's SFTTrainer with the same settings.

    pip install trl
    python benchmarks/lora_speed.py --preset 24g --out benchmarks/results/lora_speed.json

Both learn the same prompts (a picture of 0.4 megapixels, the 23 labels of ``image-scene``) and answers from
the same weights: random ones at the shape of Qwen2-VL-7B on a GPU, the tiny shape without one, which says
nothing of the other. Each runs in a process of its own, one after the other, and the first steps are not
counted. Memory is torch's peak on a GPU, and the process's peak, libraries included, on a CPU; on a CPU that
others use too, samples a second of processor time are what compares.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import random_models

from kdsl_cli.backends.local.loading import Loaded, load
from kdsl_cli.backends.local.rendering import Renderer
from kdsl_cli.backends.pictures import MULTIPLE, fit
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from kdsl_cli.dialogues.prompting import Choice, Picture
from kdsl_cli.dialogues.schema import Dialogue, Turn
from kdsl_cli.extras import installed
from kdsl_cli.runs.atomic import write_json
from kdsl_cli.training.lora.adapters.presets import PRESETS, resolve
from kdsl_cli.training.lora.adapters.settings import LoraSettings
from kdsl_cli.training.lora.samples.samples import Sample, View

UNCOUNTED = 2
"""Steps before the clock starts."""

TOKENS = 640
"""Of a sample, for the estimate of memory: 506 of its picture, the rest the labels and the answer."""


def samples_of(folder: Path, count: int) -> tuple[list[Sample], View]:
    """Return samples of one picture each, whose right intent is any."""
    prompts = random_models.picture_prompts(folder, count)
    choices = tuple(Choice(label) for label in random_models.labels())
    pictures: dict[str, Picture] = {}
    samples = []
    for number, prompt in enumerate(prompts):
        pictures[str(number)] = prompt.pictures[0]
        turn = Turn("customer", "", (str(number),))
        samples.append(Sample(Dialogue(str(number), "image-scene", (turn,)), choices, number % len(choices)))
    return samples, View(pictures, described=False)


Moment = tuple[float, float]
"""Seconds on the clock, and of this process's processor time."""


def now() -> Moment:
    return time.perf_counter(), time.process_time()


def ours(given: argparse.Namespace, settings: LoraSettings, loaded: Loaded, folder: Path) -> list[Moment]:
    """Tune, and return when each step ended."""
    from kdsl_cli.training.lora.adapters.adapting import adapt
    from kdsl_cli.training.lora.samples.collating import Collator
    from kdsl_cli.training.lora.steps.journal import Journal
    from kdsl_cli.training.lora.steps.loop import Loop
    from kdsl_cli.training.lora.steps.objectives import Answers
    from kdsl_cli.training.lora.steps.trainings import Training

    samples, view = samples_of(folder, given.steps * settings.batch)
    collator = Collator(Renderer.of(loaded, settings.max_pixels), view, settings.max_length)
    adapted = adapt(loaded, settings, {}, seed=0)
    ends: list[Moment] = []
    loop = Loop(
        adapted,
        Answers(adapted.model, collator),
        settings,
        0,
        Journal(folder / "metrics.jsonl"),
        tell=lambda told: ends.append(now()),
    )
    loop.fit(Training("all", samples, [1] * len(samples), folder / "all.pt"), None)
    return ends


def theirs(given: argparse.Namespace, settings: LoraSettings, loaded: Loaded, folder: Path) -> list[Moment]:
    """Tune with TRL, and return when each step ended."""
    import torch
    from datasets import Dataset, Features, Image, List, Value
    from peft import LoraConfig
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    from kdsl_cli.training.lora.adapters.adapting import targets
    from kdsl_cli.training.lora.steps.optimising import pages

    samples, view = samples_of(folder, given.steps * settings.batch)
    renderer = Renderer.of(loaded, settings.max_pixels)
    rows = []
    for sample in samples:
        prompt = sample.prompt(view)
        images = [fit(picture, settings.max_pixels, MULTIPLE) for picture in prompt.pictures]
        completion = sample.completion + renderer.spelt([renderer.end])
        rows.append({"prompt": renderer.text(prompt), "completion": completion, "images": images})
    columns = {"prompt": Value("string"), "completion": Value("string"), "images": List(Image())}
    cuda = torch.cuda.is_available()
    ends: list[Moment] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            ends.append(now())

    config = SFTConfig(
        output_dir=str(folder / "trl"),
        per_device_train_batch_size=settings.micro_batch,
        gradient_accumulation_steps=settings.batch // settings.micro_batch,
        max_steps=given.steps,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        max_grad_norm=settings.clip,
        gradient_checkpointing=settings.checkpointing,
        optim="paged_adamw_32bit" if pages(settings, "cuda" if cuda else "cpu") else "adamw_torch",
        bf16=cuda,
        use_cpu=not cuda,
        max_length=None,
        logging_strategy="no",
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        dataloader_num_workers=given.workers,
    )
    SFTTrainer(
        model=loaded.model,
        args=config,
        processing_class=loaded.processor,
        train_dataset=Dataset.from_list(rows, features=Features(columns)),
        callbacks=[Clock()],
        peft_config=LoraConfig(
            task_type="CAUSAL_LM",
            r=settings.rank,
            lora_alpha=settings.alpha,
            lora_dropout=settings.dropout,
            target_modules=targets(loaded.model, settings.targets),
        ),
    ).train()
    return ends


COMPARED = {
    "times_the_samples_a_second": "samples_per_second",
    "times_the_samples_a_processor_second": "samples_per_processor_second",
    "times_the_peak": "peak_gib",
}
"""How ours stands to theirs: above 1, below 1."""

RUNS: dict[str, Callable[..., list[Moment]]] = {"kdsl": ours, "trl": theirs}


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Run one of them in this process."""
    import torch

    from kdsl_cli.training.lora.adapters.memory import estimate, peak_gib, weights_of

    settings = settings_of(given)
    folder = Path(given.folder)
    loaded = load(LocalSpec(str(folder / given.shape)), how(settings))
    begun, _ = now()
    ends = RUNS[given.run](given, settings, loaded, folder)
    counted = len(ends) - UNCOUNTED
    seconds, used = (last - first for last, first in zip(ends[-1], ends[UNCOUNTED - 1], strict=True))
    device = loaded.model.device.type
    cuda = device == "cuda"
    n_learnt = sum(weight.numel() for weight in loaded.model.parameters() if weight.requires_grad)
    told = estimate(
        loaded.model.config.get_text_config(),
        settings,
        size=loaded.model.dtype.itemsize,
        weights=weights_of(loaded.model),
        learnt=n_learnt,
        rows=settings.micro_batch,
        tokens=TOKENS,
    )
    return {
        "samples_per_second": round(counted * settings.batch / seconds, 3),
        "samples_per_processor_second": round(counted * settings.batch / used, 3),
        "seconds_a_step": round(seconds / counted, 3),
        "seconds_before": round(ends[UNCOUNTED - 1][0] - begun, 1),
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30 if cuda else peak_gib("cpu"), 3),
        "peak_reserved_gib": round(peak_gib(device), 3),
        "estimated_gib": round(told.total, 2),
        "learnt_numbers": n_learnt,
    }


def settings_of(given: argparse.Namespace) -> LoraSettings:
    named = ("quant", "micro_batch", "rank", "dropout", "batch", "checkpointing")
    told = {name: getattr(given, name) for name in named}
    settings = resolve(given.preset, {name: value for name, value in told.items() if value is not None})
    return replace(settings, epochs=1, balanced=False, patience=None, checkpoint_steps=10**6)


def how(settings: LoraSettings) -> BackendOptions:
    return BackendOptions(quant=settings.quant, max_pixels=settings.max_pixels)


def apart(given: argparse.Namespace, run: str, folder: Path) -> dict[str, Any]:
    """Measure one of them in a process of its own."""
    out = folder / f"{run}.json"
    words = [word for word in sys.argv[1:] if word != "--help"]
    done = subprocess.run(
        [sys.executable, __file__, *words, "--run", run, "--folder", str(folder), "--out", str(out)]
    )
    if done.returncode:
        return {"failed": done.returncode}
    return dict(json.loads(out.read_text("utf-8")))


def main() -> None:
    import torch

    cuda = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=list(random_models.SHAPES), default="7b" if cuda else "tiny")
    parser.add_argument("--preset", choices=list(PRESETS), default="24g")
    parser.add_argument("--steps", type=int, default=10 if cuda else 5)
    parser.add_argument("--batch", type=int, default=16 if cuda else 4)
    parser.add_argument("--quant")
    parser.add_argument("--micro-batch", type=int)
    parser.add_argument("--rank", type=int)
    parser.add_argument("--dropout", type=float)
    parser.add_argument("--checkpointing", action=argparse.BooleanOptionalAction)
    parser.add_argument("--workers", type=int, default=0, help="processes that make TRL's batches")
    parser.add_argument("--only", choices=list(RUNS), help="one of the two")
    parser.add_argument("--model-folder", type=Path, help="where the random model is kept for another time")
    parser.add_argument("--run", choices=list(RUNS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if settings_of(given).quant != "none" and not installed("bitsandbytes"):
        parser.error("bitsandbytes is not installed: pip install bitsandbytes, or --quant none")
    if given.run:
        write_json(given.out, measure(given))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = given.model_folder or Path(name)
        random_models.checkpoint(folder, given.shape)
        machine = random_models.machine("cuda" if cuda else "cpu")
        found: dict[str, Any] = {}
        for run in [given.only] if given.only else RUNS:
            if run == "trl" and not installed("trl"):
                found[run] = {"left_out": "pip install trl"}
            else:
                found[run] = apart(given, run, folder)
            print(f"{run:5}", json.dumps(found[run]), flush=True)
    if all("samples_per_second" in one for one in found.values()) and len(found) == len(RUNS):
        for what, name in COMPARED.items():
            found[what] = round(found["kdsl"][name] / found["trl"][name], 3)
            print(f"{what}: {found[what]}")
    result = {
        "model": f"Qwen2-VL, random weights, shape {given.shape}",
        "preset": given.preset,
        "settings": settings_of(given).resolved(),
        "machine": machine,
        **found,
    }
    if given.out:
        write_json(given.out, result)


if __name__ == "__main__":
    main()
