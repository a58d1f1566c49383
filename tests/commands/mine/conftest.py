"""The workspace with planted rules, extracted once a module and copied for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.planted import copied, fill


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    space = tmp_path_factory.mktemp("planted") / "space"
    fill(space)
    return space


@pytest.fixture
def space(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_environment: None) -> Path:
    monkeypatch.chdir(copied(template, tmp_path))
    return tmp_path
