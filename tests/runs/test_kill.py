"""A kill -9 at any moment loses at most the unit in work, and leaves nothing that passes for whole."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kdsl_cli.errors import StageError
from kdsl_cli.runs.appendlog import read_log
from kdsl_cli.runs.hashing import sha256_file
from kdsl_cli.runs.inputs import require_success
from kdsl_cli.runs.manifest import read_manifest

pytestmark = pytest.mark.slow

UNITS = 40

# A stage as the real ones are: units into a log, then everything of the log into one file. A unit's number is
# printed once its line is kept. Lines and file are large enough that a kill can hit the middle of a write.
STAGE = f"""
import sys, time
from pathlib import Path
from kdsl_cli.runs.appendlog import AppendLog, read_log
from kdsl_cli.runs.atomic import write_json
from kdsl_cli.runs.stage import Stage

out = Path(sys.argv[1])
stage = Stage("mine", out, config={{"rounds": int(sys.argv[2])}}, replace=True)
print("ready", flush=True)
with stage.run() as run:
    path = run.output(out / "search.jsonl")
    done = len(read_log(path)) if run.resuming else 0
    with AppendLog(path) as log:
        for number in range(done, {UNITS}):
            log.append({{"unit": number, "round": int(sys.argv[2]), "text": "退款" * 20_000}})
            print(number, flush=True)
    found = [[line["round"], line["unit"]] for line in read_log(path)]
    write_json(run.output(out / "rules.json"), found * 2000)
    run.count(total={UNITS}, ok={UNITS})
"""


def start(out: Path, rounds: int, environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", STAGE, str(out), str(rounds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def finish(out: Path, rounds: int, environment: dict[str, str]) -> float:
    """Let the stage come to its end; return the seconds from "ready" on."""
    process = start(out, rounds, environment)
    begun = time.monotonic()
    process.communicate()
    assert process.returncode == 0
    return time.monotonic() - begun


def check_killed(out: Path, rounds: int, printed: list[int]) -> bool:
    """Check what a killed stage left; return whether it was killed after its end."""
    manifest = read_manifest(out)
    if manifest is not None and manifest.status == "success":
        require_success(out)
        return manifest.config == {"rounds": rounds}
    with pytest.raises(StageError):
        require_success(out)
    kept = read_log(out / "search.jsonl")
    assert [line["unit"] for line in kept] == list(range(len(kept)))
    if manifest is not None and manifest.config == {"rounds": rounds}:
        assert all(line["round"] == rounds for line in kept), "took over the work of another key"
        assert not printed or len(kept) > max(printed), "lost a unit that was done"
    if (out / "rules.json").exists():
        assert len(json.loads((out / "rules.json").read_text())) == UNITS * 2000
    return False


def test_killed_again_and_again_a_stage_ends_as_if_it_never_was(tmp_path, child_environment):
    whole = finish(tmp_path / "undisturbed", 0, child_environment)
    chance, out, kills = random.Random(0), tmp_path / "out", 0
    for rounds in (1, 0):  # the second finds the leavings of a whole run of another key
        finished = False
        for _ in range(8):
            process = start(out, rounds, child_environment)
            time.sleep(chance.uniform(0, 0.5) * whole)
            process.kill()
            printed = [int(line) for line in process.communicate()[0].split()]
            kills += process.returncode == -9
            finished = check_killed(out, rounds, printed)
            if finished:
                break
        if not finished:
            finish(out, rounds, child_environment)
    assert kills >= 4
    assert require_success(out).counts.ok == UNITS
    for name in ("search.jsonl", "rules.json"):
        assert sha256_file(out / name) == sha256_file(tmp_path / "undisturbed" / name)
    assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "rules.json", "search.jsonl"]


def test_a_file_that_is_replaced_under_fire_is_always_one_of_the_whole_ones(tmp_path, child_environment):
    script = (
        "import itertools, sys\nfrom pathlib import Path\nfrom kdsl_cli.runs.atomic import write_text\n"
        "print('ready', flush=True)\n"
        "for n in itertools.count(): write_text(Path(sys.argv[1]), str(n % 10) * 3_000_000)\n"
    )
    path, chance = tmp_path / "rules.yaml", random.Random(1)
    for _ in range(8):
        command = [sys.executable, "-c", script, str(path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=child_environment, text=True)
        assert process.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0, 0.1))
        process.kill()
        process.communicate()
        if path.exists():
            content = path.read_text()
            assert len(content) == 3_000_000
            assert len(set(content)) == 1
    assert path.exists()
