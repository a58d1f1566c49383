"""What a page is made of, and the links within it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import polars as pl

from kdsl_cli.dialogues.schema import Dialogue
from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.rule import RuleBase
from kdsl_cli.prediction.table import PredictionTable
from kdsl_cli.reporting.tables import Tables
from kdsl_cli.runs.manifest import Manifest


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Everything that the page tells. Only predictions and their tables must be there.

    Attributes
    ----------
    name, split
        Of the workspace, and what the predictions are of.
    predictions, tables
        What was decided, and what it is worth.
    bases
        Rules by task; of a task without, no card can tell why its rules fired.
    dialogues, facts
        By id; of a dialogue without facts, no card can tell what decided.
    searches
        Records of the search log (`mining.table.unit_record`).
    training
        What was measured while the large model was tuned: a column `step`, and those of `charts.TRAINING`.
        None: nothing.
    manifests
        Of the stages, in their order.
    warnings
        What may spoil the result, in sentences.
    """

    name: str
    split: str
    predictions: PredictionTable
    tables: Tables
    bases: Mapping[str, RuleBase] = field(default_factory=dict)
    dialogues: Mapping[str, Dialogue] = field(default_factory=dict)
    facts: Mapping[str, Facts] = field(default_factory=dict)
    searches: Sequence[Mapping[str, Any]] = ()
    training: pl.DataFrame | None = None
    manifests: Sequence[Manifest] = ()
    warnings: Sequence[str] = ()


def listing(**wanted: str) -> str:
    """Return the link to the dialogues that a filter leaves; its names are those of the form's fields.

    Examples
    --------
    >>> listing(task="scene", label="退款", state="wrong")
    '#list?task=scene&label=%E9%80%80%E6%AC%BE&state=wrong'
    """
    return f"#list?{urlencode(wanted)}"
