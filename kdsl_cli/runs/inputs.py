"""The door by which a stage takes what an earlier stage left: only whole, and only as it was left."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from pathlib import Path
from typing import Final

from kdsl_cli.errors import Problem, StageError
from kdsl_cli.runs.hashing import FileRecord, sha256_path
from kdsl_cli.runs.manifest import FILE_NAME, Manifest, read_manifest

UNFINISHED: Final = {
    "started": "was killed, or is still at work",
    "interrupted": "was interrupted",
    "error": "ended in an error",
}
"""What befell a stage, by a status that is no success."""

_NOT_AGAIN: Final = ("--force", "-q", "--quiet", "--json", "-v", "-vv", "--verbose", "--debug")
"""Options that say nothing of what is done."""


def require_success(
    folder: Path, *, command: str | None = None, only: Collection[str] | None = None
) -> Manifest:
    """Return the manifest of a stage that came to its end and whose outputs are as it left them.

    Parameters
    ----------
    folder
        The stage's folder.
    command
        What to run to make it, for the message, where nothing is there or another verb made it (`again`).
    only
        Names of the outputs (relative to `folder`) that the caller will read. The others are not even
        opened: mining must not touch the test split. None: all of them.

    Raises
    ------
    StageError
        If there is no manifest, the stage did not succeed, a named output is not one of its outputs, or an
        output is gone or has changed since. Files that are a person's to edit may have changed.
    """
    found = read_manifest(folder)
    if found is None:
        fix = f"Run: {command}" if command else "Run the stage that writes this folder first"
        raise StageError(f"there is no finished stage here (no {FILE_NAME})", where=str(folder), fix=fix)
    if found.status != "success":
        told = f": {found.error}" if found.error else ""
        raise StageError(
            f"the stage '{found.stage}' {UNFINISHED[found.status]}{told}",
            where=str(folder),
            fix=f"Run it again, it goes on from where it was: {again(found, command, 'run')}",
        )
    problems = changed_outputs(folder, found, only=only, command=command)
    if problems:
        raise StageError(problems)
    return found


def again(made: Manifest, command: str | None = None, *also: str) -> str:
    """Return what to run to have a stage done as it was done: with the options that it had then.

    Parameters
    ----------
    command
        A verb with the least that it needs, for where another one did the stage (`kdsl demo`, say). None: it
        is done by what did it last, whatever that was.
    also
        Other verbs whose command line will do.
    """
    words = [word for word in made.argv if word not in _NOT_AGAIN]
    if command is not None and not {command.split()[1], *also} & set(words):
        return command
    return shlex.join(words)


def changed_outputs(
    folder: Path, manifest: Manifest, *, only: Collection[str] | None = None, command: str | None = None
) -> tuple[Problem, ...]:
    """Return what is no longer as the stage left it, sorted by name; empty if all is well."""
    anew = again(manifest, command)
    fix = f"Run again: {anew} --force" if anew else None
    known = {record.path: record for record in manifest.outputs}
    problems: list[Problem] = []
    for name in sorted(known if only is None else only):
        record, path = known.get(name), folder / name
        if record is None:
            what = f"not one of the outputs of the stage '{manifest.stage}'"
            wanted = f"Run: {command}" if command else fix
            problems.append(Problem(str(path), what, ", ".join(sorted(known)), wanted))
        elif not path.exists():
            problems.append(Problem(str(path), f"gone since the stage '{manifest.stage}' wrote it", fix=fix))
        elif not record.editable and not _same(path, record):
            problems.append(
                Problem(str(path), f"changed since the stage '{manifest.stage}' wrote it", fix=fix)
            )
    return tuple(problems)


def _same(path: Path, record: FileRecord) -> bool:
    if path.is_file() and path.stat().st_size != record.bytes:
        return False
    return sha256_path(path) == record.sha256
