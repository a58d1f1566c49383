"""The tiny checkpoint, made once, and models opened from it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kdsl_cli.backends.local.local import LocalBackend, open_local
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from kdsl_cli.commands.models.tiny_model import shop_texts
from kdsl_cli.dialogues.prompting import Picture

ShownPicture = Callable[[int, int], Picture]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from kdsl_cli.backends.local.tiny import TINY, build

    short = replace(TINY, positions=4096)  # so that a prompt too long for it is quickly made
    return build(tmp_path_factory.mktemp("models") / "tiny", shop_texts(), shape=short)


@pytest.fixture(scope="session")
def opened(checkpoint: Path) -> Iterator[LocalBackend]:
    """Quantised to NF4 as a user's would be; it has no state that tests could see of each other."""
    backend = open_local(LocalSpec(str(checkpoint)), BackendOptions(quant="nf4", max_pixels=30_000))
    yield backend
    backend.close()


@pytest.fixture
def noise(tmp_path: Path) -> ShownPicture:
    """Draw a picture of the size asked for, the same each time."""
    import numpy as np
    from PIL import Image

    def draw(width: int, height: int) -> Picture:
        path = tmp_path / f"{width}x{height}.png"
        pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        return Picture(path, hashlib.sha256(path.read_bytes()).hexdigest())

    return draw
