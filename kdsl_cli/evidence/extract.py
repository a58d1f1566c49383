"""From dialogues to facts: every picture read once, on all cores, with what was seen kept at once.

The unit of work is one picture by content. Facts depend on the pictures alone, never on the order in which
processes finished, how many there were, or how often the run was cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from kdsl_cli.dialogues.schema import IMAGE_MARK, Dialogue
from kdsl_cli.errors import EvidenceError
from kdsl_cli.evidence.descriptors import describe_pixels, text_features
from kdsl_cli.evidence.ocr import Reader, engine_id
from kdsl_cli.evidence.pictures import PictureError, decode
from kdsl_cli.evidence.store import Observation, Store, observation_key
from kdsl_cli.evidence.workers import Lost, Task, answers
from kdsl_cli.logic.facts import Facts, ImageFact, OcrLine, TurnFact
from kdsl_cli.runs.hashing import sha256_bytes, sha256_file

SECONDS = 120.0
"""Longest time for one picture; a phone screen takes one, the largest allowed takes about thirty."""

Seen = Mapping[Path, Observation]
"""What was seen in each picture file."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The picture files that some dialogues name, by path in order.

    Attributes
    ----------
    digests
        SHA-256 of the bytes of each file that can be opened.
    missing
        Why each other file cannot.
    """

    digests: Mapping[Path, str]
    missing: Mapping[Path, str]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many pictures were read and how many failed; equal bytes count once, missing files one each.

    `cached` are those of `ok` that the store knew before.
    """

    ok: int
    failed: int
    cached: int = 0


def find_pictures(dialogues: Iterable[Dialogue], root: Path) -> Pictures:
    """Find and hash the pictures of `dialogues`, whose names are relative to `root`."""
    digests: dict[Path, str] = {}
    missing: dict[Path, str] = {}
    for path in sorted({root / name for dialogue in dialogues for name in dialogue.images}):
        try:
            digests[path] = sha256_file(path)
        except FileNotFoundError:
            missing[path] = "no such file"
        except OSError as error:
            missing[path] = f"cannot be opened: {error.strerror}"
        except ValueError:
            missing[path] = "cannot be opened: no file can have this name"
    return Pictures(digests, missing)


def to_read(pictures: Pictures, store: Store, engine: str, *, retry_failed: bool = False) -> dict[str, Path]:
    """Return what the store does not know yet: by key, one file that holds the picture.

    Parameters
    ----------
    engine
        `ocr.engine_id` of the engine that is going to read.
    retry_failed
        Whether pictures that failed before are read again.
    """
    todo: dict[str, Path] = {}
    for path, digest in pictures.digests.items():
        key = observation_key(digest, engine)
        known = store.get(key)
        if known is None or (retry_failed and known.error is not None):
            todo.setdefault(key, path)
    return todo


def read_into(
    store: Store,
    todo: Mapping[str, Path],
    make_task: Callable[[], Task[Observation]],
    *,
    workers: int,
    seconds: float = SECONDS,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Read the pictures of `to_read` and keep what is seen in `store`, each as soon as it is there.

    A picture that cannot be read, is too slow, or takes its process down is kept as failed, with the reason.

    Parameters
    ----------
    make_task
        See `reading_task`.
    workers
        Processes at once.
    seconds
        Longest time for one picture.
    stop
        Asked often; once it says yes no picture is begun any more.
    progress
        Called after each picture with how many are done, and of how many.

    Raises
    ------
    EvidenceError
        If a reading process cannot start.
    KeyboardInterrupt
        If `stop` said yes before the end; everything read until then is in the store.
    """
    keys, units = list(todo), [str(path) for path in todo.values()]
    done = 0
    for place, answer in answers(units, make_task, workers=workers, seconds=seconds, stop=stop):
        store.add(_checked(answer, keys[place]))
        done += 1
        progress(done, len(units))
    if done < len(units):
        raise KeyboardInterrupt


def seen_in(pictures: Pictures, store: Store, engine: str) -> Seen:
    """Return what is known of each picture.

    Raises
    ------
    KeyError
        If one has not been tried yet.
    """
    seen = {path: Observation("", error=reason) for path, reason in pictures.missing.items()}
    for path, digest in pictures.digests.items():
        key = observation_key(digest, engine)
        observation = store.get(key)
        if observation is None:
            raise KeyError(key)
        seen[path] = observation
    return seen


def tally(seen: Seen, read: Collection[str] = ()) -> Tally:
    """Count what was read and what failed; `read` are the keys of pictures read in this run."""
    by_content = {observation.key or str(path): observation for path, observation in seen.items()}
    good = [key for key, observation in by_content.items() if observation.error is None]
    cached = sum(key not in read for key in good)
    return Tally(ok=len(good), failed=len(by_content) - len(good), cached=cached)


def reading_task(max_side: int) -> Callable[[], Task[Observation]]:
    """Return what a process calls once to get the function that reads a picture file."""
    return partial(_make_reading, max_side)


def facts_of(dialogue: Dialogue, root: Path, seen: Seen) -> Facts:
    """Return the facts of one dialogue, whose pictures are relative to `root`."""
    lines: list[OcrLine] = []
    images: list[ImageFact] = []
    for place, name in enumerate(dialogue.images):
        observation = seen[root / name]
        images.append(ImageFact(place, observation.kind, observation.features, observation.error))
        lines.extend(replace(line, image=place) for line in observation.lines)
    return Facts(dialogue.id, turn_facts(dialogue), tuple(lines), tuple(images))


def keys_of(dialogues: Sequence[Dialogue], root: Path, seen: Seen) -> dict[tuple[str, int], str]:
    """Return the store key of each picture by dialogue id and place, for `table.write_facts`."""
    return {
        (dialogue.id, place): seen[root / name].key
        for dialogue in dialogues
        for place, name in enumerate(dialogue.images)
        if seen[root / name].key
    }


def turn_facts(dialogue: Dialogue) -> tuple[TurnFact, ...]:
    """Return the text of every turn, in order, without picture marks; link marks stay.

    What stood before and after a picture is kept apart by a blank: no phrase spans a picture.

    Examples
    --------
    >>> from kdsl_cli.dialogues.schema import Turn
    >>> turn_facts(Dialogue("a", "t", (Turn("customer", "看<image>这个<http>", ("1.png",)),)))
    (TurnFact(seq=0, role='customer', text='看 这个<http>'),)
    """
    return tuple(
        TurnFact(seq, turn.role, " ".join(part for part in _between_marks(turn.text) if part))
        for seq, turn in enumerate(dialogue.turns)
    )


def _between_marks(text: str) -> list[str]:
    return [part.strip() for part in text.split(IMAGE_MARK)]


def _make_reading(max_side: int) -> Task[Observation]:
    return partial(_read, Reader(max_side=max_side), engine_id(max_side))


def _read(reader: Reader, engine: str, path: str) -> Observation:
    data = Path(path).read_bytes()
    key = observation_key(sha256_bytes(data), engine)
    try:
        pixels = decode(data)
    except PictureError as error:
        return Observation(key, error=error.reason)
    kind, features = describe_pixels(pixels)
    lines = reader.read_pixels(pixels)
    return Observation(key, kind, features | text_features(lines), lines)


def _checked(answer: Observation | Lost, key: str) -> Observation:
    if isinstance(answer, Lost):
        return Observation(key, error=answer.reason)
    if answer.key != key:
        raise EvidenceError("a picture changed while it was read", fix="Run the same command again")
    return answer
