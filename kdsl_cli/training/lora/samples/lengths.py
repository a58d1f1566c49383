"""How long samples are in tokens, told before anything is tuned; one that is too long is named, never cut."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from kdsl_cli.backends.pictures import PictureError
from kdsl_cli.errors import DatasetError, Problem
from kdsl_cli.training.lora.samples.collating import Collator
from kdsl_cli.training.lora.samples.samples import Sample

OnLong = Literal["drop", "error"]

_FIX: Final = "Raise --max-length, lower --max-pixels, or leave such samples out by name: --on-long drop"


@dataclass(frozen=True, slots=True)
class Length:
    """Tokens of one sample.

    Attributes
    ----------
    id, task
        Of the sample.
    prompt
        Of what it is asked, those of pictures left out.
    image
        Of its pictures.
    answer
        Of the answer, its end included.
    """

    id: str
    task: str
    prompt: int
    image: int
    answer: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.prompt + self.image + self.answer


@dataclass(frozen=True, slots=True)
class Checked:
    """What can be tuned on, and what cannot.

    Attributes
    ----------
    kept
        Samples that fit, in the order given.
    lengths
        Of `kept`, one each.
    overlong
        Lengths of the samples that are too long.
    unreadable
        Ids of the samples with a picture that cannot be shown, each with the reason.
    """

    kept: tuple[Sample, ...]
    lengths: tuple[Length, ...]
    overlong: tuple[Length, ...]
    unreadable: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """How a number is spread over samples."""

    least: int
    median: int
    p95: int
    most: int


@dataclass(frozen=True, slots=True)
class TaskLengths:
    """How long the samples of a task are."""

    task: str
    n_samples: int
    prompt: Spread
    image: Spread
    answer: Spread
    total: Spread


def check(
    samples: Sequence[Sample],
    collator: Collator,
    on_long: OnLong,
    tell: Callable[[], None] = lambda: None,
) -> Checked:
    """Encode every sample once, and part what fits from what does not.

    Parameters
    ----------
    on_long
        What becomes of samples longer than `collator.max_length`, and of those whose pictures cannot be
        shown: "drop" leaves them out, and the caller tells which; "error" refuses them all.
    tell
        Called after each sample.

    Raises
    ------
    DatasetError
        Naming each sample that cannot be used, with "error"; or if none is left.
    """
    fitting: list[tuple[Sample, Length]] = []
    overlong: list[Length] = []
    unreadable: list[tuple[str, str]] = []
    for sample in samples:
        try:
            length = measure(sample, collator)
        except PictureError as error:
            unreadable.append((sample.id, error.reason))
        else:
            if length.total > collator.max_length:
                overlong.append(length)
            else:
                fitting.append((sample, length))
        tell()
    problems = [_too_long(length, collator.max_length) for length in overlong]
    problems += [
        Problem(name, reason, fix="Mend the file, or use --on-long drop") for name, reason in unreadable
    ]
    if problems and (on_long == "error" or not fitting):
        raise DatasetError(problems)
    return Checked(
        tuple(sample for sample, _ in fitting),
        tuple(length for _, length in fitting),
        tuple(overlong),
        tuple(unreadable),
    )


def measure(sample: Sample, collator: Collator) -> Length:
    """Return how many tokens a sample has.

    Raises
    ------
    PictureError
        If one of its pictures cannot be shown.
    """
    encoded = collator.encode(sample)
    words = encoded.n_prompt - encoded.n_image
    return Length(sample.id, sample.task, words, encoded.n_image, encoded.n_answer)


def by_task(lengths: Sequence[Length]) -> tuple[TaskLengths, ...]:
    """Return how long the samples of each task are, tasks in the order in which they first come.

    Examples
    --------
    >>> lengths = [Length("a", "t", 300, 60, 3), Length("b", "t", 310, 0, 4), Length("c", "t", 290, 0, 3)]
    >>> told = by_task(lengths)
    >>> told[0].n_samples, told[0].prompt, told[0].total.most
    (3, Spread(least=290, median=300, p95=310, most=310), 363)
    """
    found = []
    for task in dict.fromkeys(length.task for length in lengths):
        own = [length for length in lengths if length.task == task]
        found.append(
            TaskLengths(
                task,
                len(own),
                _spread([length.prompt for length in own]),
                _spread([length.image for length in own]),
                _spread([length.answer for length in own]),
                _spread([length.total for length in own]),
            )
        )
    return tuple(found)


def _spread(numbers: Sequence[int]) -> Spread:
    """Return quantiles that are numbers of the sample: the least that so large a share does not exceed."""
    ranked = sorted(numbers)
    p95 = ranked[-(-95 * len(ranked) // 100) - 1]
    return Spread(ranked[0], statistics.median_low(ranked), p95, ranked[-1])


def _too_long(length: Length, most: int) -> Problem:
    what = (
        f"{length.total} tokens ({length.prompt} of text, {length.image} of pictures, {length.answer} of the "
        f"answer), where {most} are taken"
    )
    return Problem(length.id, what, fix=_FIX)
