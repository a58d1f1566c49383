"""What tests of several rooms need: the program as a person runs it, and a workspace to run it in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kdsl_cli.commands.console import Output, set_output
from kdsl_cli.commands.workspace.layout import set_config_file

ROOT = Path(__file__).resolve().parent.parent

Kdsl = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def child_environment() -> dict[str, str]:
    """The environment for a subprocess of a test."""
    return environment()


def environment(**extra: str) -> dict[str, str]:
    """Return this process's environment without what would change an answer, and with the package found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KDSL_", "PYTHON"))}
    colours = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"}
    return (
        {name: value for name, value in kept.items() if name not in colours}
        | {"PYTHONPATH": str(ROOT)}
        | extra
    )


@pytest.fixture
def kdsl(tmp_path: Path) -> Kdsl:
    """Run ``kdsl ARGS`` in `tmp_path` (or in `cwd`) as a process of its own."""

    def run(*arguments: str, cwd: Path = tmp_path, **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "kdsl_cli", *arguments],
            cwd=cwd,
            env=environment(**extra),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
        )

    return run


@pytest.fixture(autouse=True)
def as_a_program_begins() -> Iterator[None]:
    """Forget the global options of a program that a test ran here; the next may run a verb by itself."""
    yield
    set_output(Output())
    set_config_file(None)


@pytest.fixture
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the ``KDSL_`` variables of whoever runs the tests."""
    for name in os.environ:
        if name.startswith("KDSL_"):
            monkeypatch.delenv(name)
