"""The tiny checkpoint, made once, and models opened from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kdsl_cli.commands.tiny_model import shop_texts


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from kdsl_cli.backends.local.tiny import build

    return build(tmp_path_factory.mktemp("models") / "tiny", shop_texts())
