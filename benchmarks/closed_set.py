"""How much faster 23 labels are scored in one pass than by writing the label, or by a pass for each label.

    python benchmarks/closed_set.py --shape small --out benchmarks/results/closed_set.json

Six ways on the same rows and the same model, rendering included, taking turns so that whatever else runs on
the machine hits all of them; a ratio is the median of those within a turn. "written" is what a user would
do without: transformers' `generate`, greedily, as many tokens as the longest label has, its end included.
Random weights never end by themselves, so in "written, ended" row n writes as many tokens as label n has, and
a batch ends with its longest. "written, held" is our own, held to the labels by a grammar. "pictures" only
renders prompts and sends pictures through the vision tower: no way can be faster.

Prompts are those that ask for a dialogue's intent, the 23 labels with their descriptions first; "text alone"
has no such list, and so no prefix to share. Then the arg-max of one pass and of a pass each are compared on
more rows, and that of one pass with what the same rows get when each is asked alone, where nothing is shared.
Weights are random.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import random_models

from kdsl_cli.backends.backend import Failed, Sampling, Scored
from kdsl_cli.backends.local.loading import Loaded, load
from kdsl_cli.backends.local.local import LocalBackend
from kdsl_cli.backends.local.rendering import Renderer, batched
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.runs.atomic import write_json

Way = Callable[[Sequence[Prompt]], Sequence[object]]


def ways(loaded: Loaded, options: BackendOptions, labels: Sequence[str]) -> tuple[dict[str, Way], list[int]]:
    """Return each way to find a label, and how many tokens each label has, its end included."""
    import torch

    one = LocalBackend("one", loaded, options)
    each = LocalBackend("each", loaded, options, shared=False)
    renderer = Renderer.of(loaded, options.max_pixels)
    lengths = [len(renderer.tokens(label)) + 1 for label in labels]
    held = Sampling(max_tokens=64, schema=json.dumps({"enum": list(labels)}, ensure_ascii=False))

    def batches(prompts: Sequence[Prompt], run: Callable[[range, dict[str, Any]], None]) -> list[object]:
        for start in range(0, len(prompts), options.batch_size):
            at = range(start, min(start + options.batch_size, len(prompts)))
            here = prompts[at.start : at.stop]
            rows = [renderer.row(one) for one in here] if here[0].pictures else renderer.plain(here)
            run(at, batched(rows, renderer.pad, loaded.model.device))
        return []

    def write(batch: dict[str, Any], tokens: int) -> None:
        loaded.model.generate(**batch, max_new_tokens=tokens)

    @torch.inference_mode()
    def see(batch: dict[str, Any]) -> None:
        if "pixel_values" in batch:
            loaded.model.model.get_image_features(batch["pixel_values"], batch["image_grid_thw"])

    return {
        "one pass": lambda prompts: one.score(prompts, labels),
        "a pass each": lambda prompts: each.score(prompts, labels),
        "written": lambda prompts: batches(prompts, lambda at, batch: write(batch, max(lengths))),
        "written, ended": lambda prompts: batches(
            prompts, lambda at, batch: write(batch, max(lengths[row % len(lengths)] for row in at))
        ),
        "written, held": lambda prompts: one.generate(prompts, held),
        "pictures": lambda prompts: batches(prompts, lambda at, batch: see(batch)),
    }, lengths


def speeds(found: dict[str, Way], prompts: Sequence[Prompt], turns: int) -> list[dict[str, Any]]:
    """Return rows a second of each way, and how many times as fast one pass is."""
    seconds: dict[str, list[float]] = {name: [] for name in found}
    for turn in range(turns + 1):
        for name, way in found.items():
            begun = time.perf_counter()
            answers = way(prompts)
            if any(isinstance(answer, Failed) for answer in answers):
                raise SystemExit(f"a row failed: {answers}")
            if turn:  # the first only warms up
                seconds[name].append(time.perf_counter() - begun)
    return [
        {
            "way": name,
            "rows_per_second": round(len(prompts) / statistics.median(taken), 3),
            "one_pass_is_faster": round(
                statistics.median(t / one for t, one in zip(taken, seconds["one pass"], strict=True)), 2
            ),
        }
        for name, taken in seconds.items()
    ]


def agreement(one_pass: Way, other: Way, prompts: Sequence[Prompt]) -> dict[str, Any]:
    """Compare the arg-max, and each score, of one pass and of another way."""
    pairs = list(zip(_logprobs(one_pass(prompts)), _logprobs(other(prompts)), strict=True))
    best = [(_best(one), _best(each)) for one, each in pairs]
    return {
        "rows": len(pairs),
        "same_arg_max": sum(one == each for one, each in best) / len(best),
        "labels_that_win": len({each for _, each in best}),
        "largest_difference_nats": max(
            abs(a - b) for one, each in pairs for a, b in zip(one, each, strict=True)
        ),
    }


def _logprobs(answers: Sequence[object]) -> list[list[float]]:
    return [
        [value for value in answer.logprobs if value is not None]
        for answer in answers
        if isinstance(answer, Scored)
    ]


def _best(scores: Sequence[float]) -> int:
    return max(range(len(scores)), key=scores.__getitem__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=list(random_models.SHAPES), default="small")
    parser.add_argument("--model", help="a checkpoint or hub id, in place of random weights of that shape")
    parser.add_argument("--quant", choices=["nf4", "int8", "none"], default="nf4")
    parser.add_argument("--device")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--picture-rows", type=int, default=8)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--compared", type=int, default=1000, help="rows whose arg-max is compared")
    parser.add_argument("--alone", type=int, default=1000, help="rows compared with themselves asked alone")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    labels = random_models.labels()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        where = given.model or str(random_models.checkpoint(folder, given.shape))
        options = BackendOptions(quant=given.quant, batch_size=given.batch, device=given.device)
        loaded = load(LocalSpec(where), options)
        machine = random_models.machine(loaded.identity["device"])
        found, lengths = ways(loaded, options, labels)
        text, pictures = random_models.text_prompts, random_models.picture_prompts(folder, given.picture_rows)
        behind, one_pass = random_models.with_catalogue, found["one pass"]

        def alone(prompts: Sequence[Prompt]) -> list[object]:
            return [answer for prompt in prompts for answer in one_pass([prompt])]

        result: dict[str, Any] = {
            "model": given.model or f"Qwen2-VL, random weights, shape {given.shape}",
            "quant": given.quant,
            "batch": given.batch,
            "rows": {"text": given.rows, "picture": given.picture_rows, "turns": given.turns},
            "labels": len(labels),
            "tokens_a_label": {"mean": round(statistics.mean(lengths), 2), "longest": max(lengths)},
            "machine": machine,
            "text": speeds(found, behind(text(given.rows)), given.turns),
            "picture": speeds(found, behind(pictures), given.turns),
            "text alone": speeds(found, text(given.rows), given.turns),
            "agreement": agreement(one_pass, found["a pass each"], behind(text(given.compared))),
            "agreement alone": agreement(one_pass, alone, behind(text(given.alone))),
        }
    for part in ("text", "picture", "text alone"):
        for row in result[part]:
            print(f"{part:10} {row['way']:14} {row['rows_per_second']:9.2f} rows/s"
                  f"   one pass is {row['one_pass_is_faster']:.2f} times as fast")  # fmt: skip
    print(json.dumps([result["agreement"], result["agreement alone"]], indent=1))
    if given.out:
        write_json(given.out, result)


if __name__ == "__main__":
    main()
