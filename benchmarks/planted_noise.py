"""How many of the planted wrong labels `kdsl mislabelled` finds, and how many right ones it accuses.

    python benchmarks/planted_noise.py --out noise

2 % of the labels of the shop that ships are wrong, and `truth/noise.jsonl` knows them. All its dialogues are
one training split; rules are mined and the linear model trained as `kdsl run` does, and what both said out of
fold is judged. Printed, of the list that `kdsl mislabelled` gives: its length, how many of it are wrong
labels, how many of the first as many as are planted, and its average precision; then the same of other ways
to make the list. ``--shop DIR`` takes a shop that was generated anew (``data/shop/generator/generate.py
--seed 21``): what was chosen on the shop that ships has not seen it.

`--observations FILE` takes the store of an earlier run (``runs/evidence/observations.jsonl``), so that
pictures are not read again. Ended early, the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from kdsl_cli.commands.intake.mislabelled import HeldOuts, held_out_of
from kdsl_cli.commands.workspace.layout import Workspace
from kdsl_cli.prediction.held_out import HeldOut
from kdsl_cli.prediction.strategies import Floats
from kdsl_cli.reporting.mislabelled import suspects, suspicion
from kdsl_cli.runs.atomic import write_json

ROOT = Path(__file__).parents[1]
STAGES = (
    ["data", "split", "--fractions", "train=1"],
    ["extract", "--split", "train"],
    ["mine-rules"],
    ["prune-rules"],
    ["export-rules"],
    ["train-large"],
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shop", type=Path, default=ROOT / "data/shop")
    parser.add_argument("--observations", type=Path)
    asked = parser.parse_args()
    noise = (asked.shop / "truth/noise.jsonl").read_text("utf-8").splitlines()
    wrong = {row["id"] for row in map(json.loads, noise)}
    space = made(asked.out / "workspace", asked.shop, asked.observations)
    results = {name: judged(ranked, wrong) for name, ranked in lists(held_out_of(space))}
    write_json(asked.out / "planted_noise.json", {"planted": len(wrong), "lists": results})
    print("\n".join(table(results, len(wrong))))


def made(folder: Path, shop: Path, observations: Path | None) -> Workspace:
    """Make a workspace of a whole shop, up to the trained model."""
    for name in ("dialogues.jsonl", "images"):
        if not (folder / "data" / name).exists():
            copy = shutil.copytree if (shop / name).is_dir() else shutil.copy
            (folder / "data").mkdir(parents=True, exist_ok=True)
            copy(shop / name, folder / "data" / name)
    shutil.copy(ROOT / "data/shop/intents.yaml", folder / "intents.yaml")
    (folder / "kdsl.yaml").touch()
    store = folder / "runs/evidence/observations.jsonl"
    if observations is not None and not store.is_file():
        store.parent.mkdir(parents=True)
        shutil.copy(observations, store)
    for stage in STAGES:
        if stage[:2] == ["data", "split"] and (folder / "data/splits.json").is_file():
            continue
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run(
            [sys.executable, "-m", "kdsl_cli", *stage, "-q"], cwd=folder, env=environment, check=True
        )
    return Workspace(folder)


def lists(said: HeldOuts) -> Iterator[tuple[str, list[str]]]:
    """Yield ids of suspects, the most suspect first, for each way to make the list."""
    found = [one for task, (each, names) in said.items() for one in suspects(each, task, names)]
    first = [one for one in found if not one.confusable]
    by_label = sorted(found, key=lambda one: one.p_label)
    yield "kdsl mislabelled", [one.id for one in sorted(found, key=suspicion)]
    yield "kdsl mislabelled, less confusable intents", [one.id for one in sorted(first, key=suspicion)]
    yield "confusable intents not told apart", [one.id for one in by_label]
    yield "where rules and model both say otherwise", [one.id for one in by_label if one.against == 2]
    for side in ("rules", "large"):
        doubts = [pair for each, _ in said.values() for pair in doubtful(each, getattr(each, side))]
        yield f"{side} alone", [id for _, id in sorted(doubts)]
    yield "confident learning, by margin", [id for _, id in sorted(confidently_other(said))]


def doubtful(said: HeldOut, scores: Floats) -> Iterator[tuple[float, str]]:
    """Yield the probability of the label and the id, where another intent is likelier."""
    for row in np.flatnonzero(scores.argmax(axis=1) != said.truth):
        yield float(scores[row, said.truth[row]]), said.ids[row]


def confidently_other(said: HeldOuts) -> Iterator[tuple[float, str]]:
    """Yield margins and ids by the thresholds of confident learning: an intent's mean self-confidence."""
    for one, names in said.values():
        scores, truth = one.together, one.truth
        own = [scores[truth == place, place] for place in range(len(names))]
        thresholds = np.array([each.mean() if len(each) else 1.0 for each in own])
        reached = np.where(scores >= thresholds - 1e-9, scores, -1.0)
        best = reached.argmax(axis=1)
        for row in np.flatnonzero((reached.max(axis=1) >= 0) & (best != truth)):
            others = np.delete(scores[row], truth[row])
            yield float(scores[row, truth[row]] - others.max()), one.ids[row]


def judged(ids: list[str], wrong: set[str]) -> dict[str, float]:
    """Return what a list is worth; a planted label that is not in it counts as never found."""
    hits = np.array([id in wrong for id in ids])
    precisions = np.cumsum(hits) / np.arange(1, len(ids) + 1)
    return {
        "listed": len(ids),
        "wrong": int(hits.sum()),
        "wrong_among_first": int(hits[: len(wrong)].sum()),
        "average_precision": float(precisions[hits].sum() / len(wrong)),
    }


def table(results: Mapping[str, Mapping[str, float]], planted: int) -> Iterator[str]:
    yield f"| {planted} planted | listed | wrong labels | among the first {planted} | average precision |"
    yield "|---|---|---|---|---|"
    for name, told in results.items():
        listed, wrong, first = told["listed"], told["wrong"], told["wrong_among_first"]
        yield f"| {name} | {listed} | {wrong} | {first} | {told['average_precision']:.2f} |"


if __name__ == "__main__":
    main()
