from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def importable_in_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that a test starts takes over `sys.path`, and so finds `evidence.tasks`."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
