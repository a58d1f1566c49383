"""All tables of an evaluation, by the names they have as files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import polars as pl

from kdsl_cli.logic.rule import RuleBase
from kdsl_cli.prediction.table import PredictionTable
from kdsl_cli.reporting.decisions import confusions, per_dialogue
from kdsl_cli.reporting.rule_scores import per_rule
from kdsl_cli.reporting.scores import mcnemar, overall, per_intent


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """The tables of one evaluation; what their columns mean is told by the functions that make them."""

    overall: pl.DataFrame
    per_intent: pl.DataFrame
    per_rule: pl.DataFrame
    per_dialogue: pl.DataFrame
    confusions: pl.DataFrame
    mcnemar: pl.DataFrame

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the tables that an evaluation left in `folder`."""
        return cls(**{field.name: pl.read_parquet(folder / f"{field.name}.parquet") for field in fields(cls)})

    def __iter__(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield (name, frame) in the order of the fields."""
        return ((field.name, getattr(self, field.name)) for field in fields(self))


def evaluate(
    table: PredictionTable, bases: Iterable[RuleBase], *, seed: int, resamples: int = 2000
) -> Tables:
    """Return all tables of `table`; the same for the same `seed`.

    Raises
    ------
    StageError
        If a rule fired that is in none of `bases`.
    """
    return Tables(
        overall=overall(table, seed=seed, resamples=resamples),
        per_intent=per_intent(table),
        per_rule=per_rule(table, bases),
        per_dialogue=per_dialogue(table),
        confusions=confusions(table),
        mcnemar=mcnemar(table),
    )
