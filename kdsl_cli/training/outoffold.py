"""The out-of-fold scores of trained tasks as one file; `runs.outoffold` tells what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kdsl_cli.runs import outoffold
from kdsl_cli.training.trainer import Trained


def write_out_of_fold(path: Path, trained: Sequence[Trained]) -> None:
    """Write the out-of-fold scores of all tasks to `path`, whole or not at all."""
    intents = {one.sample.task.name: one.sample.task.names for one in trained}
    outoffold.write_out_of_fold(path, (row for one in trained for row in one.rows()), intents)
