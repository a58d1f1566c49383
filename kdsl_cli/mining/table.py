"""Files of the miner: `candidates.parquet` (rules found), `sample.parquet` (on what), and units in the log.

A mask is written as the list of ids it stands for, so that the file can be read without knowing an order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from kdsl_cli.errors import StageError
from kdsl_cli.logic.conditions import condition_key, parse_key
from kdsl_cli.mining.campaign import WHOLE, Done, Unit
from kdsl_cli.mining.miner import Found, Mined
from kdsl_cli.mining.rules import CandidateRule
from kdsl_cli.mining.sample import Mask, Sample, mask_of
from kdsl_cli.runs.atomic import write_parquet

SCHEMA: Final = "kdsl.candidates/2"
METADATA_KEY: Final = "kdsl"

RULE_COLUMNS: Final = pl.Schema(
    {
        "task": pl.String(),
        "fold": pl.Int64(),
        "intent": pl.String(),
        "condition": pl.String(),
        "value": pl.Float64(),
        "weight": pl.Float64(),
        "seed": pl.Boolean(),
        "id": pl.String(),
        "why": pl.String(),
        "node": pl.Int64(),
        "visits": pl.Int64(),
        "round": pl.Int64(),
        "proposer": pl.String(),
        "fires": pl.List(pl.String()),
        "standing": pl.List(pl.String()),
    }
)
"""`fold`: the fold the run did not see, or -1. `standing`: the firings that count out of fold."""

SAMPLE_COLUMNS: Final = pl.Schema(
    {"task": pl.String(), "id": pl.String(), "label": pl.String(), "fold": pl.Int64()}
)


@dataclass(frozen=True, slots=True)
class Findings:
    """What the miner leaves of one task: the sample in bit order, and the rules of each run by fold."""

    task: str
    ids: tuple[str, ...]
    sample: Sample
    runs: Mapping[int, tuple[CandidateRule, ...]]


def write_findings(candidates: Path, sample: Path, findings: Sequence[Findings]) -> None:
    """Write both files, each whole or not at all."""
    rules = [row for one in findings for row in _rule_rows(one)]
    members = [row for one in findings for row in _sample_rows(one)]
    intents = {one.task: list(one.sample.intents) for one in findings}
    note = json.dumps({"schema": SCHEMA, "intents": intents}, ensure_ascii=False)
    write_parquet(sample, pl.DataFrame(members, schema=SAMPLE_COLUMNS, orient="row"))
    write_parquet(
        candidates, pl.DataFrame(rules, schema=RULE_COLUMNS, orient="row"), metadata={METADATA_KEY: note}
    )


def read_findings(candidates: Path, sample: Path) -> tuple[Findings, ...]:
    """Return what `write_findings` wrote.

    Raises
    ------
    StageError
        If the files are not of this version.
    """
    note = checked_note(candidates, SCHEMA, what="rule candidates", command="kdsl mine-rules")
    rules, members = pl.read_parquet(candidates), pl.read_parquet(sample)
    return tuple(
        _findings(
            task,
            tuple(names),
            members.filter(pl.col("task") == task),
            rules.filter(pl.col("task") == task),
        )
        for task, names in note["intents"].items()
    )


def checked_note(path: Path, schema: str, *, what: str, command: str) -> dict[str, Any]:
    """Return the note in a file of the miner's, once it is known to be of this version.

    Raises
    ------
    StageError
        If it is not; `what` the file holds and the `command` that makes it are told.
    """
    note: dict[str, Any] = json.loads(pl.read_parquet_metadata(path).get(METADATA_KEY, "{}"))
    if note.get("schema") != schema:
        raise StageError(
            f"not a file of {what} of this version ({note.get('schema')})",
            where=str(path),
            allowed=schema,
            fix=f"Run: {command} --force",
        )
    return note


def unit_record(task: str, done: Done, ids: Sequence[str]) -> dict[str, Any]:
    """Return a finished or interrupted unit as a line of the search log."""
    return {
        "task": task,
        "fold": done.unit.fold,
        "intent": done.unit.intent,
        "complete": done.mined.complete,
        "simulations": done.mined.simulations,
        "found": [
            {
                **asdict(one),
                "condition": condition_key(one.condition),
                "fires": _ids(one.fires, ids),
                "standing": _ids(one.standing, ids),
            }
            for one in done.mined.found
        ],
        "events": list(done.events),
    }


def unit_mined(record: Mapping[str, Any], ids: Sequence[str]) -> tuple[Unit, Mined]:
    """Return what a line of the search log says was found."""
    places = {id: place for place, id in enumerate(ids)}
    found = tuple(
        Found(
            **{
                **one,
                "condition": parse_key(one["condition"]),
                "fires": _mask(one["fires"], places),
                "standing": _mask(one["standing"], places),
            }
        )
        for one in record["found"]
    )
    return Unit(record["fold"], record["intent"]), Mined(found, record["simulations"], record["complete"])


def _rule_rows(findings: Findings) -> Iterator[tuple[Any, ...]]:
    for fold, rules in findings.runs.items():
        for rule in rules:
            yield (
                findings.task,
                fold,
                rule.intent,
                condition_key(rule.condition),
                rule.value,
                rule.weight,
                rule.seed,
                rule.id,
                rule.why,
                rule.node,
                rule.visits,
                rule.round,
                rule.proposer,
                _ids(rule.fires, findings.ids),
                _ids(rule.standing, findings.ids),
            )


def _sample_rows(findings: Findings) -> Iterator[tuple[Any, ...]]:
    sample = findings.sample
    for place, (id, label) in enumerate(zip(findings.ids, sample.labels, strict=True)):
        fold = next(number for number, mask in enumerate(sample.folds) if mask >> place & 1)
        yield findings.task, id, label, fold


def _findings(task: str, intents: tuple[str, ...], members: pl.DataFrame, rules: pl.DataFrame) -> Findings:
    ids = tuple(members["id"].to_list())
    numbers = members["fold"].to_list()
    places = {id: place for place, id in enumerate(ids)}
    folds = tuple(
        mask_of(number == fold for number in numbers) for fold in range(max(numbers, default=-1) + 1)
    )
    sample = Sample(tuple(members["label"].to_list()), intents, folds, (1 << len(ids)) - 1)
    # A run that found nothing has no row, and is a run all the same.
    runs: dict[int, tuple[CandidateRule, ...]] = dict.fromkeys((WHOLE, *range(len(folds))), ())
    for (fold,), group in rules.group_by(["fold"], maintain_order=True):
        runs[int(str(fold))] = tuple(_rule(row, places) for row in group.iter_rows(named=True))
    return Findings(task, ids, sample, runs)


def _rule(row: Mapping[str, Any], places: Mapping[str, int]) -> CandidateRule:
    return CandidateRule(
        row["intent"],
        parse_key(row["condition"]),
        _mask(row["fires"], places),
        _mask(row["standing"], places),
        value=row["value"],
        weight=row["weight"],
        seed=row["seed"],
        id=row["id"],
        why=row["why"],
        node=row["node"],
        visits=row["visits"],
        round=row["round"],
        proposer=row["proposer"],
    )


def _ids(mask: Mask, ids: Sequence[str]) -> list[str]:
    return [id for place, id in enumerate(ids) if mask >> place & 1]


def _mask(members: Iterable[str], places: Mapping[str, int]) -> Mask:
    mask = 0
    for id in members:
        mask |= 1 << places[id]
    return mask
