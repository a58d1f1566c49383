"""`predictions.parquet`: what was decided on each dialogue, what each side said, and by which rules.

The file keeps the intents of each task, in the order of the score lists, in its own key-value metadata, so
that it can be read without the catalogue it was made with.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from kdsl_cli.errors import Problem, StageError
from kdsl_cli.runs.atomic import write_parquet

SCHEMA = "kdsl.predictions/2"
METADATA_KEY = "kdsl"

DecidedBy = Literal["rules", "large", "both", "none"]
DECIDED_BY: tuple[DecidedBy, ...] = ("rules", "large", "both", "none")

COLUMNS: Mapping[str, pl.DataType] = {
    "id": pl.String(),
    "task": pl.String(),
    "split": pl.String(),
    "group": pl.String(),
    "label": pl.String(),
    "prediction": pl.String(),
    "scores": pl.List(pl.Float64()),
    "fired": pl.List(pl.String()),
    "strategy": pl.String(),
    "rules_prediction": pl.String(),
    "rules_scores": pl.List(pl.Float64()),
    "large_prediction": pl.String(),
    "large_scores": pl.List(pl.Float64()),
    "large_method": pl.String(),
    "decided_by": pl.String(),
    "error": pl.String(),
}
NEVER_NULL = ("id", "task", "split", "fired", "strategy", "decided_by")


@dataclass(frozen=True, slots=True)
class Prediction:
    """One dialogue's decision.

    A row is in one of three states. *Decided*: there is a `prediction`. *Abstained*: there are `scores` but
    no prediction. *Failed*: there is an `error`, and neither prediction nor scores. A failed row is never
    counted as wrong; it alone may be of a task that is not known.

    Attributes
    ----------
    id, task, split, group, label
        As in the data; `label` None where it is unknown.
    prediction
        What both sides together decided under `strategy`.
    scores, rules_scores, large_scores
        Probabilities (0 to 1) in the catalogue's order of the task; a side's are None where it took no part.
    fired
        Ids of all rules that fired, for whichever intent.
    rules_prediction, large_prediction
        What each side says on its own; None where no rule fired, or the side took no part.
    large_method
        How a tuned model was asked (`backends.backend.Method`); None where no tuned model was.
    decided_by
        Whose word it was; "both" if neither side's word alone decided, "none" without a prediction.
    error
        Why the row failed.
    """

    id: str
    task: str
    split: str
    group: str | None
    label: str | None
    prediction: str | None
    scores: tuple[float, ...] | None
    fired: tuple[str, ...]
    strategy: str
    rules_prediction: str | None = None
    rules_scores: tuple[float, ...] | None = None
    large_prediction: str | None = None
    large_scores: tuple[float, ...] | None = None
    large_method: str | None = None
    decided_by: DecidedBy = "none"
    error: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PredictionTable:
    """Predictions that keep the promises of `Prediction`.

    Attributes
    ----------
    frame
        One row a dialogue, sorted by id, with the columns of `COLUMNS`.
    intents
        Task to the names of its intents, in the order of the score lists.
    """

    frame: pl.DataFrame
    intents: Mapping[str, tuple[str, ...]]


def prediction_table(rows: Iterable[Prediction], intents: Mapping[str, tuple[str, ...]]) -> PredictionTable:
    """Return `rows` as a table, sorted by id.

    Raises
    ------
    StageError
        If ids repeat, an intent is not the task's, or a row is in none of the three states.
    """
    frame = pl.DataFrame([asdict(row) for row in rows], schema=dict(COLUMNS)).sort("id")
    return _checked(frame, intents, where="predictions")


def write_predictions(
    path: Path, rows: Iterable[Prediction], intents: Mapping[str, tuple[str, ...]]
) -> PredictionTable:
    """Write `rows` to `path`, whole or not at all, and return the table that was written.

    Raises
    ------
    StageError
        As `prediction_table`; nothing is written then.
    """
    table = prediction_table(rows, intents)
    note = {"schema": SCHEMA, "intents": {task: list(names) for task, names in intents.items()}}
    write_parquet(path, table.frame, metadata={METADATA_KEY: json.dumps(note, ensure_ascii=False)})
    return table


def read_predictions(path: Path) -> PredictionTable:
    """Read and check a file of predictions.

    Raises
    ------
    StageError
        If it is not there, not a file of predictions of this schema, or breaks a promise of `Prediction`; all
        that is wrong with its rows is named.
    """
    if not path.is_file():
        raise StageError("there is no such file", where=str(path), fix="Run `kdsl predict` first")
    try:
        metadata = pl.read_parquet_metadata(path)
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        again = "Run `kdsl predict` again"
        raise StageError(f"not a whole Parquet file ({error})", where=str(path), fix=again) from error
    return _checked(frame, _intents(metadata, str(path)), where=str(path))


def _intents(metadata: Mapping[str, str], where: str) -> dict[str, tuple[str, ...]]:
    try:
        note = json.loads(metadata.get(METADATA_KEY, "{}"))
        found = note.get("schema")
        if found == SCHEMA:
            return {str(task): tuple(map(str, names)) for task, names in note["intents"].items()}
    except (ValueError, KeyError, AttributeError, TypeError):
        found = None
    raise StageError(
        f"schema {found!r} in the file's metadata"
        if found
        else "no predictions: the file's metadata lacks them",
        where=where,
        allowed=SCHEMA,
        fix="Run `kdsl predict` again",
    )


def _checked(frame: pl.DataFrame, intents: Mapping[str, tuple[str, ...]], *, where: str) -> PredictionTable:
    wrong = list(_wrong_columns(frame))
    if not wrong:
        frame = frame.select(*COLUMNS)
        wrong = list(_wrong_rows(frame, intents))
    if wrong:
        raise StageError([Problem(f"{where}:{row}" if row else where, what) for row, what in wrong])
    return PredictionTable(frame, intents)


def _wrong_columns(frame: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield (id, what): no id, the whole file is meant."""
    for name, kind in COLUMNS.items():
        if name not in frame.columns:
            yield "", f"column {name!r} is missing"
        elif frame.schema[name] != kind:
            yield "", f"column {name!r} holds {frame.schema[name]}, not {kind}"
    for name in frame.columns:
        if name not in COLUMNS:
            yield "", f"column {name!r} is unknown"


