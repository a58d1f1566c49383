"""Can mining find what is seen and never written? The shop's six intents that only a look tells apart.

    python tests/fakes/shop_server.py --port 8009 --wrong 0.1 &
    python benchmarks/seen_not_written.py --small http://127.0.0.1:8009/v1#shop --splits 3 --out seen

For each seed of the split a workspace of the shop is made twice, with the statistical proposer and with the
small model beside it, and ``kdsl run`` does everything on it. Both are scored on the test split's dialogues
whose true intent (by ``data/shop/truth/noise.jsonl``) is one of the six, pooled over the splits: weighted F1
with abstentions wrong, and how many answers and calls the model gave (``kdsl calls``).

``--observations FILE`` takes the store of an earlier run (``runs/evidence/observations.jsonl``), so that
pictures are not read again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from kdsl_cli.commands.demo import fill
from kdsl_cli.metrics import bootstrap, weighted_f1
from kdsl_cli.runs.atomic import write_json

TASK = "shop-page"
PAIRS = (
    ("product-on-sale", "product-sold-out"),
    ("home", "home-popup"),
    ("parcel-intact", "parcel-damaged"),
)
SEEN = tuple(name for pair in PAIRS for name in pair)


@dataclass(frozen=True, slots=True)
class Rows:
    """True intents of the dialogues that only a look decides, and what each side said of them."""

    truth: list[str]
    rules: list[str | None]
    together: list[str | None]

    def __add__(self, other: Rows) -> Rows:
        return Rows(self.truth + other.truth, self.rules + other.rules, self.together + other.together)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", required=True, help="spec of the model, for example http:URL#shop")
    parser.add_argument("--shop", type=Path, default=Path("data/shop"))
    parser.add_argument("--splits", type=int, default=3, help="seeds of the split, from 0")
    parser.add_argument("--observations", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    truth = _truth(asked.shop)
    results = {}
    for name, options in (("statistical", []), ("mixed", ["--small", asked.small])):
        pooled, calls, started = Rows([], [], []), [], time.monotonic()
        for seed in range(asked.splits):
            space = asked.out / f"{name}-{seed}"
            _run(space, seed, options, asked.observations)
            pooled += _rows(space, truth)
            calls.append(_calls(space) if options else {})
        results[name] = {
            "rules": _score(pooled.truth, pooled.rules),
            "together": _score(pooled.truth, pooled.together),
            "dialogues": len(pooled.truth),
            "calls": calls,
            "seconds": round(time.monotonic() - started, 1),
        }
        print(json.dumps({name: results[name]}, ensure_ascii=False, indent=1))
    write_json(asked.out / "seen_not_written.json", {"small": asked.small, **results})


def _truth(shop: Path) -> dict[str, str]:
    dialogues = [json.loads(line) for line in (shop / "dialogues.jsonl").read_text("utf-8").splitlines()]
    noise = [json.loads(line) for line in (shop / "truth" / "noise.jsonl").read_text("utf-8").splitlines()]
    labels = {one["id"]: one["label"] for one in dialogues if one["task"] == TASK}
    return labels | {one["id"]: one["truth"] for one in noise if one["id"] in labels}


def _run(space: Path, seed: int, options: list[str], observations: Path | None) -> None:
    fill(space)
    store = space / "runs" / "evidence" / "observations.jsonl"
    if observations is not None and not store.exists():
        store.parent.mkdir(parents=True)
        shutil.copy(observations, store)
    environment = os.environ | {"KDSL_SPLITS_SEED": str(seed)}
    command = [sys.executable, "-m", "kdsl_cli", "run", "-q", *options]
    subprocess.run(command, cwd=space, env=environment, check=True, stdout=subprocess.DEVNULL)


def _rows(space: Path, truth: dict[str, str]) -> Rows:
    frame = pl.read_parquet(space / "runs" / "eval" / "test" / "per_dialogue.parquet")
    frame = frame.filter(pl.col("id").is_in([id for id, name in truth.items() if name in SEEN]))
    return Rows(
        [truth[id] for id in frame["id"]],
        frame["rules_prediction"].to_list(),
        frame["prediction"].to_list(),
    )


def _calls(space: Path) -> object:
    command = [sys.executable, "-m", "kdsl_cli", "calls", "--json"]
    return json.loads(subprocess.run(command, cwd=space, check=True, capture_output=True).stdout)


def _score(truth: list[str], said: list[str | None]) -> dict[str, float | None]:
    spread = bootstrap(truth, said, rng=np.random.default_rng(0))
    between = spread.weighted_f1 if spread is not None else None
    return {
        "weighted_f1": weighted_f1(truth, said),
        "low": between.low if between else None,
        "high": between.high if between else None,
    }


if __name__ == "__main__":
    main()
