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
        for _ in range(6):
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


# The same at every step instead of at random: for each step, a process kills itself there. A step is whatever
# touches a file of the folder (Python's audit events tell), each wait for the disk, the middle of each write.
EVERY_STEP = """
import itertools, os, shutil, signal, sys
from pathlib import Path
from kdsl_cli.runs.appendlog import AppendLog, read_log
from kdsl_cli.runs.atomic import write_json
from kdsl_cli.runs.stage import Stage

folder, left = Path(sys.argv[1]), None

def step():
    global left
    if left is not None:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

def touches(event, args):
    paths = [str(a) for a in args if isinstance(a, (str, bytes, os.PathLike))]
    if event.startswith(("open", "os.", "shutil.")) and any(p.startswith(str(folder)) for p in paths):
        step()

def half_then_whole(path, content):
    with path.open("wb") as file:
        file.write(content[: len(content) // 2])
        file.flush()
        step()
        file.write(content[len(content) // 2 :])

def count_sync(descriptor):
    step()

def work(out, rounds, old=""):
    stage = Stage("mine", out, config={"rounds": rounds}, replace=True)
    if stage.up_to_date():
        return
    with stage.run() as run:
        path = run.output(out / "search.jsonl")
        done = len(read_log(path)) if run.resuming else 0
        with AppendLog(path) as log:
            for number in range(done, 3):
                log.append({"unit": number, "round": rounds})
        if old:
            write_json(run.output(out / "old.json"), [rounds])
        write_json(run.output(out / "rules.json"), [[line["round"], line["unit"]] for line in read_log(path)])

def in_child(*arguments, steps=None):
    global left
    child = os.fork()
    if child == 0:
        left = steps
        work(*arguments)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

sys.addaudithook(touches)
Path.write_bytes, os.fsync = half_then_whole, count_sync
work(folder / "old", 1, "old")
for number in itertools.count():
    out = folder / f"killed-{number:03}"
    shutil.copytree(folder / "old", out)
    if in_child(out, 0, steps=number) == 0:
        break
    shutil.copytree(out, folder / f"resumed-{number:03}")
    assert in_child(folder / f"resumed-{number:03}", 0) == 0
"""


def test_killed_at_each_single_step_a_stage_leaves_nothing_that_passes_for_whole(tmp_path, child_environment):
    command = [sys.executable, "-c", EVERY_STEP, str(tmp_path)]
    subprocess.run(command, env=child_environment, check=True)
    killed = sorted(tmp_path.glob("killed-*"))
    assert len(killed) > 50
    for out in killed:
        manifest = read_manifest(out)
        assert manifest is not None, "the manifest was gone for a moment"
        rules = json.loads((out / "rules.json").read_text()) if (out / "rules.json").exists() else None
        if manifest.status == "success":
            assert require_success(out).config["rounds"] == rules[0][0]
        kept = [line["round"] for line in read_log(out / "search.jsonl")]
        assert set(kept) <= {manifest.config["rounds"]}, f"{out.name} holds another key's work"
    for out in tmp_path.glob("resumed-*"):
        assert require_success(out).config == {"rounds": 0}
        names = sorted(path.name for path in out.iterdir() if path.name != "lock")
        assert names == ["manifest.json", "rules.json", "search.jsonl"], out.name
        assert json.loads((out / "rules.json").read_text()) == [[0, unit] for unit in range(3)]
