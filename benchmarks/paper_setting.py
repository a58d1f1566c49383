"""The paper's setting on the challenge's files: 2 B mines, 7 B is tuned, and both decide together.

    python benchmarks/paper_setting.py TAOBAO/train.json TAOBAO/val.json --out taobao

It makes a workspace, and gives it the commands that it prints; then it prints the row of the table in
`docs/results.md`. What was done is not done again: stopped, the same line goes on. Options of any stage are
given as ever, in `kdsl.yaml` of the workspace or as `KDSL_SECTION_OPTION` in the environment.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from kdsl_cli.commands.workspace.shipped import shipped
from kdsl_cli.runs.atomic import write_json

SMALL, LARGE = "local:Qwen/Qwen2-VL-2B-Instruct", "local:Qwen/Qwen2-VL-7B-Instruct"
SYSTEMS = ("rules", "large", "together")


def kdsl(space: Path, *words: str) -> Any:
    """Run a command as a user does, and return what it says as JSON."""
    print("$ kdsl", *words, flush=True)
    command = [sys.executable, "-m", "kdsl_cli", *words, "--json"]
    done = subprocess.run(command, cwd=space, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    if done.returncode:
        sys.exit(done.returncode)  # it has said why
    return json.loads(done.stdout)


def reproduce(given: argparse.Namespace, space: Path) -> list[dict[str, Any]]:
    """Do all of it, and return the scores on the split that was held back."""
    if not (space / "kdsl.yaml").is_file():
        space.mkdir(parents=True, exist_ok=True)
        kdsl(space, "init", ".")
        shutil.copyfile(given.catalogue, space / "intents.yaml")
    if not (space / "data/splits.json").is_file():
        kdsl(space, "data", "import", *(str(file.resolve()) for file in given.files))
        kdsl(space, "data", "split", "--fractions", given.fractions, "--seed", str(given.seed))
    seeds = [word for file in given.seed_rules for word in ("--seed-rules", str(file.resolve()))]
    models = ("--small", given.small, "--large", given.large, "--preset", given.preset)
    return list(kdsl(space, "run", *models, *seeds))


def table(scores: list[dict[str, Any]]) -> str:
    """Return weighted F1 by task and system, each with its interval, as rows of a table."""
    lines = [f"| weighted F1 | {' | '.join(SYSTEMS)} |", f"|{'---|' * (len(SYSTEMS) + 1)}"]
    for task in dict.fromkeys(row["task"] for row in scores):
        own = {row["system"]: row for row in scores if row["task"] == task}
        cells = (_cell(own.get(system)) for system in SYSTEMS)
        lines.append(f"| {task} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(row: dict[str, Any] | None) -> str:
    if row is None or row["weighted_f1"] is None:
        return ""
    return f"{row['weighted_f1']:.3f} ({row['weighted_f1_low']:.3f} to {row['weighted_f1_high']:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "files", type=Path, nargs="+", help="labelled dialogues, as kdsl data import takes them"
    )
    parser.add_argument("--out", type=Path, required=True, help="the workspace")
    parser.add_argument("--small", default=SMALL, help="who proposes rules and answers what they ask")
    parser.add_argument("--large", default=LARGE, help="who is tuned")
    parser.add_argument("--preset", default="24g")
    parser.add_argument("--fractions", default="train=0.7,val=0.1,test=0.2")
    parser.add_argument("--seed", type=int, default=0, help="of the parting")
    parser.add_argument(
        "--catalogue", type=Path, default=shipped("rules/ecommerce-zh") / "intents.yaml", help="the intents"
    )
    parser.add_argument("--seed-rules", type=Path, action="append", default=[], help="may be repeated")
    given = parser.parse_args()
    scores = reproduce(given, given.out)
    print(table(scores))
    write_json(given.out / "paper_setting.json", scores)


if __name__ == "__main__":
    main()
