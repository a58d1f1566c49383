"""New labels for dialogues: read from a table that a person filled in, checked, and put in their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kdsl_cli.dialogues.catalogue import Catalogue
from kdsl_cli.dialogues.readers.rows import csv_rows, json_rows
from kdsl_cli.dialogues.schema import Dialogue
from kdsl_cli.errors import DatasetError, Problem, did_you_mean


@dataclass(frozen=True, slots=True)
class NewLabel:
    """What a row of the table asks for; `line` is the file's, as an editor counts them."""

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
    asked = _jsonl(path) if path.suffix == ".jsonl" else _csv(path)
    found = [NewLabel(id, label.strip(), line) for line, id, label in asked if id and label.strip()]
    first: dict[str, NewLabel] = {}
    problems = []
    for one in found:
        if first.setdefault(one.id, one).label != one.label:
            other = first[one.id]
            what = f"'{one.id}' is to be '{one.label}', and '{other.label}' in line {other.line}"
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


def _csv(path: Path) -> Iterator[tuple[int, str, str]]:
    """Give line, id and new label of each row."""
    if path.suffix != ".csv":
        raise DatasetError("unknown kind of file", where=str(path), allowed=".csv, .jsonl")
    for row in csv_rows(path, lambda header: _require(path, header)):
        if isinstance(row, Problem):
            raise DatasetError([row])
        line, cells = row
        yield line, cells["id"], cells["new_label"]


def _jsonl(path: Path) -> Iterator[tuple[int, str, str]]:
    for row in json_rows(path):
        if isinstance(row, Problem):
            raise DatasetError([row])
        told = row.value if isinstance(row.value, dict) else {}
        _require(path, told, row.line)
        yield row.line, str(told["id"] or ""), str(told["new_label"] or "")


def _require(path: Path, columns: Iterable[str], line: int = 1) -> None:
    if missing := {"id", "new_label"} - set(columns):
        raise DatasetError(
            f"has no column {', '.join(sorted(missing))}",
            where=f"{path}:{line}",
            allowed="id, new_label",
            fix="Make the table with: kdsl mislabelled --out FILE",
        )
