"""How many of the planted wrong labels `kdsl mislabelled` finds, and how many right ones it accuses.

    python benchmarks/planted_noise.py --out noise --folds-seeds 0 1 2

2 % of the labels of the shop that ships are wrong, and `data/shop/truth/noise.jsonl` knows them. All 608
dialogues are one training split; rules are mined and the linear model trained as `kdsl run` does, and what
both said out of fold is judged. Printed, for each way to rank: wrong labels among as many as are planted, the
average precision, and of the list that `kdsl mislabelled` gives, its length, precision and recall. Dialogues
of the six page intents that share their text with another (nothing but a look tells them apart) are counted
apart: there every side guesses, and guesses wrong half of the time.

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
from sklearn.metrics import average_precision_score

from kdsl_cli.commands.demo import fill
from kdsl_cli.commands.mislabelled import HeldOuts, held_out_of
from kdsl_cli.commands.workspace import Workspace
from kdsl_cli.reporting.mislabelled import margins, suspects
from kdsl_cli.runs.atomic import write_json

ROOT = Path(__file__).parents[1]
NOISE = ROOT / "data/shop/truth/noise.jsonl"
ALIKE = {"product-on-sale", "product-sold-out", "home", "home-popup", "parcel-intact", "parcel-damaged"}
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
    parser.add_argument("--folds-seeds", type=int, nargs="+", default=[0], help="seeds of mining and folds")
    parser.add_argument("--observations", type=Path)
    asked = parser.parse_args()
    wrong = {row["id"] for row in map(json.loads, NOISE.read_text("utf-8").splitlines())}
    results = {}
    for seed in asked.folds_seeds:
        space = made(asked.out / f"seed-{seed}", seed, asked.observations)
        results[seed] = judged(held_out_of(space), wrong)
    write_json(asked.out / "planted_noise.json", {"planted": len(wrong), "results": results})
    print("\n".join(table(results, len(wrong))))


def made(folder: Path, seed: int, observations: Path | None) -> Workspace:
    """Make a workspace of the whole shop, up to the trained model."""
    fill(folder)
    store = folder / "runs/evidence/observations.jsonl"
    if observations is not None and not store.is_file():
        store.parent.mkdir(parents=True)
        shutil.copy(observations, store)
    for stage in STAGES:
        if stage[:2] == ["data", "split"] and (folder / "data/splits.json").is_file():
            continue
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "KDSL_MINE_SEED": str(seed)}
        subprocess.run(
            [sys.executable, "-m", "kdsl_cli", *stage, "-q"], cwd=folder, env=environment, check=True
        )
    return Workspace(folder)


def judged(said: HeldOuts, wrong: set[str]) -> dict[str, dict[str, float | int]]:
    """Return what each way to rank finds, and what the list that is printed holds."""
    ids = [id for one, _ in said.values() for id in one.ids]
    planted = np.array([id in wrong for id in ids])
    found: dict[str, dict[str, float | int]] = {}
    for name, doubt in rankings(said):
        first = np.argsort(-doubt, kind="stable")[: planted.sum()]
        found[name] = {
            "found_among_first": int(planted[first].sum()),
            "average_precision": float(average_precision_score(planted, doubt)),
        }
    listed = [one for task, (each, names) in said.items() for one in suspects(each, task, names)]
    for name, kept in (
        ("listed", listed),
        ("listed, both sides against the label", [one for one in listed if one.against == 2]),
        ("listed, without confusable intents", [one for one in listed if not one.confusable]),
        (
            "listed, without the six that a look alone tells",
            [one for one in listed if one.label not in ALIKE],
        ),
    ):
        right = sum(one.id in wrong for one in kept)
        found[name] = {"n": len(kept), "right": right, "precision": right / len(kept) if kept else 0.0}
    return found


def rankings(said: HeldOuts) -> Iterator[tuple[str, np.ndarray]]:
    for side in ("rules", "large", "together"):
        scores = [(getattr(one, side), one.truth) for one, _ in said.values()]
        own = [each[np.arange(len(truth)), truth] for each, truth in scores]
        yield f"{side}: probability of the label", 1 - np.concatenate(own)
        yield f"{side}: margin", -np.concatenate([margins(each, truth) for each, truth in scores])


def table(results: Mapping[int, Mapping[str, Mapping[str, float | int]]], planted: int) -> Iterator[str]:
    for seed, found in results.items():
        yield f"seed {seed}, {planted} planted"
        for name, told in found.items():
            if "n" in told:
                yield f"  {name}: {told['right']} of {told['n']} are wrong labels ({told['precision']:.2f})"
            else:
                precision = f"average precision {told['average_precision']:.2f}"
                yield f"  {name}: {told['found_among_first']} among the first {planted}, {precision}"


if __name__ == "__main__":
    main()
