"""Score the starter pack with no sample at all.

    python benchmarks/starter_pack.py --workspace DIR --rules rules/ecommerce-zh

The workspace holds labelled dialogues with extracted evidence (``kdsl data import``, ``data split --fractions
train=1``, ``kdsl extract --split train``). Nothing is learnt from them: every rule votes with the weight its
author gave it, and a dialogue on which no rule speaks counts as wrong.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from kdsl_cli.dialogues.catalogue import Catalogue
from kdsl_cli.dialogues.splits import load_split
from kdsl_cli.evidence.labelled import labelled
from kdsl_cli.evidence.table import read_facts
from kdsl_cli.logic.codec import load_rules
from kdsl_cli.logic.firing import firing_matrix
from kdsl_cli.logic.votes import abstains, rule_scores
from kdsl_cli.metrics import bootstrap, weighted_f1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--rules", type=Path, required=True, help="folder with TASK.yaml")
    asked = parser.parse_args()
    catalogue = Catalogue.load(asked.workspace / "intents.yaml")
    dialogues = load_split(asked.workspace / "data", "train")
    facts = read_facts([asked.workspace / "runs" / "evidence" / "train.parquet"])
    for task in labelled(dialogues, facts, catalogue, str(asked.workspace)):
        base = load_rules(asked.rules / f"{task.task.name}.yaml", intents=task.task.names)
        firing = firing_matrix(base.active, task.dialogues)
        best = rule_scores(base, task.task.names, firing).argmax(axis=1)
        silent = abstains(base, firing)
        said = [None if quiet else task.task.names[place] for place, quiet in zip(best, silent, strict=True)]
        score = weighted_f1(task.labels, said)
        spread = bootstrap(task.labels, said, rng=np.random.default_rng(0))
        assert score is not None and spread is not None and spread.weighted_f1 is not None
        low, high = spread.weighted_f1.low, spread.weighted_f1.high
        print(
            f"{task.task.name}: weighted F1 {score:.3f} ({low:.3f} to {high:.3f}), "
            f"{silent.mean():.1%} abstentions, {len(base.active)} rules, {len(said)} dialogues"
        )


if __name__ == "__main__":
    main()
