"""Files that are whole or not there: written under a temporary name, synced, then renamed.

A reader never sees half a file, and a kill at any moment leaves the old file as it was. What a killed
writer leaves behind is hidden and ends in `.tmp`; `sweep` removes it when the folder's next owner comes.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

_LEFTOVER = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` to write to; on a clean end it takes `path`'s place.

    A symbolic link stays one: the file it names is replaced. If the body raises, `path` is as it was
    and the temporary file is gone. The parent folder is made when missing.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with replacing(target) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> target.read_text(), [entry.name for entry in target.parent.iterdir()]
    ('whole', ['a.txt'])
    """
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(target)
        _sync(target.parent)  # the rename itself must outlive a power cut
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write `content` to `path` in UTF-8 with line ends as they are, whole or not at all."""
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON with Chinese left readable, whole or not at all."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def write_parquet(path: Path, frame: pl.DataFrame, *, metadata: dict[str, str] | None = None) -> None:
    """Write `frame` to `path`, whole or not at all; `metadata` goes into the file's own key-value pairs."""
    with replacing(path) as temporary:
        frame.write_parquet(temporary, metadata=metadata)


def sweep(folder: Path) -> None:
    """Remove what killed writers left directly in `folder`. Call it only while holding the folder's lock."""
    for entry in folder.iterdir():
        if _LEFTOVER.fullmatch(entry.name):
            entry.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
