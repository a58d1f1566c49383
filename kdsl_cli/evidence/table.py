"""The evidence of a split as a Parquet file: one row a fact.

==========  ===============================================================================================
kind        columns used, besides `id`
==========  ===============================================================================================
turn        seq, role, text
ocr         image, seq, text, score, x0, y0, x1, y1, key
image       image, name, value, key: one row a descriptor; the row named `kind` has the picture's kind in
            `text` (null: cannot tell) and no value
failed      image, error, key (null if the picture's bytes could not be had)
==========  ===============================================================================================

Rows stand by dialogue id, then turns, then pictures in their order with their lines before their
descriptors, so equal facts are equal bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from kdsl_cli.errors import EvidenceError
from kdsl_cli.logic.facts import Facts, ImageFact, OcrLine, TurnFact
from kdsl_cli.runs.atomic import write_parquet

SCHEMA = pl.Schema(
    {
        "id": pl.String,
        "kind": pl.String,
        "image": pl.Int32,
        "seq": pl.Int32,
        "role": pl.String,
        "text": pl.String,
        "score": pl.Float64,
        "x0": pl.Float64,
        "y0": pl.Float64,
        "x1": pl.Float64,
        "y1": pl.Float64,
        "name": pl.String,
        "value": pl.Float64,
        "key": pl.String,
        "error": pl.String,
    }
)

_KIND_ROW = "kind"

Row = dict[str, Any]


def write_facts(
    path: Path,
    facts: Iterable[Facts],
    keys: Mapping[tuple[str, int], str] = MappingProxyType({}),
    metadata: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write the facts of dialogues to `path`, whole or not at all.

    Answers of a model are not evidence of this file and are left out.

    Parameters
    ----------
    keys
        Store key by dialogue id and picture.
    metadata
        Goes into the file's own key-value pairs.
    """
    ordered = sorted(facts, key=lambda fact: fact.id)
    rows = [row for fact in ordered for row in _rows(fact, keys)]
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    write_parquet(path, frame, metadata={"schema": "kdsl.evidence/1", **metadata})


def read_facts(paths: Sequence[Path], ids: Collection[str] | None = None) -> dict[str, Facts]:
    """Return the facts of dialogues by id, in the order of the files.

    Parameters
    ----------
    paths
        Files that `write_facts` wrote; only these are opened.
    ids
        Dialogues wanted. None: all.

    Raises
    ------
    EvidenceError
        If a file is not there or is not evidence, a dialogue stands in two files, or one of `ids` in none.
    """
    found: dict[str, Facts] = {}
    for path in paths:
        frame = _read(path)
        if ids is not None:
            frame = frame.filter(pl.col("id").is_in(list(ids)))
        for group in frame.partition_by("id", maintain_order=True):
            fact = _facts(group)
            if fact.id in found:
                raise EvidenceError("this dialogue has evidence in two files", where=f"{path}::{fact.id}")
            found[fact.id] = fact
    missing = sorted(set(ids) - found.keys()) if ids is not None else []
    if missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise EvidenceError(
            f"no evidence of {len(missing)} dialogues: {shown}",
            where=", ".join(map(str, paths)),
            fix="Run: kdsl extract",
        )
    return found


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise EvidenceError("no such file", where=str(path), fix="Run: kdsl extract")
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise EvidenceError(
            f"not a Parquet file: {error}", where=str(path), fix="Run: kdsl extract"
        ) from error
    if frame.schema != SCHEMA:
        raise EvidenceError(
            "not evidence: its columns are others",
            where=str(path),
            allowed=", ".join(SCHEMA.names()),
            fix="Run: kdsl extract --force",
        )
    return frame


def _rows(fact: Facts, keys: Mapping[tuple[str, int], str]) -> Iterator[Row]:
    empty = dict.fromkeys(SCHEMA.names())
    for turn in fact.turns:
        yield empty | {
            "id": fact.id, "kind": "turn", "seq": turn.seq, "role": turn.role, "text": turn.text
        }  # fmt: skip
    for image in fact.images:
        shared = empty | {"id": fact.id, "image": image.image, "key": keys.get((fact.id, image.image))}
        if image.error is not None:
            yield shared | {"kind": "failed", "error": image.error}
            continue
        for line in fact.ocr:
            if line.image == image.image:
                box = dict(zip(("x0", "y0", "x1", "y1"), line.box, strict=True))
                yield shared | {"kind": "ocr", "seq": line.seq, "text": line.text, "score": line.score} | box
        yield shared | {"kind": "image", "name": _KIND_ROW, "text": image.kind}
        for name, value in image.features.items():
            yield shared | {"kind": "image", "name": name, "value": value}


def _facts(group: pl.DataFrame) -> Facts:
    turns: list[TurnFact] = []
    lines: list[OcrLine] = []
    errors: dict[int, str] = {}
    kinds: dict[int, str | None] = {}
    features: dict[int, dict[str, float]] = {}
    for row in group.iter_rows(named=True):
        match row["kind"]:
            case "turn":
                turns.append(TurnFact(row["seq"], row["role"], row["text"]))
            case "ocr":
                box = (row["x0"], row["y0"], row["x1"], row["y1"])
                lines.append(OcrLine(row["image"], row["seq"], row["text"], row["score"], box))
            case "failed":
                errors[row["image"]] = row["error"]
            case _ if row["name"] == _KIND_ROW:
                kinds[row["image"]] = row["text"]
            case _:
                features.setdefault(row["image"], {})[row["name"]] = row["value"]
    images = tuple(
        ImageFact(image, error=errors[image])
        if image in errors
        else ImageFact(image, kinds[image], MappingProxyType(features.get(image, {})))
        for image in sorted(errors.keys() | kinds.keys())
    )
    return Facts(group["id"][0], tuple(turns), tuple(lines), images)
