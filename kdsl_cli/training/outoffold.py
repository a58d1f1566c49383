"""`oof.parquet`: what the model said of each training dialogue when it had not learnt from it.

One row a labelled training dialogue, sorted by id: id, task, fold, scores (calibrated probabilities in the
catalogue's order). The file's own metadata hold the intents of each task in that order, under ``kdsl``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from kdsl_cli.runs.atomic import write_parquet
from kdsl_cli.training.trainer import Trained

SCHEMA = "kdsl.oof/1"
METADATA_KEY = "kdsl"

COLUMNS = pl.Schema(
    {"id": pl.String(), "task": pl.String(), "fold": pl.Int64(), "scores": pl.List(pl.Float64())}
)


def write_out_of_fold(path: Path, trained: Sequence[Trained]) -> None:
    """Write the out-of-fold scores of all tasks to `path`, whole or not at all."""
    rows = [
        (id, one.sample.task.name, int(fold), scores.tolist())
        for one in trained
        for id, fold, scores in zip(one.sample.ids, one.folds, one.scores, strict=True)
    ]
    frame = pl.DataFrame(rows, schema=COLUMNS, orient="row").sort("id")
    intents = {one.sample.task.name: list(one.sample.task.names) for one in trained}
    note = json.dumps({"schema": SCHEMA, "intents": intents}, ensure_ascii=False)
    write_parquet(path, frame, metadata={METADATA_KEY: note})
