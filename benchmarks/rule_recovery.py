"""Score mined rules against the rules that were planted in the shop: found, and kept by chance.

    python benchmarks/rule_recovery.py --rules rules/shop --shop data/shop --out build/rule_recovery

Both rule bases (`RULES/TASK.yaml`; `SHOP/truth/TASK.yaml`) are matched against fresh samples of the shop's
generator, with true labels and perfectly read text; no picture is drawn, so thousands take seconds.

kept
    A rule of `--rules` that is not disabled or a draft and speaks for its intent. Rules that speak against
    (weight below 0) are judged by neither measure.
planted
    A rule of the truth that words or the kind of picture decide. Those that ask a question (what is seen
    and never written) are left out unless `--questions` is given.
recovered
    A planted rule is recovered if, of the fresh samples of its intent on which it fires, the kept rules
    of that intent together fire on at least 80 %.
spurious
    A kept rule is spurious if the 95 % lower bound (Wilson, one-sided) of its precision on fresh samples is
    not above twice the share that its intent has of the task, or if it fires on no sample on which a
    planted rule of its intent fires, questions included.
unscored
    A kept rule that never fires and is unknown on some sample, because it names a descriptor of pixels or
    a question that the generator does not answer. Unknown is not wrong: it is neither spurious nor good.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from kdsl_cli.logic.codec import load_rules
from kdsl_cli.logic.conditions import leaves
from kdsl_cli.logic.facts import Facts, ImageFact, OcrLine, TurnFact
from kdsl_cli.logic.firing import firing_matrix
from kdsl_cli.logic.predicates import AnswerPredicate
from kdsl_cli.logic.rule import Rule
from kdsl_cli.metrics import wilson_low
from kdsl_cli.runs.atomic import write_parquet

TASKS = ("shop-page", "shop-request")
COVERED = 0.8
TIMES_CHANCE = 2.0

Fired = npt.NDArray[np.bool_]


def facts_of(identity: str, rows: Iterable[dict[str, Any]]) -> Facts:
    """Return the facts that the generator's evidence rows of one sample stand for."""
    turns, lines, answers = [], [], {}
    kinds: dict[int, str] = {}
    features: dict[int, dict[str, float]] = {}
    for row in rows:
        match row["kind"]:
            case "turn":
                turns.append(TurnFact(row["seq"], row["role"], row["text"]))
            case "ocr":
                box = (row["x0"], row["y0"], row["x1"], row["y1"])
                lines.append(OcrLine(row["image"], row["seq"], row["text"], row["score"], box))
            case "answer":
                answers[row["name"]] = row["text"] == "yes"
            case "image" if row["name"] == "kind":
                kinds[row["image"]] = row["text"]
            case "image":
                features.setdefault(row["image"], {})[row["name"]] = row["value"]
    images = tuple(ImageFact(image, kind, features[image]) for image, kind in sorted(kinds.items()))
    return Facts(identity, tuple(turns), tuple(lines), images, answers)


def fresh_samples(shop: Path, count: int, seed: int) -> dict[str, tuple[list[Facts], list[str]]]:
    """Return, by task, the facts and true labels of `count` new samples over both tasks."""
    sys.path.insert(0, str(shop / "generator"))
    from shopgen.output import evidence
    from shopgen.samples import fresh

    drawn: dict[str, tuple[list[Facts], list[str]]] = {task: ([], []) for task in TASKS}
    for sample in fresh(count, seed):
        drawn[sample.task][0].append(facts_of(sample.id, evidence(sample)))
        drawn[sample.task][1].append(sample.truth)
    return drawn


def asks(rule: Rule) -> bool:
    """Return whether the rule asks a question of a picture."""
    return any(isinstance(leaf, AnswerPredicate) for leaf in leaves(rule.when))


def planted_table(
    planted: list[Rule], fired: Fired, kept: list[Rule], kept_fired: Fired, truth: npt.NDArray[np.str_]
) -> pl.DataFrame:
    """Return one row a planted rule; fired arrays are (n_samples, n_rules)."""
    rows = []
    for place, rule in enumerate(planted):
        own = fired[:, place] & (truth == rule.intent)
        union = kept_fired[:, [other.intent == rule.intent for other in kept]].any(axis=1)
        covered = int((union & own).sum()) / int(own.sum()) if own.any() else None
        rows.append(
            {
                "intent": rule.intent,
                "rule": rule.id,
                "asks": asks(rule),
                "fired": int(own.sum()),
                "covered": covered,
                "recovered": covered is not None and covered >= COVERED,
            }
        )
    schema = {"intent": pl.String, "rule": pl.String, "asks": pl.Boolean, "fired": pl.Int64}
    return pl.DataFrame(rows, schema=schema | {"covered": pl.Float64, "recovered": pl.Boolean})


