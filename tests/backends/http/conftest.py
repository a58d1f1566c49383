"""Servers to ask: one that plays a model, in front of it one that fails by script."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kdsl_cli.backends.backend import Backend
from kdsl_cli.backends.http.connection import Patience
from kdsl_cli.backends.http.http import open_http
from kdsl_cli.backends.http.refusals import KEYS
from kdsl_cli.backends.spec import BackendOptions, HttpSpec
from tests.fakes.fault_proxy import FaultProxy

SERVER = Path(__file__).parents[2] / "fakes" / "shop_server.py"
HURRIED = Patience(attempts=4, first_s=0.001, longest_s=0.05, jitter_s=0.0)

Open = Callable[..., Backend]


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def shop_url() -> Iterator[Callable[[str], str]]:
    """Start the played model as a process, once for each of the things it can offer."""
    started: dict[str, tuple[str, subprocess.Popen[str]]] = {}

    def url(offers: str) -> str:
        if offers not in started:
            command = [sys.executable, str(SERVER), "--offers", offers]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            started[offers] = (process.stdout.readline().strip(), process)
        return started[offers][0]

    yield url
    for _, process in started.values():
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def proxy(shop_url: Callable[[str], str]) -> Iterator[FaultProxy]:
    with FaultProxy(shop_url("choice-logprobs")) as proxy:
        yield proxy


@pytest.fixture
def opened() -> Iterator[Open]:
    """Open models that wait for nobody, and close them."""
    models: list[Backend] = []

    def open_model(url: str, model: str = "shop", revision: str | None = None, **options: float) -> Backend:
        settings = BackendOptions(**{"timeout_s": 10.0, **options})  # type: ignore[arg-type]
        models.append(open_http(HttpSpec(url, model, revision), settings, HURRIED))
        return models[-1]

    yield open_model
    for model in models:
        model.close()
