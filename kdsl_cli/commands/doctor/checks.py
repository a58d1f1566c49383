"""What ``kdsl doctor`` looks at: each check passes, fails or is skipped, and says why."""

from __future__ import annotations

import importlib
import io
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from kdsl_cli.commands.workspace.layout import Workspace, find_workspace
from kdsl_cli.commands.workspace.settings import Settings
from kdsl_cli.commands.workspace.settings_sources import current_settings
from kdsl_cli.errors import KdslError
from kdsl_cli.extras import installed, require

Outcome = Literal["pass", "fail", "skip"]

BASE = {
    "typer": "typer",
    "rich": "rich",
    "polars": "polars",
    "pydantic": "pydantic",
    "ruamel.yaml": "ruamel.yaml",
    "numpy": "numpy",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "PIL": "pillow",
    "onnxruntime": "onnxruntime",
    "rapidocr": "rapidocr",
}
"""What a base installation imports, and the package that brings it."""

OLDEST_PYTHON = (3, 11)
NEEDED_MB = 500  # evidence, models and reports of a workspace of some thousand pictures
LOOKED_AT = 20  # pictures that are decoded; of the others, only that they are there

_REINSTALL = "pip install --force-reinstall {}"
_LOCAL = "pip install 'kdsl-cli[local]'"


@dataclass(frozen=True, slots=True)
class Check:
    """What a check found: `reason` always, `fix` when there is something to do."""

    name: str
    outcome: Outcome
    reason: str
    fix: str | None = None


def all_checks() -> Iterator[Check]:
    """Yield every check as it is done: installation, reader, disk, optional parts, workspace."""
    yield _python()
    for module, package in BASE.items():
        yield _library(module, package)
    yield _guarded("reads pictures", _reader, "Reinstall with: " + _REINSTALL.format("rapidocr onnxruntime"))
    yield _disk()
    yield from _optional()
    yield from _workspace()


def _guarded(name: str, look: Callable[[], str], fix: str) -> Check:
    """Pass with what `look` tells, or fail with what it raises: a check has no other way to end."""
    try:
        return Check(name, "pass", look())
    except KdslError as error:
        first, *more = error.problems
        told = f"{first.render()} (and {len(more)} more)" if more else first.render()
        return Check(name, "fail", told, fix)
    except Exception as error:
        return Check(name, "fail", " ".join(f"{type(error).__name__}: {error}".split()), fix)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if tuple(sys.version_info) < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        return Check(
            "python", "fail", f"{version} is older than {oldest}", f"Install Python {oldest} or newer"
        )
    return Check("python", "pass", version)


def _library(module: str, package: str) -> Check:
    def look() -> str:
        importlib.import_module(module)
        return metadata.version(package)

    return _guarded(package, look, "Reinstall with: " + _REINSTALL.format(package))


def _reader() -> str:
    from PIL import Image, ImageDraw, ImageFont

    from kdsl_cli.errors import EvidenceError
    from kdsl_cli.evidence.ocr import Reader

    picture = Image.new("RGB", (320, 96), "white")
    ImageDraw.Draw(picture).text((24, 20), "Refund 2048", "black", ImageFont.load_default(size=44))
    data = io.BytesIO()
    picture.save(data, "png")
    read = " ".join(line.text for line in Reader().read(data.getvalue()))
    if "2048" not in read:
        raise EvidenceError(f"a picture that says 'Refund 2048' was read as '{read}'")
    return f"a picture that says 'Refund 2048' was read as '{read}'"


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free // 2**20
    if free >= NEEDED_MB:
        return Check("disk", "pass", f"{free:,} MB free")
    return Check("disk", "fail", f"{free:,} MB free, {NEEDED_MB} MB are wise", "Make room on this disk")


def _optional() -> Iterator[Check]:
    if not installed("torch"):
        reason = "not installed; rules and the linear model need none"
        yield Check("torch", "skip", reason, f"For local models: {_LOCAL}")
        return
    yield _guarded("torch", _torch, _REINSTALL.format("torch"))
    if installed("torchvision"):
        yield _library("torchvision", "torchvision")
    else:
        reason = "not installed: without torchvision no Qwen2-VL processor can be made"
        yield Check("torchvision", "fail", reason, _LOCAL)
    if installed("bitsandbytes"):
        yield _guarded("4-bit", _four_bit, "pip install 'bitsandbytes>=0.50'")
    else:
        yield Check("4-bit", "skip", "bitsandbytes is not installed", f"To load models in 4 bit: {_LOCAL}")


