"""How much faster 23 labels are scored in one pass than by writing the label, or by a pass for each label.

    python benchmarks/closed_set.py --shape small --out benchmarks/results/closed_set.json

Four ways on the same rows and the same model, rendering included, taking turns so that whatever else runs on
the machine hits all of them; a ratio is the median of those within a turn. "written" lets the model write
freely and greedily as many tokens as a label has on average, its end included; "written, held" holds it to
the labels. Then the arg-max of one pass and of a pass each are compared on more rows. Weights are random.
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
from kdsl_cli.backends.local.rendering import Renderer
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.runs.atomic import write_json

Way = Callable[[Sequence[Prompt]], Sequence[object]]


def ways(loaded: Loaded, options: BackendOptions, labels: Sequence[str]) -> tuple[dict[str, Way], float]:
    """Return each way to find a label, and how many tokens a label has on average, its end included."""
    one = LocalBackend("one", loaded, options)
    each = LocalBackend("each", loaded, options, shared=False)
    renderer = Renderer(loaded.processor, None, options.max_pixels)
    length = statistics.mean(len(renderer.tokens(label)) + 1 for label in labels)
    free = Sampling(max_tokens=round(length))
    held = Sampling(max_tokens=64, schema=json.dumps({"enum": list(labels)}, ensure_ascii=False))
    return {
        "one pass": lambda prompts: one.score(prompts, labels),
        "a pass each": lambda prompts: each.score(prompts, labels),
        "written": lambda prompts: one.generate(prompts, free),
        "written, held": lambda prompts: one.generate(prompts, held),
    }, length


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


def agreement(found: dict[str, Way], prompts: Sequence[Prompt]) -> dict[str, Any]:
    """Compare the arg-max, and each score, of one pass and of a pass each."""
    pairs = list(
        zip(_logprobs(found["one pass"](prompts)), _logprobs(found["a pass each"](prompts)), strict=True)
    )
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
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    labels = random_models.labels()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        where = given.model or str(random_models.checkpoint(folder, given.shape))
        options = BackendOptions(quant=given.quant, batch_size=given.batch, device=given.device)
        loaded = load(LocalSpec(where), options)
        machine = random_models.machine(loaded.identity["device"])
        found, length = ways(loaded, options, labels)
        result: dict[str, Any] = {
            "model": given.model or f"Qwen2-VL, random weights, shape {given.shape}",
            "quant": given.quant,
            "batch": given.batch,
            "rows": {"text": given.rows, "picture": given.picture_rows, "turns": given.turns},
            "labels": len(labels),
            "tokens_a_label": round(length, 2),
            "machine": machine,
            "text": speeds(found, random_models.text_prompts(given.rows), given.turns),
            "picture": speeds(found, random_models.picture_prompts(folder, given.picture_rows), given.turns),
            "agreement": agreement(found, random_models.text_prompts(given.compared)),
        }
    for part in ("text", "picture"):
        for row in result[part]:
            print(f"{part:8} {row['way']:14} {row['rows_per_second']:9.2f} rows/s"
                  f"   one pass is {row['one_pass_is_faster']:.2f} times as fast")  # fmt: skip
    print(json.dumps(result["agreement"]))
    if given.out:
        write_json(given.out, result)


if __name__ == "__main__":
    main()
