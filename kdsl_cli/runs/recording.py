"""A stage at work: what its manifest will say of it, kept up to date on the disk."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kdsl_cli.errors import StageError
from kdsl_cli.runs.hashing import file_record
from kdsl_cli.runs.manifest import Counts, Manifest, Status, write_manifest


@dataclass(slots=True)
class StageRun:
    """One run of a stage, from the lock to the last manifest.

    Attributes
    ----------
    folder
        The stage's folder.
    opening
        The manifest as it stands when nothing has been done.
    resuming
        Whether an unfinished run of the same key left the folder: what it finished may be taken over.
        False: nothing that was promised before is there any more.
    extra
        Goes into the manifest as it is; must be JSON.
    """

    folder: Path
    opening: Manifest
    resuming: bool
    counts: dict[str, int] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    _outputs: dict[Path, bool] = field(default_factory=dict)
    _clock: float = field(default_factory=time.perf_counter)

    def output(self, path: Path, *, editable: bool = False) -> Path:
        """Promise a file or folder, before it is written; return its path.

        At a successful end it must be there and is recorded by hash. Promise working files too (a log to
        resume from): a run of another key removes what was promised, and must not take over the rest.
        `editable`: it is a person's to change afterwards, so it is neither checked nor removed.
        """
        if path not in self._outputs:
            self._outputs[path] = editable
            self.save("started")
        return path

    def count(
        self, *, total: int = 0, ok: int = 0, failed: int = 0, skipped: int = 0, cached: int = 0
    ) -> None:
        """Add units of work; see `manifest.Counts`."""
        added = {"total": total, "ok": ok, "failed": failed, "skipped": skipped, "cached": cached}
        for name, number in added.items():
            self.counts[name] = self.counts.get(name, 0) + number

    def warn(self, text: str) -> None:
        """Keep a sentence for the manifest; printing it is the command's part."""
        self.warnings.append(text)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the seconds the block takes to the timing called `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.timings[name] = round(self.timings.get(name, 0.0) + time.perf_counter() - start, 3)

    def save(self, status: Status) -> None:
        """Write the manifest as things stand; with `success`, the outputs are hashed first.

        Raises
        ------
        StageError
            If `status` is `success` and a promised output is not there.
        """
        promised = sorted(self._outputs.items())
        changes: dict[str, Any] = {
            "status": status,
            "files": tuple(os.path.relpath(path, self.folder) for path, editable in promised if not editable),
            "counts": Counts(**self.counts),
            "timings": dict(self.timings),
            "error": self.error,
            "warnings": tuple(self.warnings),
            "extra": dict(self.extra),
        }
        if status == "success":
            self._check_promises()
            changes["outputs"] = tuple(
                file_record(path, base=self.folder, editable=editable) for path, editable in promised
            )
        if status != "started":
            changes["timings"] |= {"total": round(time.perf_counter() - self._clock, 3)}
            changes |= {"ended": now(), "peak_memory_mb": peak_memory_mb()}
        write_manifest(self.folder, self.opening.model_copy(update=changes))

    def _check_promises(self) -> None:
        for path in self._outputs:
            if not path.exists():
                raise StageError(
                    f"the stage '{self.opening.stage}' ended without this output", where=str(path)
                )


def now() -> str:
    """Return the time in UTC, to the second. For manifests alone: outputs carry no time."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def peak_memory_mb() -> float:
    """Return the largest resident memory so far of this process or of one of its ended children, in MiB."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(peak * unit / 2**20, 1)
