"""A local model, quantised to NF4 on the CPU, keeps what every backend promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kdsl_cli.backends.backend import Backend
from kdsl_cli.backends.opening import open_backend
from kdsl_cli.backends.spec import BackendOptions
from tests.backends.contract import BackendContract

pytestmark = [pytest.mark.local, pytest.mark.slow]


class TestLocal(BackendContract):
    @pytest.fixture(params=["nf4", "int8", "none"])
    def backend(self, checkpoint: Path, request: pytest.FixtureRequest) -> Iterator[Backend]:
        options = BackendOptions(quant=request.param, max_pixels=30_000, batch_size=3)
        backend = open_backend(f"local:{checkpoint}", options)
        yield backend
        backend.close()
