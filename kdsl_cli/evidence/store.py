"""What was seen in each picture, kept on the disk as soon as it was seen.

An append-only file of JSON lines, one line a picture. The key names all that shaped the line: the bytes of
the picture, the engine with its version and settings, and the version of the descriptors. So a picture is
read once, whatever it is called and however many dialogues show it, and a kill loses the picture in work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kdsl_cli.errors import EvidenceError, Problem
from kdsl_cli.evidence import descriptors
from kdsl_cli.logic.facts import OcrLine
from kdsl_cli.runs.appendlog import AppendLog, read_log
from kdsl_cli.runs.hashing import sha256_json


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen in one picture, wherever it is shown.

    Attributes
    ----------
    key
        See `observation_key`; empty for a picture whose bytes could not be had.
    kind
        "photo", "screenshot", or None when the descriptors cannot tell.
    features
        Descriptors by name, those of the text (`descriptors.TEXT_FEATURES`) included.
    lines
        The text in reading order, with `OcrLine.image` 0.
    error
        Why there is nothing of the above. None: the picture was read.
    """

    key: str
    kind: str | None = None
    features: Mapping[str, float] = field(default_factory=dict)
    lines: tuple[OcrLine, ...] = ()
    error: str | None = None


def observation_key(picture_sha256: str, engine: str) -> str:
    """Return the key of a picture's observation: equal keys, equal observations.

    Parameters
    ----------
    picture_sha256
        Of the file's bytes.
    engine
        `ocr.engine_id`.
    """
    return sha256_json([picture_sha256, engine, descriptors.VERSION])


class Store:
    """A store open for one writer. Of two records with one key the later counts.

    Raises
    ------
    StageError, EvidenceError
        If a line other than a torn last one is no JSON object, or is one of something else.
    """

    def __init__(self, path: Path) -> None:
        self._known = {observation.key: observation for observation in _read(path)}
        self._log = AppendLog(path)

    def get(self, key: str) -> Observation | None:
        """Return what is known of `key`; None if nothing was tried yet."""
        return self._known.get(key)

    def add(self, observation: Observation) -> None:
        """Keep an observation; it is on the disk when this returns."""
        self._log.append(_to_record(observation))
        self._known[observation.key] = observation

    def __len__(self) -> int:
        return len(self._known)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._log.close()


def _to_record(observation: Observation) -> dict[str, Any]:
    if observation.error is not None:
        return {"key": observation.key, "error": observation.error}
    return {
        "key": observation.key,
        "kind": observation.kind,
        "lines": [[line.text, line.score, *line.box] for line in observation.lines],
        "features": dict(observation.features),
    }


def _read(path: Path) -> list[Observation]:
    observations, problems = [], []
    for number, record in enumerate(read_log(path), start=1):
        try:
            observations.append(_from_record(record))
        except (KeyError, TypeError, ValueError):
            problems.append(
                Problem(
                    f"{path}:{number}",
                    "not what was seen in a picture",
                    fix="Delete that line, or the file: pictures are read again",
                )
            )
    if problems:
        raise EvidenceError(problems)
    return observations


def _from_record(record: Mapping[str, Any]) -> Observation:
    key = record["key"]
    if not isinstance(key, str):
        raise TypeError(key)
    if record.get("error") is not None:
        return Observation(key, error=str(record["error"]))
    lines = tuple(
        OcrLine(0, seq, text, score, (x0, y0, x1, y1))
        for seq, (text, score, x0, y0, x1, y1) in enumerate(record["lines"])
    )
    return Observation(key, record["kind"], dict(record["features"]), lines)
