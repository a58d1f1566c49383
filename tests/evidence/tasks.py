"""Tasks for reading processes, importable there: each unit's text says what is to happen."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from kdsl_cli.evidence.store import Observation, observation_key
from kdsl_cli.logic.facts import OcrLine
from kdsl_cli.runs.hashing import sha256_bytes

ENGINE = "test-engine"


def obey(unit: str) -> str:
    match unit.split():
        case ["raise"]:
            raise ValueError("as told")
        case ["die"]:
            os.kill(os.getpid(), signal.SIGSEGV)
        case ["exit"]:
            os._exit(3)
        case ["sleep", seconds, *_]:
            time.sleep(float(seconds))
    return unit.upper()


def make_obey() -> Callable[[str], str]:
    return obey


def make_nothing() -> Callable[[str], str]:
    raise RuntimeError("no model here")


def see(path: str) -> Observation:
    """Take the bytes of a file for its text, 20 ms each."""
    time.sleep(0.02)
    data = Path(path).read_bytes()
    line = OcrLine(0, 0, data.decode(), 0.5, (0.0, 0.0, 1.0, 0.5))
    return Observation(observation_key(sha256_bytes(data), ENGINE), "photo", {"aspect": 0.5}, (line,))


def make_see() -> Callable[[str], Observation]:
    return see
