import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOP = ROOT / "data" / "shop"
sys.path.insert(0, str(SHOP / "generator"))


def read_jsonl(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def shop_folder() -> Path:
    return SHOP


@pytest.fixture(scope="session")
def rows() -> list[dict]:
    return read_jsonl(SHOP / "dialogues.jsonl")


@pytest.fixture(scope="session")
def noise() -> dict[str, dict]:
    return {row["id"]: row for row in read_jsonl(SHOP / "truth" / "noise.jsonl")}


@pytest.fixture(scope="session")
def answers() -> dict[str, dict[str, str]]:
    return {row["id"]: row["answers"] for row in read_jsonl(SHOP / "truth" / "answers.jsonl")}


@pytest.fixture(scope="session")
def recovery() -> ModuleType:
    """The benchmark that scores rules, as a module."""
    spec = importlib.util.spec_from_file_location("rule_recovery", ROOT / "benchmarks" / "rule_recovery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