def _wrong_rows(frame: pl.DataFrame, intents: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Yield (id, what) for every row that breaks a promise."""
    seen: set[str] = set()
    for row in frame.iter_rows(named=True):
        if empty := [name for name in NEVER_NULL if row[name] is None]:
            yield row["id"] or "", f"nothing in {', '.join(empty)}"
            continue
        if row["id"] in seen:
            yield row["id"], "the id occurs twice"
        seen.add(row["id"])
        names = intents.get(row["task"])
        if names is None and row["error"] is not None:
            names = () if row["label"] is None else (row["label"],)  # an unknown task is why it failed
        if names is None:
            yield row["id"], f"task {row['task']!r} is not among {', '.join(intents)}"
            continue
        for column in ("label", "prediction", "rules_prediction", "large_prediction"):
            if row[column] is not None and row[column] not in names:
                yield row["id"], f"{column} {row[column]!r} is no intent of {row['task']}"
        for column in ("scores", "rules_scores", "large_scores"):
            if row[column] is not None and not _probabilities(row[column], len(names)):
                yield row["id"], f"{column} are not {len(names)} numbers from 0 to 1"
        if what := _wrong_state(row["prediction"], row["scores"], row["error"], row["decided_by"]):
            yield row["id"], what


def _probabilities(scores: list[float | None], expected: int) -> bool:
    return len(scores) == expected and all(score is not None and 0 <= score <= 1 for score in scores)


def _wrong_state(prediction: str | None, scores: object, error: str | None, decided_by: str) -> str | None:
    if decided_by not in DECIDED_BY:
        return f"decided_by {decided_by!r} is not one of {', '.join(DECIDED_BY)}"
    if (prediction is None) != (decided_by == "none"):
        return f"prediction {prediction!r} was decided by {decided_by!r}"
    if error is not None and (prediction is not None or scores is not None):
        return "a failed row has neither prediction nor scores"
    if error is None and scores is None:
        return "neither scores nor an error"
    return None
