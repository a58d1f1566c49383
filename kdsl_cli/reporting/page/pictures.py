"""How a page gets its pictures: inside it as small copies, beside it by a link, or not at all.

A page full of copies must stay small enough to send. So the copies of few pictures are large enough to read,
and those of thousands are stamps.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Literal, get_args
from urllib.parse import quote

from kdsl_cli.dialogues.pictures import absolute, relative
from kdsl_cli.evidence.pictures import PictureError, decode
from kdsl_cli.evidence.workers import cores

Show = Literal["thumbnails", "linked", "none"]
SHOWS: Final[tuple[Show, ...]] = get_args(Show)

BUDGET: Final = 10_000_000
"""Bytes that the copies in one page may have together; in base64 a third more."""

_SIZES: Final = ((720, 60), (480, 55), (320, 50), (224, 45), (160, 40), (112, 35))
"""Longest side in pixels and quality, from the best."""

_TRIED: Final = 24
"""Pictures from which the size of all is foretold."""


def picture_sources(
    names: Sequence[str],
    root: Path,
    *,
    show: Show,
    page: Path,
    advance: Callable[[], object] = lambda: None,
) -> dict[str, str]:
    """Return what the ``src`` of each picture is; one that cannot be shown is not in it.

    Parameters
    ----------
    names
        As the dialogues name them, from `root`.
    show
        `thumbnails`: a ``data:`` address; `linked`: a path from the folder of `page`; `none`: nothing.
    page
        Where the page will lie.
    advance
        Called after each copy.
    """
    wanted = list(dict.fromkeys(names))
    if show == "none":
        return {}
    paths = {name: absolute(name, root) for name in wanted}
    if show == "linked":
        return {name: quote(relative(path, page.parent)) for name, path in paths.items() if path.is_file()}
    side, quality = _affordable([paths[name] for name in names])  # each use of a picture is a copy

    def copied(name: str) -> str | None:
        found = thumbnail(paths[name], side, quality)
        advance()
        return None if found is None else f"data:image/webp;base64,{base64.b64encode(found).decode('ascii')}"

    with ThreadPoolExecutor(cores()) as pool:  # Pillow lets go of the interpreter while it works
        copies = list(pool.map(copied, wanted))
    return {name: copy for name, copy in zip(wanted, copies, strict=True) if copy is not None}


def thumbnail(path: Path, side: int, quality: int) -> bytes | None:
    """Return a small copy as WebP, no larger than `side`; None if the picture cannot be shown."""
    from PIL import Image

    try:
        picture = Image.fromarray(decode(path.read_bytes()))
    except (OSError, PictureError):
        return None
    picture.thumbnail((side, side))
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=quality)
    return out.getvalue()


def _affordable(paths: Sequence[Path]) -> tuple[int, int]:
    """Return the best size at which copies of all pictures are expected within the budget, or the least."""
    tried = paths[:: max(1, len(paths) // _TRIED)][:_TRIED]
    for side, quality in _SIZES[:-1]:
        sizes = [len(found) for path in tried if (found := thumbnail(path, side, quality)) is not None]
        if not sizes or sum(sizes) / len(sizes) * len(paths) <= BUDGET:
            return side, quality
    return _SIZES[-1]
