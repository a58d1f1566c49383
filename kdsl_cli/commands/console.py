"""What a verb says: its result on stdout in the form that was asked for, everything else on stderr.

A verb asks for `current_output()` and never prints by itself, so that ``kdsl eval --json | jq`` and
``cat $(kdsl export-rules -q)`` always get a result and nothing but a result.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

Format = Literal["human", "json", "quiet"]

PLAIN_SECONDS = 5.0
"""The least time between two progress lines where no bar can be drawn."""

_PIPED_WIDTH = 160  # a pipe has no width; rich would take 80 and cut tables


class Progress(Protocol):
    """Work under way, of a known or unknown number of units."""

    def advance(self, units: float = 1) -> None:
        """Say that so many more units are done."""

    def say(self, text: str) -> None:
        """Show a short word beside the count, in place of the last one ("best 0.81")."""


@dataclass(frozen=True, slots=True)
class Output:
    """How this run of the program talks.

    Attributes
    ----------
    format
        `human` prints text and tables, `json` one JSON document, `quiet` bare ids and paths, one a line.
    verbosity
        How many times ``-v`` was given.
    """

    format: Format = "human"
    verbosity: int = 0

    def result(self, human: RenderableType, data: Any, quiet: str | Sequence[str]) -> None:
        """Print what the verb was run for, on stdout, in one of three forms.

        Parameters
        ----------
        human
            Plain text, or a rich table.
        data
            The same as plain lists, dicts and numbers.
        quiet
            The ids or paths that a script would go on with; the artefact's path comes last.
        """
        if self.format == "json":
            sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2, default=str) + "\n")
        elif self.format == "quiet":
            lines = [quiet] if isinstance(quiet, str) else quiet
            sys.stdout.write("".join(f"{line}\n" for line in lines))
        elif isinstance(human, str):
            sys.stdout.write(f"{human}\n")
        else:
            _stdout().print(human)
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Tell something in passing; not with ``-q``."""
        if self.format != "quiet":
            _say(text)

    def detail(self, text: str) -> None:
        """Tell something that only ``-v`` asks for."""
        if self.verbosity:
            _say(text, "dim")

    def warn(self, text: str) -> None:
        """Tell something that may spoil the result."""
        _say(f"warning: {text}", "yellow")

    def error(self, text: str) -> None:
        """Tell what went wrong."""
        _say(f"error: {text}", "red")

    @contextmanager
    def progress(self, what: str, total: float | None = None, unit: str = "") -> Iterator[Progress]:
        """Show the work of the block on stderr: a bar on a terminal, else a line every few seconds.

        Parameters
        ----------
        what
            The work, as a person would name it ("Reading pictures").
        total
            Number of units. None: not known beforehand.
        unit
            What is counted, for the rate ("pictures").
        """
        if self.format == "quiet":
            yield _Silent()
        elif _stderr().is_terminal:
            with _bar(what, total, unit) as bar:
                yield bar
        else:
            lines = _Lines(what, total, unit)
            yield lines
            lines.end()


_current: ContextVar[Output] = ContextVar("kdsl_output", default=Output())  # noqa: B039 - Output is frozen


def current_output() -> Output:
    """Return how this run talks; set once by the program from the global options."""
    return _current.get()


def set_output(output: Output) -> None:
    """Set what `current_output` returns. For `app` and tests."""
    _current.set(output)


_argv: ContextVar[tuple[str, ...]] = ContextVar("kdsl_argv", default=("kdsl",))


def current_argv() -> tuple[str, ...]:
    """Return the command line as it was typed, for a manifest: running it again resumes."""
    return _argv.get()


def set_argv(argv: Sequence[str]) -> None:
    """Set what `current_argv` returns. For `app` and tests."""
    _argv.set(tuple(argv))


@dataclass(slots=True)
class _Silent:
    def advance(self, units: float = 1) -> None:
        pass

    def say(self, text: str) -> None:
        pass


@dataclass(slots=True)
class _Lines:
    """Renders ``Reading pictures: 120/675 (12.3 pictures/s, 45 s left) best 0.81``."""

    what: str
    total: float | None
    unit: str
    done: float = 0
    word: str = ""
    started: float = field(default_factory=lambda: time.monotonic())
    told: float = field(default_factory=lambda: time.monotonic())

    def advance(self, units: float = 1) -> None:
        self.done += units
        if time.monotonic() - self.told >= PLAIN_SECONDS:
            self._tell()

    def say(self, text: str) -> None:
        self.word = text

    def end(self) -> None:
        self._tell()

    def _tell(self) -> None:
        self.told = time.monotonic()
        rate = self.done / max(self.told - self.started, 1e-9)
        of = f"/{self.total:g}" if self.total is not None else ""
        pace = f"{rate:.1f} {self.unit}".rstrip() + "/s"
        if self.total is not None and rate and self.done < self.total:
            pace += f", {(self.total - self.done) / rate:.0f} s left"
        _say(f"{self.what}: {self.done:g}{of} ({pace}) {self.word}".rstrip())


@contextmanager
def _bar(what: str, total: float | None, unit: str) -> Iterator[Progress]:
    from rich import progress as rich_progress
    from rich.text import Text

    class Rate(rich_progress.ProgressColumn):
        def render(self, task: rich_progress.Task) -> Text:
            return Text(f"{task.speed or 0:.1f} {unit}".rstrip() + "/s", style="dim")

    columns = (
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(bar_width=24),
        rich_progress.MofNCompleteColumn(),
        Rate(),
        rich_progress.TimeRemainingColumn(),
        rich_progress.TextColumn("{task.fields[word]}", style="dim", markup=False),
    )
    with rich_progress.Progress(*columns, console=_stderr()) as bars:
        task = bars.add_task(what, total=total, word="")

        class Bar:
            def advance(self, units: float = 1) -> None:
                bars.advance(task, units)

            def say(self, text: str) -> None:
                bars.update(task, word=text)

        yield Bar()


def _say(text: str, style: str | None = None) -> None:
    _stderr().print(text, style=style, markup=False, highlight=False, emoji=False, soft_wrap=True)


@cache
def _stdout() -> Console:
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=_PIPED_WIDTH)


@cache
def _stderr() -> Console:
    """One console for all of stderr: a line printed while a bar is drawn goes above the bar."""
    from rich.console import Console

    return Console(stderr=True)
