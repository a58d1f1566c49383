"""One process at a time in a folder; a dead one holds nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from kdsl_cli.errors import StageError
from kdsl_cli.runs.lock import locked

HOLD = """
import sys, time
from pathlib import Path
from kdsl_cli.runs.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path, child_environment):
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=child_environment, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_folder_at_work_is_refused_and_the_holder_named(tmp_path, holder):
    with pytest.raises(StageError, match=rf'"pid": {holder.pid}') as caught, locked(tmp_path):
        pass
    assert caught.value.problems[0].where == str(tmp_path)


def test_a_killed_process_holds_nothing(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "lock").exists()
    with locked(tmp_path):
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()
    assert not (tmp_path / "lock").exists()


def test_an_ended_process_holds_nothing(tmp_path, holder):
    holder.communicate("\n")
    assert not (tmp_path / "lock").exists()
    with locked(tmp_path):
        pass


def test_a_forked_worker_that_outlives_its_parent_holds_nothing(tmp_path, child_environment):
    script = (
        "import os, sys, time\nfrom pathlib import Path\nfrom kdsl_cli.runs.lock import locked\n"
        f"with locked(Path({str(tmp_path)!r})):\n"
        "    child = os.fork()\n"
        "    if child == 0: time.sleep(30)\n"
        "    print(child, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    read, write = os.pipe()  # not subprocess's own: the orphan would keep it open
    process = subprocess.Popen([sys.executable, "-c", script], stdout=write, env=child_environment)
    os.close(write)
    orphan = int(os.read(read, 100))
    process.wait()
    try:
        with locked(tmp_path):
            pass
    finally:
        os.kill(orphan, signal.SIGKILL)
        os.close(read)


def test_the_folder_is_free_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="x"), locked(tmp_path):
        raise ValueError("x")
    started = time.monotonic()
    with locked(tmp_path):
        assert time.monotonic() - started < 1
