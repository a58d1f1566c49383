"""Can mining find what is seen and never written? The shop's six intents that only a look tells apart.

    python benchmarks/seen_not_written.py --splits 3 4 5 --out seen

For each seed of the split and each proposer (`statistical`, `model`, `mixed`), ``kdsl run`` does everything
on the shop's pictures, the small model being played by ``tests/fakes/shop_server.py``: its answers are those
of the generator, a tenth of them wrong, otherwise for each wording of a question. Rules, linear model and
joint decision are scored on the test split's dialogues whose true intent (by ``data/shop/truth/noise.jsonl``)
is one of the six, pooled over the splits: weighted F1 with abstentions wrong, and what the model was asked.

Ended early, the same command goes on. ``--small SPEC`` asks another server. ``--observations FILE`` takes the
store of an earlier run (``runs/evidence/observations.jsonl``), so that pictures are not read again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from kdsl_cli.commands.run.demo import fill
from kdsl_cli.metrics import bootstrap, weighted_f1
from kdsl_cli.runs.atomic import write_json

ROOT = Path(__file__).parents[1]
SHOP = ROOT / "data" / "shop"
TASK = "shop-page"
SEEN = ("product-on-sale", "product-sold-out", "home", "home-popup", "parcel-intact", "parcel-damaged")
PROPOSERS = ("statistical", "model", "mixed")
SIDES = {"rules": "rules_prediction", "linear": "large_prediction", "together": "prediction"}


@dataclass(frozen=True, slots=True)
class Run:
    """One workspace: what the six intents' dialogues are, what each side said, and what it took.

    `spent` is what ``kdsl calls`` says, by verb and operation; `questions` are asked by the exported rules.
    """

    proposer: str
    seed: int
    truth: list[str]
    said: dict[str, list[str | None]]
    rules: int
    questions: int
    spent: list[dict[str, Any]]
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--splits", type=int, nargs="+", default=[3, 4, 5], help="seeds of the split")
    parser.add_argument("--proposers", nargs="+", choices=PROPOSERS, default=list(PROPOSERS))
    parser.add_argument("--small", help="spec of the model; default: a server of our own plays one")
    parser.add_argument("--wrong", type=float, default=0.1, help="share of its answers that are wrong")
    parser.add_argument("--port", type=int, default=8009, help="where it is served")
    parser.add_argument("--observations", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    with served(asked.port, asked.wrong) if asked.small is None else using(asked.small) as small:
        runs = [
            done(asked.out / f"{proposer}-{seed}", proposer, seed, small, asked.observations)
            for proposer in asked.proposers
            for seed in asked.splits
        ]
    results = {
        proposer: pooled([run for run in runs if run.proposer == proposer]) for proposer in asked.proposers
    }
    write_json(
        asked.out / "seen_not_written.json",
        {"small": small, "wrong": asked.wrong, "splits": asked.splits, "results": results},
    )
    print("\n".join(table(results)))


@contextmanager
def served(port: int, wrong: float, latency_ms: float = 0.0) -> Iterator[str]:
    """Play the model in a process of its own."""
    script = ROOT / "tests" / "fakes" / "shop_server.py"
    how = {"--port": port, "--wrong": wrong, "--latency-ms": latency_ms}
    command = [sys.executable, str(script), *(word for pair in how.items() for word in map(str, pair))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http:{process.stdout.readline().strip()}#shop"
        process.terminate()


@contextmanager
def using(small: str) -> Iterator[str]:
    yield small


def done(space: Path, proposer: str, seed: int, small: str, observations: Path | None) -> Run:
    """Do one run, or read what it left."""
    kept = space / "run.json"
    if kept.is_file():
        return Run(**json.loads(kept.read_text("utf-8")))
    prepare(space, observations)
    options = [] if proposer == "statistical" else ["--small", small]
    environment = os.environ | {"KDSL_SPLITS_SEED": str(seed), "KDSL_MINE_PROPOSER": proposer}
    started = time.monotonic()
    command = [sys.executable, "-m", "kdsl_cli", "run", "-q", *options]
    subprocess.run(command, cwd=space, env=environment, check=True, stdout=subprocess.DEVNULL)
    run = outcome(space, proposer, seed, time.monotonic() - started)
    write_json(kept, asdict(run))
    print(f"{proposer}, split {seed}: {run.seconds:.0f} s", file=sys.stderr)
    return run


def prepare(space: Path, observations: Path | None) -> None:
    """Make a workspace of the shop's pictures alone; the other task's intents are all written."""
    fill(space)
    path = space / "data" / "dialogues.jsonl"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if json.loads(line)["task"] == TASK), "utf-8")
    store = space / "runs" / "evidence" / "observations.jsonl"
    if observations is not None and not store.exists():
        store.parent.mkdir(parents=True)
        shutil.copy(observations, store)


def outcome(space: Path, proposer: str, seed: int, seconds: float) -> Run:
    """Return what a finished workspace says."""
    truth = true_intents()
    frame = pl.read_parquet(space / "runs" / "eval" / "test" / "per_dialogue.parquet")
    frame = frame.filter(pl.col("id").is_in([id for id, name in truth.items() if name in SEEN]))
    text = (space / "rules" / f"{TASK}.yaml").read_text("utf-8")
    answers = space / "runs" / "answers" / "test.parquet"
    calls = [sys.executable, "-m", "kdsl_cli", "calls", "--json"]
    return Run(
        proposer,
        seed,
        [truth[id] for id in frame["id"]],
        {side: frame[column].to_list() for side, column in SIDES.items()},
        text.count("\n- id:"),
        pl.read_parquet(answers)["question"].n_unique() if answers.is_file() else 0,
        []
        if proposer == "statistical"
        else json.loads(subprocess.run(calls, cwd=space, check=True, capture_output=True).stdout),
        round(seconds, 1),
    )


def true_intents() -> dict[str, str]:
    """Return the true intent of each dialogue of the task."""
    labels = {row["id"]: row["label"] for row in lines(SHOP / "dialogues.jsonl") if row["task"] == TASK}
    wrong = {row["id"]: row["truth"] for row in lines(SHOP / "truth" / "noise.jsonl")}
    return {id: wrong.get(id, label) for id, label in labels.items()}


def lines(path: Path) -> Iterator[dict[str, Any]]:
    return map(json.loads, path.read_text("utf-8").splitlines())


def pooled(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the scores of some runs' dialogues taken together, and what each run took."""
    truth = [name for run in runs for name in run.truth]
    scores = {side: score(truth, [name for run in runs for name in run.said[side]]) for side in SIDES}
    each = [
        {
            "seed": run.seed,
            **{side: round(weighted_f1(run.truth, run.said[side]) or 0.0, 3) for side in SIDES},
            "dialogues": len(run.truth),
            "rules": run.rules,
            "questions": run.questions,
            "seconds": run.seconds,
            "spent": run.spent,
        }
        for run in runs
    ]
    return {**scores, "dialogues": len(truth), "runs": each}


