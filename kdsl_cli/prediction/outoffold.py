"""`oof.parquet`: what a side said of each training dialogue when it had not learnt from it.

Columns id, task, fold and scores: one number an intent, in the order that the file's metadata tell
(``kdsl``: ``{"intents": {task: [names]}}``), null where the side abstained. Rules give log-odds, the large
model probabilities.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from kdsl_cli.errors import Problem, StageError, did_you_mean
from kdsl_cli.prediction.strategies import Floats
from kdsl_cli.prediction.weighing import Truth

METADATA_KEY = "kdsl"

Intents = Mapping[str, tuple[str, ...]]
"""Task to the names of its intents, in the catalogue's order."""

COLUMNS = ("id", "task", "fold", "scores")


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """What one side said, by task and dialogue: scores in the catalogue's order, None where it abstained."""

    scores: Mapping[str, Mapping[str, tuple[float, ...] | None]]


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """What both sides said of the same n labelled dialogues of a task; see `weighing.learn_weights`."""

    rules: Floats
    large: Floats
    truth: Truth

    def __len__(self) -> int:
        return len(self.truth)


def read_out_of_fold(path: Path, intents: Intents, *, command: str) -> OutOfFold:
    """Read a file of out-of-fold scores.

    Parameters
    ----------
    path
        The file.
    intents
        What the catalogue says now; tasks that it no longer has are left out.
    command
        What makes the file, for messages.

    Raises
    ------
    StageError
        If the file is not one of these, its intents are others or in another order, an id occurs twice, or
        scores are not one finite number an intent.
    """
    fix = f"Run again: {command}"
    try:
        metadata, frame = pl.read_parquet_metadata(path), pl.read_parquet(path)
        known = json.loads(metadata[METADATA_KEY])["intents"]
        given = {str(task): tuple(map(str, names)) for task, names in known.items()}
        rows = frame.select(*COLUMNS).sort("id").rows()
    except (pl.exceptions.PolarsError, OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        told = " ".join(str(error).split())
        raise StageError(
            f"not a file of out-of-fold scores ({told})", where=str(path), allowed=", ".join(COLUMNS), fix=fix
        ) from error
    problems = [
        Problem(str(path), differs, fix=fix)
        for task, names in given.items()
        if task in intents and (differs := difference(task, names, intents[task]))
    ]
    found: dict[str, dict[str, tuple[float, ...] | None]] = {task: {} for task in given if task in intents}
    for name, task, _, scores in rows:
        if task not in found:
            continue
        if name in found[task]:
            problems.append(Problem(f"{path}:{name}", "the id occurs twice", fix=fix))
        if scores is not None and not _whole(scores, len(given[task])):
            problems.append(Problem(f"{path}:{name}", f"scores are not {len(given[task])} numbers", fix=fix))
        found[task][name] = None if scores is None else tuple(scores)
    if problems:
        raise StageError(problems)
    return OutOfFold(found)


def join(
    rules: OutOfFold, large: OutOfFold, labels: Mapping[str, str], task: str, intents: tuple[str, ...]
) -> Joined:
    """Return what both sides said of the labelled dialogues that both know, by id.

    Silent rules score zero. A dialogue that the large model abstained on is left out: it says nothing of how
    much its word is worth.

    Parameters
    ----------
    labels
        Intent of each training dialogue, by id.
    task, intents
        Which task, and its intents in the catalogue's order.
    """
    of_rules, of_large = rules.scores.get(task, {}), large.scores.get(task, {})
    places = {name: place for place, name in enumerate(intents)}
    zeros = (0.0,) * len(intents)
    said: list[tuple[tuple[float, ...], tuple[float, ...], int]] = []
    for name in sorted(of_rules.keys() & of_large.keys() & labels.keys()):
        probabilities = of_large[name]
        if probabilities is not None and labels[name] in places:
            said.append((of_rules[name] or zeros, probabilities, places[labels[name]]))
    shape = (len(said), len(intents))
    return Joined(
        np.array([row[0] for row in said], dtype=np.float64).reshape(shape),
        np.array([row[1] for row in said], dtype=np.float64).reshape(shape),
        np.array([row[2] for row in said], dtype=np.int64),
    )


def difference(task: str, given: tuple[str, ...], expected: tuple[str, ...]) -> str | None:
    """Return how the intents that scores were given for differ from the catalogue's; None if they do not.

    Examples
    --------
    >>> difference("scene", ("refund", "parcel"), ("parcel", "refund"))
    'scene: its intents stand in another order than in the catalogue'
    """
    if given == expected:
        return None
    strange = [name for name in given if name not in expected]
    if strange:
        near = did_you_mean(strange[0], expected)
        return f"{task}: the catalogue has no intent {', '.join(map(repr, strange))}. {near or ''}".rstrip()
    if missing := [name for name in expected if name not in given]:
        return f"{task}: scores of {', '.join(map(repr, missing))} are missing"
    return f"{task}: its intents stand in another order than in the catalogue"


def _whole(scores: list[float | None], expected: int) -> bool:
    return len(scores) == expected and all(score is not None and np.isfinite(score) for score in scores)
