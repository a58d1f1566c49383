"""The tiny checkpoint and pictures to show it, for the tests here that need torch."""

from __future__ import annotations

from pathlib import Path

import pytest

from kdsl_cli.backends.local.loading import Loaded, load
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from tests.backends.local.conftest import checkpoint, noise  # noqa: F401 - fixtures of these tests too


@pytest.fixture(scope="session")
def loaded(checkpoint: Path) -> Loaded:
    """In full precision; whoever adapts or trains it loads one of its own."""
    return load(LocalSpec(str(checkpoint)), BackendOptions(quant="none"))
