"""Duplicates: what two dialogues may share so that one of them gives the other away.

Each dialogue has fingerprints, short texts ``kind:value``. Two dialogues are duplicates when they share one,
or when two of their ``look`` fingerprints differ in few bits:

=======  ===================================================================================
exact    every turn and the bytes of every picture
text     the normalised text of a dialogue without pictures, if it is long enough to mean something
image    the bytes of a picture that the customer sent (a shop's own pictures go to everyone)
look     what such a picture looks like, so that a smaller or recompressed copy is found
group    the group the data names
=======  ===================================================================================
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kdsl_cli.dialogues.normalise import normalise
from kdsl_cli.dialogues.pictures import absolute
from kdsl_cli.dialogues.schema import IMAGE_MARK, LINK_MARK, Dialogue

if TYPE_CHECKING:
    from PIL.Image import Image

Fingerprints = Mapping[str, tuple[str, ...]]
"""From a dialogue's id to its fingerprints."""

MINIMUM_TEXT = 8
"""Normalised characters below which two dialogues may well say the same by chance ("好的，谢谢")."""

LOOK_SIZE = 16
"""A look has ``LOOK_SIZE ** 2`` bits. The usual 8 takes two screens of one app for the same picture."""

LOOK_STEP = 2
"""Grey levels (of 256) by which a cell must be darker than its right neighbour; less is compression noise."""

LOOK_DISTANCE = 6
"""Bits in which copies of one picture differ at most: rendered screens of one template with other text
differed in 10 or more, copies at JPEG quality 50 to 85 and 70 % of the size in 6 or fewer (95 %)."""

LOOK_MINIMUM = 16
"""Set bits below which a picture is too plain to be told from others by its look."""


_BITS = np.array([byte.bit_count() for byte in range(256)], dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two dialogues that share something: what (`kind`), and which (`first` < `second`)."""

    kind: str
    first: str
    second: str


def fingerprints(dialogues: Iterable[Dialogue], root: Path) -> dict[str, tuple[str, ...]]:
    """Return the fingerprints of every dialogue, sorted, by id.

    Parameters
    ----------
    dialogues
        With pictures relative to `root`.
    root
        A picture that cannot be read adds the fingerprint of its path alone.
    """
    pictures = _Pictures(root)
    return {dialogue.id: tuple(sorted(set(_of(dialogue, pictures)))) for dialogue in dialogues}


def pairs(prints: Fingerprints) -> tuple[Pair, ...]:
    """Return enough pairs to connect all duplicates, each with the first kind that connects them, sorted.

    Of many dialogues that share one fingerprint each is paired with the first, not with all.

    Examples
    --------
    >>> pairs({"a": ("text:1",), "b": ("text:2",), "c": ("exact:9", "text:1")})
    (Pair(kind='text', first='a', second='c'),)
    """
    holders: dict[str, list[str]] = defaultdict(list)
    for id in sorted(prints):
        for value in prints[id]:
            holders[value].append(id)
    found: dict[tuple[str, str], str] = {}
    for value in sorted(holders, key=lambda value: (_rank(value), value)):
        first, *others = holders[value]
        for other in others:
            found.setdefault((first, other), value.partition(":")[0])
    for one, two in _alike([value for value in holders if value.startswith("look:")]):
        ends = sorted({holders[one][0], holders[two][0]})
        if len(ends) == 2:
            found.setdefault((ends[0], ends[1]), "look")
    return tuple(Pair(kind, *ends) for ends, kind in sorted(found.items()))


def components(prints: Fingerprints) -> tuple[tuple[str, ...], ...]:
    """Return the ids in sets that hang together by duplicates, each sorted, in the order of their first id.

    Examples
    --------
    >>> components({"a": ("text:1",), "b": ("text:2",), "c": ("text:1",)})
    (('a', 'c'), ('b',))
    """
    leader = {id: id for id in prints}

    def lead(id: str) -> str:
        while leader[id] != id:
            leader[id] = leader[leader[id]]
            id = leader[id]
        return id

    for pair in pairs(prints):
        ends = sorted((lead(pair.first), lead(pair.second)))
        leader[ends[1]] = ends[0]
    members: dict[str, list[str]] = defaultdict(list)
    for id in sorted(prints):
        members[lead(id)].append(id)
    return tuple(tuple(ids) for _, ids in sorted(members.items()))


def _rank(value: str) -> int:
    return ("exact", "text", "image", "look", "group").index(value.partition(":")[0])


def _of(dialogue: Dialogue, pictures: _Pictures) -> Iterator[str]:
    said = [[turn.role, turn.text, len(turn.images)] for turn in dialogue.turns]
    shown = [pictures.digest(image) for image in dialogue.images]
    yield f"exact:{_sha(json.dumps([said, shown], ensure_ascii=False))}"
    if dialogue.group is not None:
        yield f"group:{_sha(dialogue.group)}"
    if not dialogue.images:
        text = _compared(dialogue)
        if len(text) >= MINIMUM_TEXT:
            yield f"text:{_sha(text)}"
    for turn in dialogue.turns:
        for image in turn.images if turn.role == "customer" else ():
            yield f"image:{pictures.digest(image)}"
            look = pictures.look(image)
            if look is not None:
                yield f"look:{look}"


def _compared(dialogue: Dialogue) -> str:
    said = " ".join(turn.text for turn in dialogue.turns if turn.role != "system")
    plain = said.replace(IMAGE_MARK, " ").replace(LINK_MARK, " ")
    return "".join(normalise(plain).split())


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]


class _Pictures:
    """Reads each picture once, however many dialogues show it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.known: dict[str, tuple[str, str | None]] = {}

    def digest(self, image: str) -> str:
        return self._read(image)[0]

    def look(self, image: str) -> str | None:
        return self._read(image)[1]

    def _read(self, image: str) -> tuple[str, str | None]:
        if image not in self.known:
            path = absolute(image, self.root)
            try:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()[:32]
                self.known[image] = (digest, _look(path))
            except OSError:
                self.known[image] = (_sha(f"unread {path}"), None)
        return self.known[image]


def _look(path: Path) -> str | None:
    """Return the picture's difference hash in hex; None: it is no picture, or too plain to tell."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd or very large picture is the evidence's to report
            with Image.open(path) as picture:
                bits = _darker_than_right(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return np.packbits(bits).tobytes().hex() if bits.sum() >= LOOK_MINIMUM else None


def _darker_than_right(picture: Image) -> np.ndarray:
    from PIL.Image import Resampling

    picture.draft("RGB", (32 * LOOK_SIZE, 32 * LOOK_SIZE))  # JPEG decodes large ones small
    grey = picture.convert("RGBA" if picture.mode == "P" else "RGB").convert("L")
    cells = np.asarray(grey.resize((LOOK_SIZE + 1, LOOK_SIZE), Resampling.BOX), dtype=np.int16)
    return (cells[:, 1:] - cells[:, :-1] > LOOK_STEP).ravel()


def _alike(looks: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give the pairs of looks that differ in few bits."""
    if len(looks) < 2:
        return
    ordered = sorted(looks)
    codes = np.array([list(bytes.fromhex(look.partition(":")[2])) for look in ordered], dtype=np.uint8)
    for row in range(len(ordered) - 1):
        distances = _BITS[codes[row + 1 :] ^ codes[row]].sum(axis=1)
        for other in np.flatnonzero(distances <= LOOK_DISTANCE):
            yield ordered[row], ordered[row + 1 + int(other)]
