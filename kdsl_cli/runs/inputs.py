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


def require_success(
    folder: Path, *, command: str | None = None, only: Collection[str] | None = None
) -> Manifest:
    """Return the manifest of a stage that came to its end and whose outputs are as it left them.

    Parameters
    ----------
    folder
        The stage's folder.
    command
        What to run to make it, for the message. None: the command that made it last, if there was one.
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
    command = command or shlex.join(found.argv)
    if found.status != "success":
        told = f": {found.error}" if found.error else ""
        raise StageError(
            f"the stage '{found.stage}' {UNFINISHED[found.status]}{told}",
            where=str(folder),
            fix=f"Run it again, it goes on from where it was: {command}",
        )
    problems = changed_outputs(folder, found, only=only, command=command)
    if problems:
        raise StageError(problems)
    return found


def changed_outputs(
    folder: Path, manifest: Manifest, *, only: Collection[str] | None = None, command: str = ""
) -> tuple[Problem, ...]:
    """Return what is no longer as the stage left it, sorted by name; empty if all is well."""
    fix = f"Run again: {command} --force" if command else None
    known = {record.path: record for record in manifest.outputs}
    problems: list[Problem] = []
    for name in sorted(known if only is None else only):
        record, path = known.get(name), folder / name
        if record is None:
            what = f"not one of the outputs of the stage '{manifest.stage}'"
            problems.append(Problem(str(path), what, ", ".join(sorted(known)), fix))
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
