"""Where the pictures of a dialogue lie, and how their paths follow when its file moves."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from kdsl_cli.dialogues.schema import Dialogue


def locate(name: str, roots: Iterable[Path]) -> Path | None:
    """Return the first file called `name` under `roots`, or None."""
    for root in roots:
        try:
            if (root / name).is_file():
                return root / name
        except (OSError, ValueError):  # a name no file can have, such as a picture pasted as base64
            return None
    return None


def relative(path: Path, folder: Path) -> str:
    """Return `path` as seen from `folder`, with forward slashes; neither need exist.

    Examples
    --------
    >>> relative(Path("data/images/a.png"), Path("data")), relative(Path("a.png"), Path("data"))
    ('images/a.png', '../a.png')
    """
    if path.is_relative_to(folder) and ".." not in path.parts:
        return path.relative_to(folder).as_posix()
    # Up and down again must hold for the folders themselves, not for links that lead to them.
    real = Path(os.path.realpath(path.parent), path.name)
    return Path(os.path.relpath(real, os.path.realpath(folder))).as_posix()


def absolute(image: str, folder: Path) -> Path:
    """Return where the picture called `image`, as seen from `folder`, lies; the folder need not exist.

    Examples
    --------
    >>> absolute("../a.png", Path("/nowhere/data"))
    PosixPath('/nowhere/a.png')
    """
    return Path(os.path.normpath(Path(os.path.realpath(folder), image)))


def gather(dialogues: Iterable[Dialogue], root: Path) -> tuple[tuple[Dialogue, ...], dict[str, Path]]:
    """Give every picture the name of its content, in one folder.

    Parameters
    ----------
    dialogues
        With pictures relative to `root`.
    root
        The folder from which the pictures are read.

    Returns
    -------
    tuple[Dialogue, ...]
        The same with pictures called ``images/<16 hex digits of the SHA-256><suffix>``.
    dict[str, Path]
        Which file each of these names is to be copied from. Equal pictures share one name.
    """
    names: dict[str, str] = {}
    copies: dict[str, Path] = {}
    gathered = []
    for dialogue in dialogues:
        for image in dialogue.images:
            if image not in names:
                path = absolute(image, root)
                digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
                names[image] = f"images/{digest}{path.suffix.lower()}"
                copies.setdefault(names[image], path)
        gathered.append(_renamed(dialogue, names))
    return tuple(gathered), copies


def _renamed(dialogue: Dialogue, names: dict[str, str]) -> Dialogue:
    turns = tuple(
        replace(turn, images=tuple(names[image] for image in turn.images)) for turn in dialogue.turns
    )
    return replace(dialogue, turns=turns)
