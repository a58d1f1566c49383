"""Where a training stands, in one file: whole or not there, and enough to go on to the same result.

Randomness is no part of it: each step draws from a seed of its own.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kdsl_cli.errors import StageError
from kdsl_cli.runs.atomic import replacing

SCHEMA: Final = "kdsl.checkpoint/1"

_BROKEN: Final = (OSError, RuntimeError, ValueError, TypeError, LookupError, EOFError)


@dataclass(frozen=True, slots=True)
class Best:
    """The weights that did best on the validation split.

    Attributes
    ----------
    step
        After how many steps.
    score
        Weighted F1, and the negative log loss to tell equals apart.
    learnt
        As `adapting.Adapted.state` returns them.
    """

    step: int
    score: tuple[float, float]
    learnt: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a training after `step` steps.

    Attributes
    ----------
    begun
        Hash of what it began with: another beginning does not go on from here.
    learnt
        As `adapting.Adapted.state` returns them.
    optimiser
        Its own state.
    best
        None: nothing was scored yet.
    waited
        Evaluations since then.
    ended
        Whether training is over.
    """

    begun: str
    step: int
    learnt: Mapping[str, Any]
    optimiser: Mapping[str, Any]
    best: Best | None = None
    waited: int = 0
    ended: bool = False


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` to `path` in place of the last one."""
    import torch

    fields = {name: getattr(checkpoint, name) for name in checkpoint.__dataclass_fields__}
    if checkpoint.best is not None:
        fields["best"] = {name: getattr(checkpoint.best, name) for name in Best.__dataclass_fields__}
    with replacing(path) as temporary:
        torch.save({"schema": SCHEMA, **fields}, temporary)


def load(path: Path, begun: str) -> Checkpoint | None:
    """Return the checkpoint in `path`. None: there is none, or it began otherwise.

    Raises
    ------
    StageError
        If the file is something else.
    """
    import torch

    if not path.is_file():
        return None
    try:
        fields = torch.load(path, map_location="cpu", weights_only=True)
        if fields.pop("schema") != SCHEMA:
            raise ValueError("another schema")
        best = fields.pop("best")
        found = Checkpoint(**fields, best=None if best is None else Best(**best))
    except (*_BROKEN, pickle.UnpicklingError) as error:
        fix = "Delete it, or train anew: --force"
        raise StageError("is no checkpoint of a tuning", where=str(path), fix=fix) from error
    return found if found.begun == begun else None
