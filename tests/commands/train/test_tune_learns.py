"""A tuned model learns: the figure of ``benchmarks/lora_learns.py``, by the commands of a user."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT, environment

pytestmark = [pytest.mark.local, pytest.mark.slow]


def test_qlora_learns_four_pages_of_the_shop_and_tells_those_it_never_saw(tmp_path):
    script, out = ROOT / "benchmarks" / "lora_learns.py", tmp_path / "found.json"
    subprocess.run([sys.executable, str(script), "--out", str(out)], env=environment(), check=True)
    found = json.loads(out.read_text("utf-8"))
    assert (found["settings"]["method"], found["settings"]["quant"]) == ("lora", "nf4")
    assert found["train_accuracy"] >= 0.95
    assert found["held_out_accuracy"] >= found["majority"] + 0.4
