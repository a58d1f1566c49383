"""The whole chain on every fold of every seed, and what its scores are on average.

Within a seed, the held-out predictions of all folds are pooled and scored once: the F1 of an intent with four
dialogues means nothing in one fold. The folds' own scores are kept beside, to show how far they spread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from kdsl_cli.errors import Problem, StageError
from kdsl_cli.prediction.table import PredictionTable
from kdsl_cli.reporting.scores import SCORES, overall


@dataclass(frozen=True, slots=True)
class Fold:
    """One part of the dialogues, held out while the chain learns from the rest of them.

    Attributes
    ----------
    seed
        Which parting of the dialogues.
    number
        Which part of it, from 0.
    ids
        The dialogues held out.
    """

    seed: int
    number: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidation:
    """What a cross-validation found.

    Attributes
    ----------
    pooled
        Seed to the held-out predictions of all its folds: as good as a test split for every other table.
    per_seed
        `scores.overall` of each of them, after a column seed.
    per_fold
        `scores.overall` of each fold, after columns seed and fold, without intervals.
    summary
        A row a system and task: `seeds` and `folds` it took part in; of each score `_mean` and `_sd` over the
        seeds' pooled scores (sd null with one seed), `_fold_sd`, `_fold_low` and `_fold_high` over single
        folds. The sd over seeds is the noise of parting and learning alone, on ever the same dialogues; how
        the score would move with other dialogues, the intervals of `per_seed` tell.
    """

    pooled: Mapping[int, PredictionTable]
    per_seed: pl.DataFrame
    per_fold: pl.DataFrame
    summary: pl.DataFrame


def cross_validate(
    folds: Sequence[Fold],
    chain: Callable[[Fold], PredictionTable],
    *,
    seed: int,
    resamples: int = 2000,
) -> CrossValidation:
    """Run `chain` on every fold, in order, and merge what it predicts on the dialogues held out.

    Parameters
    ----------
    folds
        The folds of all seeds. Those of one seed hold out each dialogue once.
    chain
        Learns from everything outside of the fold and predicts each of `Fold.ids`. It decides by itself what
        it keeps to resume from.
    seed, resamples
        Of the intervals in `CrossValidation.per_seed`.

    Raises
    ------
    StageError
        If a chain leaves out a dialogue or predicts another one, if the folds of a seed overlap, or two seeds
        do not hold out the same dialogues.
    """
    _check_folds(folds)
    tables = [(fold, _complete(chain(fold), fold)) for fold in folds]
    seeds = dict.fromkeys(fold.seed for fold in folds)
    pooled = {each: _pool([table for fold, table in tables if fold.seed == each]) for each in seeds}
    per_seed = [
        overall(table, seed=seed, resamples=resamples).select(pl.lit(each).alias("seed"), pl.all())
        for each, table in pooled.items()
    ]
    per_fold = [
        overall(table, seed=seed, resamples=0).select(
            pl.lit(fold.seed).alias("seed"), pl.lit(fold.number).alias("fold"), pl.all()
        )
        for fold, table in tables
    ]
    seed_rows, fold_rows = pl.concat(per_seed), pl.concat(per_fold)
    return CrossValidation(pooled, seed_rows, fold_rows, _summary(seed_rows, fold_rows))


def _check_folds(folds: Sequence[Fold]) -> None:
    if not folds:
        raise StageError("no folds: there is nothing to cross-validate on")
    first: frozenset[str] | None = None
    for seed in dict.fromkeys(fold.seed for fold in folds):
        held_out = Counter(name for fold in folds if fold.seed == seed for name in fold.ids)
        if twice := sorted(name for name, times in held_out.items() if times > 1):
            raise StageError(f"held out in two folds: {_some(twice)}", where=f"seed {seed}")
        if first is not None and first != held_out.keys():
            other = sorted(first ^ held_out.keys())
            raise StageError(f"not held out under every seed: {_some(other)}", where=f"seed {seed}")
        first = frozenset(held_out)


def _complete(table: PredictionTable, fold: Fold) -> PredictionTable:
    predicted = set(table.frame["id"])
    problems = [
        Problem(f"seed {fold.seed}, fold {fold.number}", f"{what}: {_some(sorted(names))}")
        for what, names in (
            ("held out but not predicted, nor said to have failed", set(fold.ids) - predicted),
            ("predicted but not held out", predicted - set(fold.ids)),
        )
        if names
    ]
    if problems:
        raise StageError(problems)
    return table


def _pool(tables: Sequence[PredictionTable]) -> PredictionTable:
    if any(dict(table.intents) != dict(tables[0].intents) for table in tables):
        raise StageError("two folds were predicted with different intents")
    return PredictionTable(pl.concat([table.frame for table in tables]).sort("id"), tables[0].intents)


def _summary(per_seed: pl.DataFrame, per_fold: pl.DataFrame) -> pl.DataFrame:
    ends = ("mean", "sd", "fold_sd", "fold_low", "fold_high")
    columns = [f"{name}_{end}" for name in SCORES for end in ends]
    seeds = per_seed.group_by("system", "task", maintain_order=True).agg(
        pl.len().alias("seeds"),
        pl.col("n").first(),
        pl.col("n_failed").sum(),
        *(pl.col(name).mean().alias(f"{name}_mean") for name in SCORES),
        *(pl.col(name).std().alias(f"{name}_sd") for name in SCORES),
    )
    folds = per_fold.group_by("system", "task").agg(
        pl.len().alias("folds"),
        *(pl.col(name).std().alias(f"{name}_fold_sd") for name in SCORES),
        *(pl.col(name).min().alias(f"{name}_fold_low") for name in SCORES),
        *(pl.col(name).max().alias(f"{name}_fold_high") for name in SCORES),
    )
    return seeds.join(folds, on=["system", "task"], how="left", maintain_order="left").select(
        "system", "task", "seeds", "folds", "n", "n_failed", *columns
    )


def _some(names: Iterable[str], at_most: int = 5) -> str:
    listed = list(names)
    more = f", and {len(listed) - at_most} more" if len(listed) > at_most else ""
    return ", ".join(listed[:at_most]) + more
