"""New labels for dialogues: read from a table that a person filled in, checked, and put in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from kdsl_cli.dialogues.catalogue import Catalogue
from kdsl_cli.dialogues.schema import Dialogue
from kdsl_cli.errors import DatasetError, Problem, did_you_mean


@dataclass(frozen=True, slots=True)
class NewLabel:
    """What a row of the table asks for; `line` counts rows from 1, below the heading of a CSV."""

    id: str
    label: str
    line: int


def read_new_labels(path: Path) -> tuple[NewLabel, ...]:
    """Read the rows of a ``.csv`` or ``.jsonl`` file in which `new_label` is filled in.

    Raises
    ------
    DatasetError
        If there is no such file, it cannot be read, has no `id` or `new_label`, or asks twice for one id.
    """
    frame = _read(path)
    if missing := {"id", "new_label"} - set(frame.columns):
        fix = "Make the table with: kdsl mislabelled --out FILE"
        raise DatasetError(
            f"has no column {', '.join(sorted(missing))}", where=str(path), allowed="id, new_label", fix=fix
        )
    rows = frame.select(pl.col("id", "new_label").cast(pl.String)).rows()
    found = [
        NewLabel(id, label.strip(), n)
        for n, (id, label) in enumerate(rows, 1)
        if id and label and label.strip()
    ]
    first: dict[str, NewLabel] = {}
    problems = []
    for one in found:
        if first.setdefault(one.id, one).label != one.label:
            what = (
                f"'{one.id}' is to be '{one.label}', and '{first[one.id].label}' in row {first[one.id].line}"
            )
            problems.append(Problem(f"{path}:{one.line}", what, fix="Keep one of them"))
    if problems:
        raise DatasetError(problems)
    return tuple(first.values())


def check_new_labels(
    asked: Sequence[NewLabel], dialogues: Mapping[str, Dialogue], catalogue: Catalogue, where: str
) -> None:
    """Hold new labels against the data and the catalogue; `where` names the table.

    Raises
    ------
    DatasetError
        Naming each row whose dialogue is not there, or whose label is none of its task.
    """
    problems = []
    for one in asked:
        place = f"{where}:{one.line}"
        if one.id not in dialogues:
            problems.append(
                Problem(place, f"no dialogue has the id '{one.id}'", fix=did_you_mean(one.id, dialogues))
            )
            continue
        names = catalogue.task(dialogues[one.id].task).names
        if one.label not in names:
            near = did_you_mean(one.label, names)
            problems.append(Problem(place, f"the task has no intent '{one.label}'", ", ".join(names), near))
    if problems:
        raise DatasetError(problems)


def relabelled(dialogues: Sequence[Dialogue], labels: Mapping[str, str]) -> tuple[Dialogue, ...]:
    """Return the dialogues with the labels that are given by id, the others as they are.

    Examples
    --------
    >>> from kdsl_cli.dialogues.schema import Turn
    >>> one = Dialogue("a", "scene", (Turn("customer", "hello"),), label="refund")
    >>> relabelled([one], {"a": "parcel"})[0].label
    'parcel'
    """
    return tuple(replace(one, label=labels.get(one.id, one.label)) for one in dialogues)


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise DatasetError("no such file", where=str(path))
    try:
        if path.suffix == ".csv":
            return pl.read_csv(path, infer_schema=False)
        if path.suffix == ".jsonl":
            return pl.read_ndjson(path, infer_schema_length=None)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DatasetError(f"cannot be read: {error}", where=str(path)) from error
    raise DatasetError("unknown kind of file", where=str(path), allowed=".csv, .jsonl")