def score(truth: Sequence[str], said: Sequence[str | None]) -> dict[str, float | None]:
    spread = bootstrap(truth, said, rng=np.random.default_rng(0))
    between = spread.weighted_f1 if spread is not None else None
    return {
        "weighted_f1": weighted_f1(truth, said),
        "low": between.low if between else None,
        "high": between.high if between else None,
    }


def table(results: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the table of `docs/results.md`; what was asked and took is the mean of the runs."""
    yield "| proposer | rules | linear | together | rules found | questions | calls | tokens | seconds |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for proposer, result in results.items():
        runs = result["runs"]
        spent = [sum(row["calls"] for row in run["spent"]) for run in runs]
        tokens = [
            sum(row["prompt_tokens"] + row["completion_tokens"] for row in run["spent"]) for run in runs
        ]
        cells = [*(between(result[side]) for side in SIDES)]
        cells += [f"{np.mean([run[name] for run in runs]):.0f}" for name in ("rules", "questions")]
        cells += [f"{np.mean(spent):,.0f}", f"{np.mean(tokens) / 1e6:.1f} m"]
        yield f"| {proposer} | {' | '.join(cells)} | {np.mean([run['seconds'] for run in runs]):,.0f} |"


def between(scored: Mapping[str, float]) -> str:
    return f"{scored['weighted_f1']:.3f} ({scored['low']:.2f}–{scored['high']:.2f})"


if __name__ == "__main__":
    main()
