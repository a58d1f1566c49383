"""The file that answers and calls are kept in: made, opened, checked; and its errors as a user can mend them.

SQLite in WAL mode: one process may write while others read, a second writer waits, and what was committed
outlives a kill of the process (a power cut may cost the last commits, never the file).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from kdsl_cli.errors import BackendError

VERSION: Final = 1
"""Of the tables below; a file of another version is refused."""

_APPLICATION: Final = 0x6B64736C  # "kdsl": tells our files from other people's
_TABLES: Final = """
CREATE TABLE answers (
    key TEXT PRIMARY KEY,          -- SHA-256 of all that shaped the answer
    answer TEXT NOT NULL           -- JSON
) WITHOUT ROWID;
CREATE TABLE calls (               -- one row a prompt that a model was really asked
    number INTEGER PRIMARY KEY,
    time TEXT NOT NULL,            -- UTC
    purpose TEXT NOT NULL,
    operation TEXT NOT NULL,
    spec TEXT NOT NULL,
    key TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    image_tokens INTEGER NOT NULL,
    seconds REAL NOT NULL,
    error TEXT                     -- null: answered
);
CREATE TABLE hits (                -- answers that cost no call
    purpose TEXT NOT NULL,
    operation TEXT NOT NULL,
    spec TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (purpose, operation, spec)
) WITHOUT ROWID;
"""
_BUSY: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")
_BROKEN: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_ANEW: Final = "Delete it, or move it away: the model is asked again for what it held"


def open_database(path: Path, *, wait_s: float = 60.0) -> sqlite3.Connection:
    """Open the file to read and write; it is made when missing.

    Parameters
    ----------
    wait_s
        How long to wait for another process that is writing.

    Raises
    ------
    BackendError
        If it is no such file, of another version, broken, or may not be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with mendable(path):
        connection = sqlite3.connect(path, timeout=wait_s, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            if _is_new(connection):
                _write_ahead(connection, wait_s)
                with transaction(connection):
                    if _is_new(connection):  # else another process was faster
                        _make(connection)
            _check(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file that is there to read it; nothing can be written.

    Raises
    ------
    BackendError
        As `open_database`.
    """
    with mendable(path):
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            _check(connection, path)
            yield connection
        finally:
            connection.close()


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Keep all that the block writes, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk ends it by itself
            connection.execute("ROLLBACK")
        raise


@contextmanager
def mendable(path: Path) -> Iterator[None]:
    """Turn what SQLite raises in the block into a `BackendError` that says what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", None) or ""
        if name.startswith(_BUSY):
            fix = "Another run is writing it: wait for its end"
            raise BackendError("is in use", where=str(path), fix=fix, retryable=True) from error
        if name.startswith(_BROKEN):
            raise BackendError(f"is broken ({error})", where=str(path), fix=_ANEW) from error
        raise BackendError(f"cannot be used: {error}", where=str(path)) from error


def _is_new(connection: sqlite3.Connection) -> bool:
    [tables] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not tables and _pragma(connection, "user_version") == 0


def _write_ahead(connection: sqlite3.Connection, wait_s: float) -> None:
    end = monotonic() + wait_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # SQLite does not wait by itself where two connections change the mode at once.
            if not error.sqlite_errorname.startswith(_BUSY) or monotonic() >= end:
                raise
        sleep(0.01)


def _make(connection: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";"):  # `executescript` would end the transaction first
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if _pragma(connection, "application_id") != _APPLICATION:
        raise BackendError("is a database of something else", where=str(path), fix="Move it away")
    version = _pragma(connection, "user_version")
    if version != VERSION:
        raise BackendError(
            f"holds answers of version {version}, and this is version {VERSION}", where=str(path), fix=_ANEW
        )


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
