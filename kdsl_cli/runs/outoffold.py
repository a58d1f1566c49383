"""`oof.parquet`: what one side said of each training dialogue when it had not learnt from it.

The miner's stages and the trainer each leave one, and from the pair `kdsl predict` learns how far to trust
either side. One row a labelled training dialogue, sorted by id: id, task, fold, scores in the catalogue's
order (null: the side abstained). The file's metadata hold the intents of each task in that order, under
``kdsl``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from kdsl_cli.runs.atomic import write_parquet

SCHEMA: Final = "kdsl.oof/1"
METADATA_KEY: Final = "kdsl"

COLUMNS: Final = pl.Schema(
    {"id": pl.String(), "task": pl.String(), "fold": pl.Int64(), "scores": pl.List(pl.Float64())}
)

Row = tuple[str, str, int, Sequence[float] | None]
"""id, task, fold, scores."""


def write_out_of_fold(path: Path, rows: Iterable[Row], intents: Mapping[str, Sequence[str]]) -> None:
    """Write the out-of-fold scores of all tasks to `path`, whole or not at all.

    Parameters
    ----------
    rows
        One a labelled training dialogue.
    intents
        Names of each task's intents, in the order of the scores.
    """
    frame = pl.DataFrame(list(rows), schema=COLUMNS, orient="row").sort("id")
    named = {task: list(names) for task, names in intents.items()}
    note = json.dumps({"schema": SCHEMA, "intents": named}, ensure_ascii=False)
    write_parquet(path, frame, metadata={METADATA_KEY: note})
