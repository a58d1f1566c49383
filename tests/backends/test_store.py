"""The file of answers bears other processes, and says what to do when it cannot be used."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest

from kdsl_cli.backends.backend import Failed, Generated, Scored, Usage
from kdsl_cli.backends.store import AnswerStore, Asker
from kdsl_cli.errors import BackendError

ASKER = Asker("test", "generate", "scripted:a.yaml")
ANSWERS = [
    Generated("是的 🧧\n", -1.25, "length", Usage(12, 3, 4, 0.5)),
    Generated("", None, "stop"),
    Scored((-0.1, None), "choice-logprobs", Usage(7)),
]


def test_an_answer_comes_back_as_it_went_in(tmp_path):
    with AnswerStore(tmp_path / "runs" / "calls.sqlite") as store:
        store.add(ASKER, list("abcd"), [*ANSWERS, Failed("no")])
    with AnswerStore(tmp_path / "runs" / "calls.sqlite") as store:
        assert store.get("abcde") == dict(zip("abc", ANSWERS, strict=True))
        assert store.get([]) == {}


def test_the_first_answer_stays(tmp_path):
    with AnswerStore(tmp_path / "calls.sqlite") as store:
        store.add(ASKER, ["a"], ANSWERS[:1])
        store.add(ASKER, ["a"], ANSWERS[1:2])
        assert store.get(["a"]) == {"a": ANSWERS[0]}


def sqlite(path, *statements):
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_a_file_of_another_version_is_refused(tmp_path):
    path = tmp_path / "calls.sqlite"
    AnswerStore(path).close()
    sqlite(path, "PRAGMA user_version = 7")
    with pytest.raises(BackendError, match=r"holds answers of version 7.*Delete it"):
        AnswerStore(path)


def test_a_database_of_something_else_is_left_alone(tmp_path):
    path = tmp_path / "calls.sqlite"
    sqlite(path, "CREATE TABLE photos (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(BackendError, match=r"a database of something else.*Move it away"):
        AnswerStore(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_or_broken_is_refused(tmp_path):
    path = tmp_path / "calls.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(BackendError, match=r"calls\.sqlite: is broken.*Delete it"):
        AnswerStore(path)
    with pytest.raises(BackendError, match="cannot be used"):
        AnswerStore(tmp_path)


def test_a_file_that_breaks_in_use_is_told_so(tmp_path):
    path = tmp_path / "calls.sqlite"
    with AnswerStore(path) as store:
        store.add(ASKER, [f"{number:064}" for number in range(300)], ANSWERS[:1] * 300)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\x55" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(BackendError, match=r"is broken.*Delete it"):
        AnswerStore(path).get([f"{5:064}"])


def test_an_answer_that_is_none_is_told_so(tmp_path):
    path = tmp_path / "calls.sqlite"
    AnswerStore(path).close()
    sqlite(path, "INSERT INTO answers VALUES ('a', '{}')")
    with AnswerStore(path) as store, pytest.raises(BackendError, match="none of a model's"):
        store.get(["a"])


def test_a_file_that_is_in_use_for_too_long_is_told_so(tmp_path):
    path = tmp_path / "calls.sqlite"
    with AnswerStore(path, wait_s=0.01) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BackendError, match=r"is in use.*wait for its end") as caught:
            store.add(ASKER, ["a"], ANSWERS[:1])
        assert caught.value.retryable
        assert store.get(["a"]) == {}
        other.execute("ROLLBACK")
        other.close()
        store.add(ASKER, ["a"], ANSWERS[:1])


WRITER = """
import sys
from pathlib import Path
from kdsl_cli.backends.backend import Generated
from kdsl_cli.backends.store import AnswerStore, Asker

print("ready", flush=True)
sys.stdin.readline()
with AnswerStore(Path(sys.argv[1])) as store:
    for number in range(200):
        asker = Asker(sys.argv[2], "generate", "scripted:a.yaml")
        store.add(asker, [f"{sys.argv[2]} {number}", f"both {number}"], [Generated("a", None, "stop")] * 2)
        store.count_hits(asker, 1)
"""


OPENER = """
import sys
from pathlib import Path
from kdsl_cli.backends.store import AnswerStore

print("ready", flush=True)
for path in sys.stdin:
    AnswerStore(Path(path.strip())).close()
    print("made", flush=True)
"""


@pytest.mark.slow
def test_processes_that_make_the_file_at_the_same_moment_wait_for_each_other(tmp_path, child_environment):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER],
            env=child_environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 3
    for number in range(50):  # without a wait, one of them fails within the first ten
        for process in processes:
            process.stdin.write(f"{tmp_path / str(number)}\n")
            process.stdin.flush()
        assert [process.stdout.readline() for process in processes] == ["made\n"] * 3
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0


@pytest.mark.slow
def test_two_processes_make_and_write_one_file_at_once(tmp_path, child_environment):
    path = tmp_path / "calls.sqlite"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name],
            env=child_environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0]
    with AnswerStore(path) as store:
        keys = [f"{name} {number}" for name in ("one", "two", "both") for number in range(200)]
        assert len(store.get(keys)) == 600
    with sqlite3.connect(path) as log:
        assert log.execute("SELECT count(*) FROM calls").fetchone() == (800,)
        assert log.execute("SELECT purpose, number FROM hits").fetchall() == [("one", 200), ("two", 200)]