def _torch() -> str:
    import torch

    where = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU: works, slowly"
    return f"{torch.__version__}, {where}"


def _four_bit() -> str:
    import torch

    from kdsl_cli.errors import CheckFailed

    layers = require("bitsandbytes.nn", extra="local", feature="4-bit")
    version = metadata.version("bitsandbytes")
    if tuple(map(int, version.split(".")[:2])) < (0, 50):
        raise CheckFailed(f"bitsandbytes {version} is older than 0.50, the first with NF4 on the CPU")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    layer = layers.Linear4bit(64, 8, quant_type="nf4", compute_dtype=torch.float32).to(device)
    answer = layer(torch.ones(2, 64, device=device))
    if not bool(torch.isfinite(answer).all()):
        raise CheckFailed("an NF4 layer gave numbers that are not finite")
    return f"bitsandbytes {version}, an NF4 layer works on {device}"


def _workspace() -> Iterator[Check]:
    try:
        workspace = find_workspace()
    except KdslError as error:
        yield Check("workspace", "fail", error.problems[0].render())
        return
    if workspace is None:
        yield Check("workspace", "skip", "none here or in any folder above", "Make one with: kdsl init")
        return
    yield Check("workspace", "pass", str(workspace.root.resolve()))
    config = _guarded("settings", lambda: _settings(workspace), f"Mend {workspace.config}")
    yield config
    settings = current_settings() if config.outcome == "pass" else None
    if settings is not None:
        yield from _data(workspace, settings)


def _settings(workspace: Workspace) -> str:
    current_settings()
    return f"{workspace.config} is valid"


def _data(workspace: Workspace, settings: Settings) -> Iterator[Check]:
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.dialogues.splits import check_leaks

    def intents() -> str:
        loaded = Catalogue.load(catalogue)
        return f"{sum(len(task.intents) for task in loaded.tasks)} intents in {len(loaded.tasks)} tasks"

    def parted() -> str:
        check_leaks(workspace.splits)
        return f"{workspace.splits}: no content stands in two splits"

    catalogue, dialogues = workspace.path(settings.data.catalogue), workspace.path(settings.data.dialogues)
    yield _guarded("catalogue", intents, f"Mend {catalogue}")
    if not dialogues.exists():
        yield Check(
            "dialogues", "skip", f"{dialogues} is not there yet", "Bring some in: kdsl data import FILE"
        )
        return
    images = workspace.path(settings.data.images) if settings.data.images else dialogues.parent
    yield _guarded("dialogues", lambda: _pictures(dialogues, images), "See them all: kdsl data check")
    if workspace.splits.exists():
        yield _guarded("splits", parted, "Part them again: kdsl data split --force")
    else:
        yield Check("splits", "skip", f"{workspace.splits} is not there yet", "Part them: kdsl data split")


def _pictures(dialogues: Path, images: Path) -> str:
    from kdsl_cli.dialogues.readers.options import ReaderOptions
    from kdsl_cli.dialogues.readers.reading import read
    from kdsl_cli.errors import DatasetError, Problem
    from kdsl_cli.evidence.pictures import PictureError, decode

    found = read(dialogues, options=ReaderOptions(check_pictures=False), max_errors=0).dialogues
    names = sorted({name for dialogue in found for name in dialogue.images})
    problems = [Problem(str(images / name), "not there") for name in names if not (images / name).is_file()]
    if not problems:
        for name in names[:LOOKED_AT]:
            try:
                decode((images / name).read_bytes())
            except PictureError as error:
                problems.append(Problem(str(images / name), error.reason))
    if problems:
        raise DatasetError(problems)
    looked = f", the first {LOOKED_AT} were opened" if len(names) > LOOKED_AT else ", all were opened"
    return f"{len(found)} dialogues, {len(names)} pictures" + (looked if names else "")
