"""One task for many units, on several processes, where a unit may take its process down with it.

A broken picture can crash the native code that reads it, or keep it busy for ever. So each process has one
unit at a time and the parent knows which: if the process dies or is too slow, that unit alone is lost and
another process takes its place. (An executor of `concurrent.futures` breaks as a whole instead.)
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, Literal, TypeVar

from kdsl_cli.errors import EvidenceError
from kdsl_cli.runs.signals import leave_signals_to_parent

Answer = TypeVar("Answer")
Task = Callable[[str], Answer]

_START_SECONDS = 300.0
_POLL_SECONDS = 0.2  # how long a request to stop may go unheard
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Lost:
    """A unit without an answer, and why: the task raised, the process died, or time was up."""

    reason: str


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def answers(
    units: Sequence[str],
    make_task: Callable[[], Task[Answer]],
    *,
    workers: int,
    seconds: float,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[int, Answer | Lost]]:
    """Yield the place of each unit in `units` with its answer, in the order in which they arrive.

    Parameters
    ----------
    make_task
        Called once in each process, must be importable there (it is pickled); what loads slowly loads here.
    workers
        Processes at once, each told to use one thread.
    seconds
        Longest time for one unit.
    stop
        Asked often; once it says yes no unit is begun any more, those in work are finished.

    Raises
    ------
    EvidenceError
        If a process cannot make its task: then no unit is to blame.
    """
    crew = _Crew(make_task, seconds)
    waiting = deque(range(len(units)))
    try:
        for _ in range(min(workers, len(units))):
            crew.hire()
        while (waiting and not stop()) or crew.busy:
            for worker in crew.idle:
                if waiting and not stop():
                    place = waiting.popleft()
                    worker.give(place, units[place])
            yield from crew.collect(replace=bool(waiting))
    finally:
        crew.dismiss()


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    pipe: Connection
    state: Literal["starting", "idle", "busy"]
    since: float
    unit: int = -1

    def give(self, place: int, unit: str) -> None:
        self.state, self.unit, self.since = "busy", place, time.monotonic()
        with suppress(OSError):  # it died while idle; `collect` will find the end of its pipe
            self.pipe.send(unit)

    def end(self) -> str:
        """Stop the process and return how it ended."""
        self.process.join(timeout=1)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.pipe.close()
        code = self.process.exitcode or 0
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


class _Crew(Generic[Answer]):
    def __init__(self, make_task: Callable[[], Task[Answer]], seconds: float) -> None:
        self._make_task = make_task
        self._seconds = seconds
        self._workers: list[_Worker] = []
        # A fork would copy the parent's threads half-way through their work; spawn is safe everywhere.
        self._context = multiprocessing.get_context("spawn")

    @property
    def busy(self) -> bool:
        return any(worker.state == "busy" for worker in self._workers)

    @property
    def idle(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.state == "idle"]

    def hire(self) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(self._make_task, theirs), daemon=True)
        with _one_thread(), _born_deaf():
            process.start()
        theirs.close()  # else the end of the process would not show as the end of the pipe
        self._workers.append(_Worker(process, ours, "starting", time.monotonic()))

    def collect(self, *, replace: bool) -> Iterator[tuple[int, Answer | Lost]]:
        """Wait a moment; yield what came in, and what was lost. `replace`: hire for each that is gone."""
        speaking = wait([worker.pipe for worker in self._workers], timeout=_POLL_SECONDS)
        for worker in list(self._workers):
            if worker.pipe in speaking:
                yield from self._hear(worker, replace)
            elif worker.state != "idle" and time.monotonic() - worker.since > self._limit(worker):
                worker.process.kill()
                yield from self._bury(worker, f"took longer than {self._limit(worker):g} s", replace)

    def _limit(self, worker: _Worker) -> float:
        return self._seconds if worker.state == "busy" else _START_SECONDS

    def _hear(self, worker: _Worker, replace: bool) -> Iterator[tuple[int, Answer | Lost]]:
        try:
            word, content = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._bury(worker, None, replace)
            return
        if word == "unfit":
            raise EvidenceError(f"a reading process could not start: {content}")
        worker.state = "idle"
        if word != "ready":
            yield worker.unit, content if word == "done" else Lost(content)

    def _bury(
        self, worker: _Worker, reason: str | None, replace: bool
    ) -> Iterator[tuple[int, Answer | Lost]]:
        self._workers.remove(worker)
        end = worker.end()
        if worker.state == "starting":
            raise EvidenceError(f"a reading process could not start: {reason or end}")
        if replace:
            self.hire()
        if worker.state == "busy":
            yield worker.unit, Lost(reason or f"the reading process died ({end})")

    def dismiss(self) -> None:
        for worker in self._workers:
            worker.process.kill()  # idle, or no longer wanted
        for worker in self._workers:
            worker.end()
        self._workers.clear()


def _serve(make_task: Callable[[], Task[Any]], pipe: Connection) -> None:
    """Answer units until the parent closes the pipe, or is gone."""
    leave_signals_to_parent()
    try:
        try:
            task = make_task()
        except Exception as error:
            pipe.send(("unfit", str(error) or type(error).__name__))
            return
        pipe.send(("ready", None))
        while True:
            unit = pipe.recv()
            try:
                message = ("done", task(unit))
            except Exception as error:
                message = ("failed", f"{type(error).__name__}: {error}"[:200])
            pipe.send(message)
    except (EOFError, OSError):
        return


@contextmanager
def _born_deaf() -> Iterator[None]:
    """Within the block, processes start with Ctrl-C blocked: it must not hit one that is still importing.

    The mask is inherited, so it holds before the first line of the new process can say what to ignore.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let processes started in the block use one thread each: libraries read these when they are loaded."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
