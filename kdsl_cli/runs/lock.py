"""One process at a time in a stage's folder."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kdsl_cli.errors import StageError

FILE_NAME = "lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process.

    The kernel keeps the lock and drops it when the process dies, however it dies, so a lock file that a
    killed process left is simply taken over: no guessing from process ids. The id and the host written into
    the file are for the message alone. The kind of lock is the one that forked workers do not inherit:
    an orphan cannot keep the folder.

    Raises
    ------
    StageError
        If another process holds the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    descriptor = _acquire(path)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
        yield
    finally:
        path.unlink(missing_ok=True)  # before the close: whoever waits for this file must see it is gone
        os.close(descriptor)


def _acquire(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 1000).decode("utf-8", "replace")
            os.close(descriptor)
            raise StageError(
                f"another process is at work in this folder {holder}".rstrip(),
                where=str(path.parent),
                fix="Wait for it to end, or give another folder",
            ) from error
        if _still_there(path, descriptor):
            return descriptor
        os.close(descriptor)  # its last holder removed the file between our opening and our locking


def _still_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
