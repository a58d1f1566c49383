"""Models with random weights, prompts of the shop for them, and the machine they run on.

Weights do not matter for how long something takes, only shapes do; no download is needed.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kdsl_cli.backends.local.tiny import QWEN2_VL_2B, QWEN2_VL_7B, TINY, Shape, build
from kdsl_cli.commands.workspace.shipped import shipped
from kdsl_cli.dialogues.catalogue import Catalogue
from kdsl_cli.dialogues.prompting import Choice, Picture, Prompt, intent_prompt
from kdsl_cli.dialogues.schema import Dialogue
from kdsl_cli.extras import installed
from kdsl_cli.runs.hashing import sha256_file

SMALL = Shape(512, 1408, 8, 8, 2, 256, 4, 4, 32_768, 4096, 0.03)
"""Large enough that arithmetic, and not Python, takes most of the time on a CPU."""

SHAPES = {"tiny": TINY, "small": SMALL, "2b": QWEN2_VL_2B, "7b": QWEN2_VL_7B}


def checkpoint(folder: Path, shape: str) -> Path:
    """Make the model of a shape, once; its tokenizer knows the words of the shop and of the labels."""
    made = folder / shape
    if not made.is_dir():
        shop = (shipped("data/shop") / "dialogues.jsonl").read_text("utf-8")
        with _on_the_gpu():
            build(made, [shop, *[_catalogue()] * 20], shape=SHAPES[shape])
    return made


@contextmanager
def _on_the_gpu() -> Iterator[None]:
    """Draw weights where that is fast, in bfloat16; on the CPU as ever where there is no GPU."""
    import torch

    if not torch.cuda.is_available():
        yield
        return
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device("cuda"):
            yield
    finally:
        torch.set_default_dtype(usual)
        torch.cuda.empty_cache()


def labels() -> list[str]:
    """Return the 23 labels of the task ``image-scene`` as the rules that ship name them."""
    task = _catalogue().partition("dialogue-intent")[0]
    return re.findall(r'^  - name: "([^"]+)"', task, re.MULTILINE)


def text_prompts(count: int) -> list[Prompt]:
    """Return what customers of the shop say, over and over with another number behind it."""
    lines = (shipped("data/shop") / "dialogues.jsonl").read_text("utf-8").splitlines()
    turns = [turn["text"] for line in lines for turn in json.loads(line)["turns"] if turn["text"]]
    said = (f"{turns[number % len(turns)]} ({number})" for number in range(count))
    return [Prompt("", (text, "Which intent is it?")) for text in said]


def picture_prompts(folder: Path, count: int, width: int = 616, height: int = 644) -> list[Prompt]:
    """Return prompts with one picture of 0.4 megapixels: 506 tokens."""
    from PIL import Image

    source = sorted((shipped("data/shop") / "images").iterdir())
    prompts = []
    for number in range(count):
        path = folder / f"{number % 32}.png"
        if not path.exists():
            Image.open(source[number % 32]).convert("RGB").resize((width, height)).save(path)
        picture = Picture(path, sha256_file(path))
        prompts.append(Prompt("", (picture, f"Which page does this show? ({number})")))
    return prompts


def with_catalogue(prompts: Sequence[Prompt]) -> list[Prompt]:
    """Return prompts as a dialogue's intent is asked for: behind the 23 labels with their descriptions."""
    task = Catalogue.load(shipped("rules/ecommerce-zh") / "intents.yaml").task("image-scene")
    choices = [Choice(intent.name, intent.description) for intent in task.intents]
    like = intent_prompt(
        Dialogue("", task.name, ()), choices, dict[str, Picture]().__getitem__, described=True
    )
    return [Prompt(like.system, (*prompt.parts[:-1], *like.parts)) for prompt in prompts]


def machine(device: str) -> dict[str, Any]:
    """Return what the numbers depend on."""
    import torch

    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.+)", info.read_text()) if info.exists() else []
    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "cpu": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "transformers", "bitsandbytes") if installed(name)},
    }


def _catalogue() -> str:
    return (shipped("rules/ecommerce-zh") / "intents.yaml").read_text("utf-8")
