"""`manifest.json`: what a stage was given, what it made of it, and whether it came to its end."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import kdsl_cli
from kdsl_cli.errors import Problem, StageError
from kdsl_cli.runs.atomic import write_text
from kdsl_cli.runs.hashing import FileRecord

FILE_NAME = "manifest.json"

Status = Literal["started", "success", "error", "interrupted"]

PACKAGES = (
    "kdsl-cli", "polars", "numpy", "scipy", "scikit-learn", "pydantic", "ruamel.yaml", "pillow", "rapidocr",
    "onnxruntime", "torch", "torchvision", "transformers", "peft", "bitsandbytes", "accelerate",
)  # fmt: skip
"""What can change a result; those that are installed are written down."""


class Counts(BaseModel):
    """Units of work. What came `in` ended as one of the others; `cached` are those of `ok` not made anew."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    total: int = Field(default=0, alias="in")
    ok: int = 0
    failed: int = 0
    skipped: int = 0
    cached: int = 0


class Code(BaseModel):
    """The code that ran; `git_sha` and `dirty` are None outside a checkout of KDSL."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    git_sha: str | None = None
    dirty: bool | None = None


class Manifest(BaseModel):
    """The record of one run of one stage, kept in the stage's folder.

    Attributes
    ----------
    key
        Hash of everything that shapes the outputs: code version, stage, configuration, inputs.
    config_given, config
        The options as the person gave them, and as they were resolved.
    inputs, outputs
        As they were at the start, and at a successful end; paths relative to the folder.
    files
        Outputs by name, known before they are whole: what a run of another key may remove.
    timings
        Seconds by phase; `total` is there once the run has ended.
    peak_memory_mb
        Largest resident memory of this process or of one of its children. None while running.
    extra
        What only this stage knows: model revisions, prompt hashes, tokens.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal["kdsl.manifest/1"] = Field(default="kdsl.manifest/1", alias="schema")
    stage: str
    status: Status
    key: str
    argv: tuple[str, ...] = ()
    config_given: dict[str, Any] = {}
    config: dict[str, Any] = {}
    inputs: tuple[FileRecord, ...] = ()
    outputs: tuple[FileRecord, ...] = ()
    files: tuple[str, ...] = ()
    code: Code
    packages: dict[str, str] = {}
    seeds: dict[str, int] = {}
    counts: Counts = Counts()
    timings: dict[str, float] = {}
    peak_memory_mb: float | None = None
    started: str
    ended: str | None = None
    error: str | None = None
    warnings: tuple[str, ...] = ()
    extra: dict[str, Any] = {}


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of a stage's folder, or None if there is none.

    Raises
    ------
    StageError
        If there is a file of that name that is not a manifest.
    """
    path = folder / FILE_NAME
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        fix = "Give another folder, or delete that file if it is of no use"
        problems = [
            Problem(str(path), f"{'.'.join(map(str, item['loc'])) or 'file'}: {item['msg']}", fix=fix)
            for item in error.errors()
        ]
        raise StageError(problems) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest into `folder`, whole or not at all."""
    write_text(folder / FILE_NAME, manifest.model_dump_json(by_alias=True, indent=2) + "\n")


def current_code() -> Code:
    """Return which code is running."""
    version = kdsl_cli.__version__
    package = Path(kdsl_cli.__file__).resolve().parent
    answer = _git(package, "rev-parse", "--show-toplevel", "HEAD")
    if answer is None:
        return Code(version=version)
    top, sha = answer.splitlines()
    if Path(top) / package.name != package:  # installed inside somebody else's repository
        return Code(version=version)
    return Code(version=version, git_sha=sha, dirty=bool(_git(package, "status", "--porcelain", "--", ".")))


def package_versions() -> dict[str, str]:
    """Return the versions of Python and of the installed packages that can change a result."""
    versions = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
