"""Stopping well: the first Ctrl-C asks, the second insists; a file called `stop` asks as well."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType


@dataclass(frozen=True, slots=True)
class StopFile:
    """Asks for a stop for as long as the file is there (``touch runs/mine/stop``)."""

    path: Path

    @property
    def requested(self) -> bool:
        """Whether the file is there now."""
        return self.path.exists()


@dataclass(slots=True)
class Stop:
    """Whether somebody asked the work to stop after the unit in hand.

    Attributes
    ----------
    file
        A stop file that counts as a request too. None: signals only.
    signalled
        Whether Ctrl-C (SIGINT) or SIGTERM came.
    """

    file: StopFile | None = None
    signalled: bool = False
    on_request: Callable[[], None] | None = field(default=None, repr=False)

    @property
    def requested(self) -> bool:
        """Whether to stop, be it by signal or by file."""
        return self.signalled or (self.file is not None and self.file.requested)

    def raise_if_requested(self) -> None:
        """Leave the work by the door Ctrl-C takes: the stage is marked interrupted, the exit code is 130.

        Raises
        ------
        KeyboardInterrupt
            If a stop was requested.
        """
        if self.requested:
            raise KeyboardInterrupt

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self.signalled:
            raise KeyboardInterrupt
        self.signalled = True
        if self.on_request:
            self.on_request()


@contextmanager
def stopping(file: StopFile | None = None, *, on_request: Callable[[], None] | None = None) -> Iterator[Stop]:
    """Within the block, the first SIGINT or SIGTERM sets `Stop.requested`, the second is a KeyboardInterrupt.

    `on_request` is called at the first one, to say that it was heard. Outside the main thread, where
    Python takes no signals, only the stop file counts. What handled the signals before does so again after.

    Examples
    --------
    >>> with stopping() as stop:
    ...     signal.raise_signal(signal.SIGINT)
    ...     stop.requested
    True
    """
    stop = Stop(file, on_request=on_request)
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, stop._handle) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave_signals_to_parent() -> None:
    """Initialise a worker process: Ctrl-C reaches the whole group, but the parent alone decides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
