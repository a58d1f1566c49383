"""What a model of Qwen2-VL-2B's shape needs and does: peak memory, answers and proposals a second.

    python benchmarks/small_model_gpu.py --out benchmarks/results/small_model.json

Every prompt holds one picture of 0.4 megapixels, 506 tokens. An answer is a question's yes or no by
likelihood; a proposal is 128 tokens, held to a schema. Weights are random, in NF4: shapes, and so times and
memory, are those of the real model. Without CUDA the tiny shape runs instead, which proves only that it runs.
Memory is torch's peak on a GPU, and the process's peak, all libraries included, on a CPU.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import random_models

from kdsl_cli import extras
from kdsl_cli.backends.backend import Failed, Sampling
from kdsl_cli.backends.local.loading import load
from kdsl_cli.backends.local.local import LocalBackend
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.runs.atomic import write_json

BATCHES = (1, 8, 32)
# Words enough that no text ends before its 128 tokens.
PROPOSAL = Sampling(
    max_tokens=128,
    temperature=0.7,
    schema=json.dumps({"type": "array", "items": {"type": "string", "maxLength": 24}, "minItems": 64}),
)


def peak_gib() -> float:
    """Return the most memory taken since the last `forget_peak`; on a CPU since the start."""
    import torch

    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated() / 2**30)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def forget_peak() -> None:
    """Start measuring anew, where the machine can."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def timed(
    answer: Callable[[Sequence[Prompt]], Sequence[object]], prompts: Sequence[Prompt]
) -> dict[str, Any]:
    """Return rows a second after a warm-up, and the peak of memory."""
    answer(prompts[:1])
    forget_peak()
    begun = time.perf_counter()
    answers = answer(prompts)  # answers are numbers and text on the host: the device has finished
    seconds = time.perf_counter() - begun
    failed = [row for row in answers if isinstance(row, Failed)]
    if failed:
        raise SystemExit(f"a row failed: {failed[0]}")
    return {"rows_per_second": round(len(prompts) / seconds, 3), "peak_gib": round(peak_gib(), 2)}


def told(what: str, measured: dict[str, Any]) -> str:
    return f"{measured['rows_per_second']:9.2f} {what}/s, {measured['peak_gib']:.2f} GiB"


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cuda = torch.cuda.is_available()
    parser.add_argument("--shape", choices=list(random_models.SHAPES), default="2b" if cuda else "tiny")
    parser.add_argument("--model", help="a checkpoint or hub id, in place of random weights of that shape")
    parser.add_argument(
        "--rows", type=int, default=64 if cuda else 8, help="prompts of each measurement, at least"
    )
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    quant = "nf4" if extras.installed("bitsandbytes") else "none"
    if quant == "none":
        print("bitsandbytes is not installed: weights stay as they are (bfloat16 on a GPU)")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        where = given.model or str(random_models.checkpoint(folder, given.shape))
        machine = random_models.machine("cuda" if cuda else "cpu")
        loaded = load(LocalSpec(where), BackendOptions(quant=quant))
        for batch in given.batches:
            prompts = random_models.picture_prompts(folder, max(given.rows, batch))
            backend = LocalBackend("random", loaded, BackendOptions(batch_size=batch))
            answers = timed(lambda some, b=backend: b.score(some, ("yes", "no")), prompts)
            proposals = timed(lambda some, b=backend: b.generate(some, PROPOSAL), prompts)
            rows.append({"batch": batch, "answers": answers, "proposals": proposals})
            print(f"batch {batch:3}", told("answers", answers), told("proposals", proposals), flush=True)
    result = {
        "model": given.model or f"Qwen2-VL, random weights, shape {given.shape}",
        "quant": quant,
        "prompt": "one picture of 616 x 644 pixels",
        "tokens_a_proposal": PROPOSAL.max_tokens,
        "machine": machine,
        "rows": rows,
    }
    if given.out:
        write_json(given.out, result)


if __name__ == "__main__":
    main()
