"""How a tuning is shown: one bar over all its trainings, and after ten steps how long it will take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from kdsl_cli.commands.console import Output, Progress, current_output

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kdsl_cli.training.lora.steps.loop import Loop
    from kdsl_cli.training.lora.steps.trainings import Told
    from kdsl_cli.training.lora.steps.tuning import Work


SURE: Final = 10
"""Steps after which the time left is told."""


class Unheard(Output):
    """How a process talks beside the first one: it does not."""

    def result(self, human: RenderableType, data: Any, quiet: Any) -> None:
        """Print nothing."""

    def note(self, text: str) -> None:
        """Tell nothing."""

    def detail(self, text: str) -> None:
        """Tell nothing."""

    def warn(self, text: str) -> None:
        """Tell nothing."""

    @contextmanager
    def progress(self, what: str, total: float | None = None, unit: str = "") -> Iterator[Progress]:
        """Show nothing."""
        with Output("quiet").progress(what, total, unit) as silent:
            yield silent


@contextmanager
def shown(loop: Loop, work: Work) -> Iterator[tuple[Loop, Callable[[str, int], None]]]:
    """Show the steps of all trainings on one bar.

    Yields
    ------
    Loop, callable
        The loop, which now tells of its steps, and what is to be told of what is scored.
    """
    lengths = {
        training.name: len(training.steps(loop.settings, loop.seed))
        for training, _ in work.trainings(loop.seed)
    }
    with current_output().progress("Tuning", sum(lengths.values()), "steps") as bar:
        course = _Course(bar, lengths)
        yield replace(loop, tell=course.step), course.scoring


@dataclass(slots=True)
class _Course:
    bar: Progress
    lengths: dict[str, int]
    at: int = 0
    seen: int = 0
    begun: float = field(default_factory=time.monotonic)
    last: str = ""

    def step(self, told: Told) -> None:
        """Move the bar to where a training is, past what is left of those before it."""
        names = list(self.lengths)
        before = sum(self.lengths[name] for name in names[: names.index(told.training)])
        self.bar.advance(before + told.step - self.at)
        self.at = before + told.step
        self.last = (
            f"{told.training}  loss {told.loss:.3f}  {told.samples_per_second:.1f} samples/s  "
            f"{told.peak_gib:.1f} GiB"
        )
        self.bar.say(self.last)
        self.seen += 1
        if self.seen == SURE:
            pace = (time.monotonic() - self.begun) / self.seen
            minutes = pace * (sum(self.lengths.values()) - self.at) / 60
            current_output().note(f"about {minutes:.0f} min left, less where a training ends early")

    def scoring(self, what: str, n_samples: int) -> None:
        """Say that something is being scored."""
        self.bar.say(f"{self.last}  scoring {n_samples} of {what}")
