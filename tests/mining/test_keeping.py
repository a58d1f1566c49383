"""What pruning leaves: rules with their evidence, base rates, and a file that gives both back."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from kdsl_cli.errors import StageError
from kdsl_cli.logic.rule import BaseRate, Evidence
from kdsl_cli.mining.keeping import as_base, read_kept, write_kept
from kdsl_cli.mining.pruning import Pruned, Weighed
from kdsl_cli.mining.rules import CandidateRule
from kdsl_cli.mining.sample import Sample

from .planted import bits, has

FOUR = Sample(("a", "a", "b", "b"), ("a", "b"), (bits(0, 2), bits(1, 3)), bits(0, 1, 2, 3))
IDS = ("d0", "d1", "d2", "d3")
KEPT = (
    Weighed(CandidateRule("b", has("乙"), bits(2), bits(2)), 0.5),
    Weighed(CandidateRule("a", has("甲"), bits(0, 1, 2), bits(0, 2)), 1.23456),
)
BASE = as_base("talk", Pruned(KEPT, {"b": -0.41237}, {}), FOUR, IDS, run="r", seed=0)


def test_rules_stand_in_the_catalogues_order_with_what_counts_out_of_fold() -> None:
    first, second = BASE.rules
    assert (first.intent, first.weight, second.intent) == ("a", 1.235, "b")
    assert first.evidence == Evidence(2, 1, first.evidence and first.evidence.precision_low, 0.5, 2)
    assert BASE.base_rates == (BaseRate("b", -0.412),)


def test_the_file_gives_back_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "kept.parquet"
    write_kept(path, [BASE], {"talk": ("a", "b"), "mood": ("c",)})
    kept = read_kept(path)
    assert kept["talk"] == BASE
    assert (kept["mood"].rules, kept["mood"].base_rates) == ((), ())


def test_a_file_of_another_version_is_refused_with_the_command_that_makes_it_anew(tmp_path: Path) -> None:
    path = tmp_path / "kept.parquet"
    write_kept(path, [BASE], {"talk": ("a", "b")})
    note = json.dumps({"schema": "kdsl.kept/2", "intents": {"talk": ["a", "b"]}})
    pl.read_parquet(path).write_parquet(path, metadata={"kdsl": note})
    with pytest.raises(StageError, match=r"kdsl\.kept/2.*kdsl\.kept/3.*kdsl prune-rules --force"):
        read_kept(path)
