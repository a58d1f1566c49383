"""Splits: saved by id, grouped and stratified, with fingerprints: a leak shows without opening the test."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from kdsl_cli.dialogues import duplicates
from kdsl_cli.dialogues.allotment import allot
from kdsl_cli.dialogues.duplicates import Fingerprints
from kdsl_cli.dialogues.readers.options import ReaderOptions
from kdsl_cli.dialogues.readers.reading import read, shortened
from kdsl_cli.dialogues.readers.rows import read_text
from kdsl_cli.dialogues.schema import Dialogue
from kdsl_cli.errors import ConfigError, DatasetError, LeakError, Problem

SCHEMA = "kdsl.splits/1"
FILE = "splits.json"


@dataclass(frozen=True, slots=True)
class Splits:
    """Who is in which split.

    Attributes
    ----------
    seed
        None: the splits were given, not drawn.
    fractions
        As asked for; empty when the splits were given.
    ids
        Of each split, sorted.
    fingerprints
        Of every dialogue; see `duplicates`.
    """

    seed: int | None
    fractions: Mapping[str, float]
    ids: Mapping[str, tuple[str, ...]]
    fingerprints: Fingerprints

    def dump(self) -> str:
        """Return the text of ``splits.json``."""
        record = {
            "schema": SCHEMA,
            "seed": self.seed,
            "fractions": dict(self.fractions),
            "splits": {name: list(ids) for name, ids in self.ids.items()},
            "fingerprints": {id: list(self.fingerprints[id]) for id in sorted(self.fingerprints)},
        }
        return json.dumps(record, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def load(cls, path: Path) -> Splits:
        """Read ``splits.json``.

        Raises
        ------
        DatasetError
            If it is not one, names an id twice, or has an id without fingerprints.
        """
        try:
            record = _Record.model_validate_json(read_text(path))
        except ValidationError as error:
            raise DatasetError([_invalid(path, fault) for fault in error.errors()]) from error
        counts = Counter(id for ids in record.splits.values() for id in ids)
        twice = [id for id, count in counts.items() if count > 1]
        problems = [Problem(f"{path}:{id}", "stands in the splits twice", "one split") for id in twice]
        problems += [
            Problem(f"{path}:{id}", "has no fingerprints", fix="Make the file with: kdsl data split")
            for id in counts
            if id not in record.fingerprints
        ]
        if problems:
            raise DatasetError(shortened(problems))
        ids = {name: tuple(sorted(ids)) for name, ids in record.splits.items()}
        return cls(record.seed, record.fractions, ids, record.fingerprints)


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal["kdsl.splits/1"] = Field(alias="schema")
    seed: int | None
    fractions: dict[str, float]
    splits: dict[str, list[str]]
    fingerprints: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Overlap:
    """The same content in two splits: what is the same (a `duplicates.Pair` kind), and where."""

    kind: str
    first: str
    first_split: str
    second: str
    second_split: str


def split(
    dialogues: Sequence[Dialogue], fractions: Mapping[str, float], seed: int, *, fingerprints: Fingerprints
) -> Splits:
    """Draw splits in which no two hold duplicates or parts of one group.

    Parameters
    ----------
    dialogues
        With unique ids, in any order.
    fractions
        Of each split, 0 to 1, summing to 1.
    seed
        The same seed gives the same splits.
    fingerprints
        Of all `dialogues`, from `duplicates.fingerprints`.

    Raises
    ------
    ConfigError
        If the fractions or their names cannot be used.
    """
    _check(fractions)
    chosen = allot(dialogues, duplicates.components(fingerprints), fractions, seed)
    ids = {name: tuple(sorted(id for id, other in chosen.items() if other == name)) for name in fractions}
    return Splits(seed, dict(fractions), ids, fingerprints)


def given(parts: Mapping[str, Sequence[Dialogue]], *, fingerprints: Fingerprints) -> Splits:
    """Adopt splits that were made elsewhere; whether they leak is for `refuse_leaks` to say.

    Raises
    ------
    ConfigError
        If a split's name cannot be a file's.
    LeakError
        If ids stand in two of them, naming each.
    """
    _check_names(parts)
    owners: dict[str, list[str]] = {}
    for name, part in parts.items():
        for dialogue in part:
            owners.setdefault(dialogue.id, []).append(name)
    if twice := [
        Problem(id, f"'{id}' stands in both {' and '.join(names)}", fix="Leave it in the file of one split")
        for id, names in owners.items()
        if len(names) > 1
    ]:
        raise LeakError(shortened(twice))
    ids = {name: tuple(sorted(dialogue.id for dialogue in part)) for name, part in parts.items()}
    return Splits(None, {}, ids, fingerprints)


def overlaps(splits: Splits) -> tuple[Overlap, ...]:
    """Return the content that stands in two splits, sorted by id; empty if there is none."""
    where = {id: name for name, ids in splits.ids.items() for id in ids}
    found = duplicates.pairs({id: splits.fingerprints[id] for id in where})
    return tuple(
        Overlap(pair.kind, pair.first, where[pair.first], pair.second, where[pair.second])
        for pair in found
        if where[pair.first] != where[pair.second]
    )


def refuse_leaks(splits: Splits, where: str = "") -> None:
    """Do nothing if no content stands in two splits.

    Raises
    ------
    LeakError
        Naming both dialogues, their splits and what they share, for each overlap.
    """
    found = overlaps(splits)
    if found:
        raise LeakError(shortened([_leak(overlap, where) for overlap in found]))


def check_leaks(path: Path) -> None:
    """Refuse a ``splits.json`` with content in two splits; no other file is opened.

    Raises
    ------
    LeakError
        As `refuse_leaks`.
    DatasetError
        If `path` is no ``splits.json``.
    """
    refuse_leaks(Splits.load(path), str(path))


def load_split(folder: Path, name: str) -> tuple[Dialogue, ...]:
    """Return the dialogues of one split, sorted by id, opening only its own file and ``splits.json``.

    Pictures are called as in the file; whether they are there is not asked, evidence may be all one needs.

    Raises
    ------
    DatasetError
        If a file cannot be read, there is no such split, or the two files do not agree on its ids.
    """
    splits = Splits.load(folder / FILE)
    if name not in splits.ids:
        raise DatasetError(f"has no split '{name}'", where=str(folder / FILE), allowed=", ".join(splits.ids))
    path = folder / f"{name}.jsonl"
    wanted = set(splits.ids[name])
    if not wanted:
        return ()
    options = ReaderOptions(check_pictures=False)
    dialogues = read(path, format="canonical", options=options, max_errors=0).dialogues
    different = sorted(wanted.symmetric_difference(dialogue.id for dialogue in dialogues))
    if different:
        raise DatasetError(
            f"{len(different)} ids are in only one of it and {FILE}, the first is '{different[0]}'",
            where=str(path),
            fix="Make both anew with: kdsl data split",
        )
    return dialogues


def _leak(overlap: Overlap, where: str) -> Problem:
    shared = {
        "exact": "are the same",
        "text": "say the same",
        "image": "show the same picture file",
        "look": "show the same picture in another size or compression",
        "group": "are of the same group",
    }[overlap.kind]
    return Problem(
        f"{where}:{overlap.first}" if where else overlap.first,
        f"'{overlap.first}' in {overlap.first_split} and '{overlap.second}' in {overlap.second_split}"
        f" {shared} ({overlap.kind} duplicate)",
        fix="Put both in one split, or draw the splits with: kdsl data split",
    )


def _invalid(path: Path, fault: ErrorDetails) -> Problem:
    place = ".".join(map(str, fault["loc"]))
    where = f"{path}:{place}" if place else str(path)
    return Problem(where, fault["msg"], fix="Make it with: kdsl data split")


def _check(fractions: Mapping[str, float]) -> None:
    _check_names(fractions)
    for name, fraction in fractions.items():
        if not 0 <= fraction <= 1:
            raise ConfigError(f"the fraction of {name} is {fraction}", allowed="0 to 1")
    total = sum(fractions.values())
    if not math.isclose(total, 1, abs_tol=1e-6):
        raise ConfigError(
            f"the fractions sum to {total:g}", allowed="a sum of 1, as in train=0.7,val=0.1,test=0.2"
        )


def _check_names(names: Mapping[str, object]) -> None:
    for name in names:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", name) or name == "dialogues":
            raise ConfigError(
                f"'{name}' cannot name a split: it becomes a file",
                allowed="lower-case letters, digits, - and _; not 'dialogues'",
            )