def kept_table(
    kept: list[Rule],
    verdicts: npt.NDArray[np.int8],
    planted: list[Rule],
    fired: Fired,
    truth: npt.NDArray[np.str_],
) -> pl.DataFrame:
    """Return one row a kept rule; `verdicts` is (n_samples, n_kept), 1 fired, 0 not, -1 unknown."""
    rows = []
    for place, rule in enumerate(kept):
        hits = verdicts[:, place] == 1
        right = truth == rule.intent
        correct, count = int((hits & right).sum()), int(hits.sum())
        low, base = wilson_low(correct, count, 0.95), float(right.mean())
        union = fired[:, [other.intent == rule.intent for other in planted]].any(axis=1)
        unscored = count == 0 and bool((verdicts[:, place] == -1).any())
        chance = low is None or low <= TIMES_CHANCE * base or not (hits & union).any()
        rows.append(
            {
                "intent": rule.intent,
                "rule": rule.id,
                "fired": count,
                "correct": correct,
                "precision_low": low,
                "base_rate": base,
                "unscored": unscored,
                "spurious": chance and not unscored,
            }
        )
    schema = {"intent": pl.String, "rule": pl.String, "fired": pl.Int64, "correct": pl.Int64}
    schema |= {"precision_low": pl.Float64, "base_rate": pl.Float64}
    return pl.DataFrame(rows, schema=schema | {"unscored": pl.Boolean, "spurious": pl.Boolean})


def score(
    kept: list[Rule], planted: list[Rule], facts: list[Facts], labels: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the planted and the kept table of one task; rules that speak against an intent are left out."""
    kept = [rule for rule in kept if rule.status not in ("draft", "disabled") and rule.weight >= 0]
    truth = np.array(labels)
    verdicts = firing_matrix([*planted, *kept], facts)
    fired, own = verdicts[:, : len(planted)] == 1, verdicts[:, len(planted) :]
    return planted_table(planted, fired, kept, own == 1, truth), kept_table(kept, own, planted, fired, truth)


def report(planted: pl.DataFrame, kept: pl.DataFrame, *, questions: bool) -> str:
    """Return the shares, and the rules that stand against them, as text."""
    asked = planted if questions else planted.filter(~pl.col("asks"))
    missed, spurious = asked.filter(~pl.col("recovered")), kept.filter("spurious")
    lines = []
    for task in (*TASKS, "both"):
        of = pl.lit(task == "both") | (pl.col("task") == task)
        found, all_found = asked.filter(of)["recovered"].sum(), asked.filter(of).height
        bad, all_kept = kept.filter(of)["spurious"].sum(), kept.filter(of).height
        unscored = kept.filter(of)["unscored"].sum()
        lines.append(
            f"{task:13} recovered {found}/{all_found} ({found / max(1, all_found):.1%})   "
            f"spurious {bad}/{all_kept} ({bad / max(1, all_kept):.1%})   unscored {unscored}"
        )
    lines += [f"  missed    {row['rule']}: {row['covered'] or 0:.0%} covered" for row in missed.to_dicts()]
    lines += [
        f"  spurious  {row['rule']}: {row['correct']} of {row['fired']} right" for row in spurious.to_dicts()
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rules", type=Path, required=True, help="folder with TASK.yaml of both tasks")
    parser.add_argument("--shop", type=Path, default=Path("data/shop"))
    parser.add_argument("--samples", type=int, default=6000, help="fresh samples over both tasks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--questions", action="store_true", help="ask for the rules about what is seen too")
    parser.add_argument("--out", type=Path, help="folder for planted.parquet and kept.parquet")
    given = parser.parse_args()
    drawn = fresh_samples(given.shop, given.samples, given.seed)
    tables: tuple[list[pl.DataFrame], list[pl.DataFrame]] = ([], [])
    for task in TASKS:
        kept = list(load_rules(given.rules / f"{task}.yaml").rules)
        planted = list(load_rules(given.shop / "truth" / f"{task}.yaml").rules)
        for store, table in zip(tables, score(kept, planted, *drawn[task]), strict=True):
            store.append(table.select(pl.lit(task).alias("task"), pl.all()))
    planted_rows, kept_rows = pl.concat(tables[0]), pl.concat(tables[1])
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        write_parquet(given.out / "planted.parquet", planted_rows)
        write_parquet(given.out / "kept.parquet", kept_rows)
    print(report(planted_rows, kept_rows, questions=given.questions))


if __name__ == "__main__":
    main()
