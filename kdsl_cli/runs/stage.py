"""A stage: one folder, one key, one manifest that says `success` only when everything else is on the disk.

Examples
--------
>>> import tempfile
>>> from kdsl_cli.runs.atomic import write_text
>>> out = Path(tempfile.mkdtemp()) / "mine"
>>> stage = Stage("mine", out, config={"simulations": 10}, seeds={"seed": 0})
>>> stage.up_to_date()
False
>>> with stage.run() as run:
...     write_text(run.output(out / "rules.txt"), "none found")
...     run.count(total=3, ok=2, failed=1)
>>> stage.up_to_date()
True
>>> write_text(out / "rules.txt", "changed by hand")
>>> stage.up_to_date()
False
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from kdsl_cli import __version__
from kdsl_cli.errors import StageError
from kdsl_cli.runs.atomic import sweep
from kdsl_cli.runs.hashing import FileRecord, file_record, sha256_json
from kdsl_cli.runs.inputs import changed_outputs
from kdsl_cli.runs.lock import locked
from kdsl_cli.runs.manifest import Manifest, current_code, package_versions, read_manifest, write_manifest
from kdsl_cli.runs.recording import StageRun, now

_NAMED = 5


@dataclass(frozen=True)
class Stage:
    """What a stage is asked to do, and where.

    Attributes
    ----------
    name
        Of the stage: `mine`, `prune`, ...
    out
        Its folder; nobody else writes there.
    config, config_given
        The options as resolved (they enter the key) and as the person gave them (a record only).
    inputs
        Files and folders it reads; their contents enter the key. They are hashed once, at first need.
    seeds
        By name; they enter the key.
    argv
        The command line, for the record and for the resume command.
    force
        Start anew: never up to date, never resumed, and another key's run is replaced.
    replace
        A run of another key is replaced without asking (`kdsl run`, which owns the folder).
    """

    name: str
    out: Path
    config: Mapping[str, Any] = field(default_factory=dict)
    config_given: Mapping[str, Any] = field(default_factory=dict)
    inputs: Sequence[Path] = ()
    seeds: Mapping[str, int] = field(default_factory=dict)
    argv: Sequence[str] = ()
    force: bool = False
    replace: bool = False

    @cached_property
    def input_records(self) -> tuple[FileRecord, ...]:
        """The inputs as they are now.

        Raises
        ------
        StageError
            If one is not there.
        """
        for path in self.inputs:
            if not path.exists():
                raise StageError(f"an input of the stage '{self.name}' is not there", where=str(path))
        return tuple(file_record(path, base=self.out) for path in self.inputs)

    @cached_property
    def key(self) -> str:
        """Hash of everything that shapes the outputs. Where the workspace lies is not part of it."""
        inputs = [[Path(record.path).name, record.sha256] for record in self.input_records]
        return sha256_json([__version__, self.name, dict(self.config), dict(self.seeds), inputs])

    def up_to_date(self) -> bool:
        """Whether this very run succeeded before and its outputs are as it left them."""
        if self.force:
            return False
        found = read_manifest(self.out)
        if found is None or found.status != "success" or (found.stage, found.key) != (self.name, self.key):
            return False
        return not changed_outputs(self.out, found)

    def check(self) -> None:
        """Do nothing if `run` may begin, so that what takes long, or may fail, can be got ready before it.

        Raises
        ------
        StageError
            If the folder holds another run and neither `force` nor `replace` is set.
        """
        self._admitted()

    @contextmanager
    def run(self) -> Iterator[StageRun]:
        """Do the stage: the folder is locked, the manifest says `started` first and `success` last.

        An exception marks it `error`, Ctrl-C `interrupted`, a kill leaves it `started`; a later run of the
        same key may then resume (`StageRun.resuming`). Otherwise what the earlier run had promised is
        removed first, files that are a person's to edit excepted.

        Raises
        ------
        StageError
            If another process is at work in the folder, or it holds another run and neither `force` nor
            `replace` is set, or an output that was promised is not there at the end.
        """
        opening = self._opening()
        with locked(self.out):
            found = self._admitted()
            sweep(self.out)
            resuming = found is not None and found.key == self.key and found.status != "success"
            resuming = resuming and not self.force
            if found is not None and not resuming:
                _discard(self.out, found)
            run = StageRun(self.out, opening, resuming)
            run.save("started")
            try:
                yield run
                run.save("success")
            except KeyboardInterrupt:
                run.save("interrupted")
                raise
            except BaseException as error:
                run.error = f"{type(error).__name__}: {error}"
                run.save("error")
                raise

    def _opening(self) -> Manifest:
        return Manifest(
            stage=self.name,
            status="started",
            key=self.key,
            argv=tuple(self.argv),
            config_given=dict(self.config_given),
            config=dict(self.config),
            inputs=self.input_records,
            code=current_code(),
            packages=package_versions(),
            seeds=dict(self.seeds),
            started=now(),
        )

    def _admitted(self) -> Manifest | None:
        found = read_manifest(self.out)
        if found is None:
            return None
        if found.stage != self.name:
            raise StageError(
                f"this folder belongs to the stage '{found.stage}', not to '{self.name}'",
                where=str(self.out),
                fix="Give another folder with --out",
            )
        if found.key != self.key and not (self.force or self.replace):
            state = "a finished" if found.status == "success" else f"an unfinished ({found.status})"
            raise StageError(
                f"this folder holds {state} run with other inputs or options{self._other(found)}",
                where=str(self.out),
                fix=f"To replace it: {self._forced}; to keep it, copy the folder away first",
            )
        return found

    @property
    def _forced(self) -> str:
        return shlex.join([*self.argv, "--force"]) if self.argv else "add --force"

    def _other(self, found: Manifest) -> str:
        """Name what shaped the run that is there and is not so now: files, then options."""
        then = {record.path: record.sha256 for record in found.inputs}
        now = {record.path: record.sha256 for record in self.input_records}
        files = sorted({Path(path).name for path, _ in then.items() ^ now.items()})
        had, wanted = {**found.config, **found.seeds}, {**self.config, **self.seeds}
        names = sorted({*had, *wanted})
        options = [name for name in names if sha256_json([had.get(name)]) != sha256_json([wanted.get(name)])]
        version = [] if found.code.version == __version__ else [f"made by version {found.code.version}"]
        told = [*files, *options, *version]
        more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
        return f" ({', '.join(told[:_NAMED])}{more})" if told else ""


def _discard(out: Path, found: Manifest) -> None:
    """Remove what `found` had promised, at first taking back its `success`.

    Its own key stays until the last file is gone: were the new key written first, a kill here would leave
    files of the old run to a new one that believes them its own.
    """
    write_manifest(out, found.model_copy(update={"status": "started", "outputs": ()}))
    inside = out.resolve()
    for name in found.files:
        path = out / name
        if inside not in path.resolve().parents:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
