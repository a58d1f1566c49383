"""`metrics.jsonl`: one line a step, of every training of a run; the same lines for the same seed.

Times are none of them. What a training that was killed had written beyond its checkpoint is taken back.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from kdsl_cli.runs.appendlog import AppendLog, read_log
from kdsl_cli.runs.atomic import write_text


@dataclass(frozen=True, slots=True)
class Row:
    """One step.

    Attributes
    ----------
    training
        Which one: ``fold-0``, ..., or ``all``.
    step, epoch
        From 1.
    loss
        Mean negative log-likelihood (nats) of what is learnt: a token of an answer, or a place in a head.
    learning_rate, gradient
        Of this step; the gradient's norm before it was clipped.
    samples, tokens
        Read in this step; padding is not counted.
    val_weighted_f1, val_log_loss
        Of the validation split after it. None: not scored here.
    """

    training: str
    step: int
    epoch: int
    loss: float
    learning_rate: float
    gradient: float
    samples: int
    tokens: int
    val_weighted_f1: float | None = None
    val_log_loss: float | None = None


class Journal:
    """The file, open for one training after the other.

    Parameters
    ----------
    path
        Made when missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def go_on(self, training: str, step: int) -> None:
        """Take back what was written of a training after `step` steps."""
        rows = read_log(self._path)
        kept = [row for row in rows if row["training"] != training or row["step"] <= step]
        if len(kept) < len(rows):
            write_text(self._path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept))

    def add(self, row: Row) -> None:
        """Write one step; it outlives a kill of the process."""
        with AppendLog(self._path, sync=False) as log:
            log.append(asdict(row))
