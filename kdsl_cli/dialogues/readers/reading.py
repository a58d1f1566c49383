"""Reading: rows become dialogues, and what cannot become one is named, never dropped in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kdsl_cli.dialogues.catalogue import Catalogue
from kdsl_cli.dialogues.pictures import locate, relative
from kdsl_cli.dialogues.readers import canonical, challenge, messages, sharegpt, tabular
from kdsl_cli.dialogues.readers.detect import detect, is_table
from kdsl_cli.dialogues.readers.fields import Record, RowError, require_record, unwritable
from kdsl_cli.dialogues.readers.options import DEFAULTS, Format, ReaderOptions
from kdsl_cli.dialogues.readers.rows import Row, json_rows
from kdsl_cli.dialogues.schema import Dialogue
from kdsl_cli.errors import DatasetError, Problem, did_you_mean

LISTED = 20
"""How many problems are shown before they are only counted."""

_PARSERS: dict[Format, Callable[[Record, str, ReaderOptions], Dialogue]] = {
    "canonical": canonical.parse,
    "challenge": challenge.parse,
    "messages": messages.parse,
    "sharegpt": sharegpt.parse,
    "tabular": tabular.parse,
}


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What a file gave.

    Attributes
    ----------
    dialogues
        Of the good rows, sorted by id.
    problems
        All problems, in the order of the file. A row may have several.
    rows
        How many rows there were, good and bad.
    """

    dialogues: tuple[Dialogue, ...]
    problems: tuple[Problem, ...]
    rows: int

    @property
    def bad_rows(self) -> int:
        """How many rows became no dialogue."""
        return self.rows - len(self.dialogues)


def read(
    path: Path, *, format: Format = "auto", options: ReaderOptions = DEFAULTS, max_errors: int | None = None
) -> ReadResult:
    """Read a file of dialogues, with pictures relative to the file's folder.

    Parameters
    ----------
    path
        The file.
    format
        What it is; ``auto`` finds out.
    options
        What the file does not say itself.
    max_errors
        More bad rows than this are an error; None: they are only collected.

    Raises
    ------
    DatasetError
        If the file as a whole cannot be read, or has more than `max_errors` bad rows.
    """
    return read_many([path], folder=path.parent, format=format, options=options, max_errors=max_errors)


def read_many(
    paths: Sequence[Path],
    *,
    folder: Path,
    format: Format = "auto",
    options: ReaderOptions = DEFAULTS,
    max_errors: int | None = None,
) -> ReadResult:
    """Read several files as one data set, with pictures relative to `folder`; otherwise as `read`."""
    dialogues: dict[str, Dialogue] = {}
    places: dict[str, str] = {}
    problems: list[Problem] = []
    rows = 0
    for path in paths:
        for outcome in _outcomes(path, folder, format, options):
            rows += 1
            if isinstance(outcome, list):
                problems += outcome
                continue
            dialogue, where = outcome
            if dialogue.id in places:
                problems.append(_repeated(dialogue.id, where, places[dialogue.id]))
            else:
                dialogues[dialogue.id] = dialogue
                places[dialogue.id] = where
    result = ReadResult(tuple(dialogues[id] for id in sorted(dialogues)), tuple(problems), rows)
    if max_errors is not None and result.bad_rows > max_errors:
        raise DatasetError(shortened(result.problems))
    return result


def shortened(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return the first `LISTED` problems and, if there are more, how many."""
    more = len(problems) - LISTED
    return (*problems[:LISTED], *([Problem("", f"... and {more} more")] if more > 0 else []))


def _outcomes(
    path: Path, folder: Path, format: Format, options: ReaderOptions
) -> Iterator[tuple[Dialogue, str] | list[Problem]]:
    """Give for each row either the dialogue and where it stands, or what is wrong with it."""
    if format == "tabular" or (format == "auto" and is_table(path)):
        rows, format = list(tabular.rows(path, options.columns)), "tabular"
    else:
        rows = list(json_rows(path))
    if format == "auto":
        format = detect(path, rows)
    for number, row in enumerate(rows, start=1):
        if isinstance(row, Problem):
            yield [row]
            continue
        where = _place(path, row)
        try:
            fault = unwritable(row.value)
            if fault:
                raise RowError(fault, fix="Take it out.")
            record = require_record(row.value, "the row")
            drafted = _PARSERS[format](record, f"{path.stem}-{number:06d}", options)
        except RowError as error:
            yield [Problem(where, error.what, error.allowed, error.fix)]
            continue
        where = f"{path}:{row.line}:{drafted.id}"
        problems = [*_empty(drafted, where), *_unknown(drafted, where, options.catalogue)]
        dialogue, missing = _with_pictures(drafted, where, path, folder, options)
        yield [*problems, *missing] or (dialogue, where)


def _place(path: Path, row: Row) -> str:
    name = row.value.get("id") if isinstance(row.value, Mapping) else None
    known = isinstance(name, (str, int)) and str(name).isprintable() and str(name).strip()
    return f"{path}:{row.line}:{name}" if known else f"{path}:{row.line}"


def _empty(dialogue: Dialogue, where: str) -> Iterator[Problem]:
    if not dialogue.turns:
        yield Problem(where, "has no turns", "at least one")
    elif not dialogue.images and not any(turn.text.strip() for turn in dialogue.turns):
        yield Problem(where, "all turns are empty: no text and no picture", "something said or sent")


def _unknown(dialogue: Dialogue, where: str, catalogue: Catalogue | None) -> Iterator[Problem]:
    if catalogue is None:
        return
    if dialogue.task not in catalogue.names:
        fix = did_you_mean(dialogue.task, catalogue.names)
        yield Problem(where, f"unknown task '{dialogue.task}'", ", ".join(catalogue.names), fix)
        return
    known = catalogue.task(dialogue.task).names
    if dialogue.label is not None and dialogue.label not in known:
        fix = did_you_mean(dialogue.label, known)
        yield Problem(where, f"unknown label '{dialogue.label}' of '{dialogue.task}'", ", ".join(known), fix)


def _with_pictures(
    dialogue: Dialogue, where: str, path: Path, folder: Path, options: ReaderOptions
) -> tuple[Dialogue, list[Problem]]:
    """Return the dialogue with pictures as seen from `folder`, and a problem for each that is not there."""
    if not options.check_pictures:
        return dialogue, []
    roots = [root for root in (options.image_root, path.parent, path.parent / "images") if root is not None]
    names: dict[str, str] = {}
    problems = []
    for image in dict.fromkeys(dialogue.images):
        found = locate(image, roots)
        if found is not None:
            names[image] = relative(found, folder)
            continue
        looked = ", ".join(str(root) for root in roots)
        fix = "Fetch it first." if "://" in image else "Name their folder with --image-root."
        problems.append(
            Problem(where, f"the picture '{image[:80]}' is not there", f"a file in {looked}", fix)
        )
    if problems:
        return dialogue, problems
    turns = tuple(
        replace(turn, images=tuple(names[image] for image in turn.images)) for turn in dialogue.turns
    )
    return replace(dialogue, turns=turns), []


def _repeated(id: str, where: str, first: str) -> Problem:
    return Problem(where, f"the id '{id}' was already used at {first}", "an id of its own for each dialogue")
