"""What several prompts begin with is read once: prefix caching.

Prompts of one task begin with its catalogue, questions about one dialogue with the dialogue and its pictures.
A pass over such a beginning leaves keys and values at each layer; the passes over what stands behind it look
at these, at the positions that follow. Only to float noise is it the same as reading each prompt whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, takewhile
from operator import eq, itemgetter
from typing import Any, Final

from kdsl_cli.backends.local.rendering import Row, batched
from kdsl_cli.backends.local.scoring import Past, positions

SHORTEST: Final = 128
"""Tokens from which a prefix is worth a pass of its own: on a GPU a pass costs something, however short."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """The beginning of several prompts.

    Attributes
    ----------
    tokens
        Its tokens; in place of those of a picture, what picture it is.
    row
        The same as the model takes it.
    """

    tokens: tuple[int | str, ...]
    row: Row = field(compare=False)


@dataclass(frozen=True, slots=True)
class Parted:
    """A prompt as its prefix and the rest.

    Attributes
    ----------
    whole
        The prompt.
    prefix
        Its beginning, if it is read apart.
    rest
        What stands behind; without a prefix, everything.
    group
        Number of its prefix among those of the rows it was parted with; -1: none.
    """

    whole: Row
    prefix: Prefix | None
    rest: Row
    group: int


class Prefixes:
    """Reads the prefixes of a batch, and remembers them for the next.

    Parameters
    ----------
    model
        Of a family that `kdsl_cli.backends.local.scoring.in_one_pass` scores.
    pad
        Token that fills rows up.
    """

    def __init__(self, model: Any, pad: int) -> None:
        self._model = model
        self._pad = pad
        self._known: tuple[Prefix, ...] = ()
        self._read: tuple[Any, Any, Any] = ((), None, None)

    def past(self, rows: Sequence[Parted]) -> Past | None:
        """Return what stands before rows; None: nothing."""
        import torch

        prefixes = tuple(dict.fromkeys(row.prefix for row in rows if row.prefix))
        if not prefixes:
            return None
        if prefixes != self._known:
            self._known, self._read = (), ((), None, None)  # two at once may be more than fits
            self._read = self._pass(prefixes)
            self._known = prefixes
        layers, seen, ends = self._read
        which = torch.tensor([prefixes.index(row.prefix) if row.prefix else 0 for row in rows])
        there = torch.tensor([row.prefix is not None for row in rows])
        which, there = which.to(seen.device), there.to(seen.device)
        return Past(layers, which, seen[which] & there[:, None], ends[which] * there)

    def _pass(self, prefixes: Sequence[Prefix]) -> tuple[Any, Any, Any]:
        batch = batched([prefix.row for prefix in prefixes], self._pad, self._model.device)
        where = positions(self._model, batch)
        cache = self._model(**batch, position_ids=where, use_cache=True, logits_to_keep=1).past_key_values
        layers = [(layer.keys, layer.values) for layer in cache.layers]
        return layers, batch["attention_mask"].bool(), where.amax((0, 2)) + 1


def read_apart(model: Any) -> bool:
    """Say whether prefixes can be: where learnt vectors are put in front of whatever is read, they cannot."""
    return not model._forward_pre_hooks


def parted(rows: Sequence[Row], *, apart: bool = True) -> list[Parted]:
    """Part rows that follow one another and begin alike into what they share and what they do not.

    Parameters
    ----------
    apart
        False leaves all of them whole.
    """
    if not apart:
        return [Parted(row, None, row, -1) for row in rows]
    tokens = [_told(row) for row in rows]
    found: list[Parted] = []
    for start, end, common in _groups(tokens):
        if end - start == 1:
            found.append(Parted(rows[start], None, rows[start], -1))
            continue
        prefix = Prefix(tuple(tokens[start][:common]), _cut(rows[start], 0, common))
        found += [Parted(row, prefix, _cut(row, common, row.length), start) for row in rows[start:end]]
    return found


def _groups(tokens: Sequence[Sequence[int | str]]) -> Iterator[tuple[int, int, int]]:
    """Yield the first row, the end and the common length of runs of rows that begin alike."""
    start = 0
    while start < len(tokens):
        first, end = tokens[start], start + 1
        common = len(first) - 1  # of each row, something is left to go on from
        while end < len(tokens):
            other = tokens[end][: min(common, len(tokens[end]) - 1)]
            alike = sum(1 for _ in takewhile(bool, map(eq, first, other)))
            # A row that shares less than half of it would cost the others more than it gains.
            if alike < max(SHORTEST, common / 2):
                break
            common, end = alike, end + 1
        yield start, end, common
        start = end


def _told(row: Row) -> list[int | str]:
    kinds, ids = (row.inputs[name][0].tolist() for name in ("mm_token_type_ids", "input_ids"))
    shown = iter(row.pictures)
    told: list[int | str] = []
    for kind, run in groupby(zip(kinds, ids, strict=True), itemgetter(0)):
        pieces = [token for _, token in run]
        told += [next(shown)] * len(pieces) if kind else pieces
    return told


def _cut(row: Row, start: int, end: int) -> Row:
    """Return a piece of a row; pictures are whole in it or not at all."""
    whole = row.inputs["input_ids"].shape
    inputs = {
        name: tensor[:, start:end] if tensor.shape == whole else tensor for name, tensor in row.inputs.items()
    }
    kinds = inputs["mm_token_type_ids"][0].tolist()
    shown = sum(1 for kind, _ in groupby(kinds) if kind)
    skipped = sum(1 for kind, _ in groupby(row.inputs["mm_token_type_ids"][0, :start].tolist()) if kind)
    if "image_grid_thw" in inputs:
        sizes = inputs["image_grid_thw"].prod(1)
        patches = slice(int(sizes[:skipped].sum()), int(sizes[: skipped + shown].sum()))
        inputs["pixel_values"] = inputs["pixel_values"][patches]
        inputs["image_grid_thw"] = inputs["image_grid_thw"][skipped : skipped + shown]
        if not shown:
            del inputs["pixel_values"], inputs["image_grid_thw"]
    return replace(row, inputs=inputs, length=end - start)
