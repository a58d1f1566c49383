"""The small model of a run, opened with the workspace's memory: what it said once is not asked again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kdsl_cli.commands.console import current_output
from kdsl_cli.errors import ConfigError

if TYPE_CHECKING:
    from kdsl_cli.backends.cache import CachedBackend
    from kdsl_cli.commands.workspace.layout import Workspace
    from kdsl_cli.commands.workspace.settings import SmallSettings


QuantOption = Annotated[
    str | None,
    typer.Option("--quant", help="Weights of a local model: nf4, int8 or none.", show_default=False),
]
"""How the weights of the model that ``--small`` names are kept."""

MaxCallsOption = Annotated[
    int | None,
    typer.Option("--max-calls", help="Answers of the small model in a stage, at most.", show_default=False),
]
MaxTokensOption = Annotated[
    int | None,
    typer.Option("--max-tokens", help="Tokens of the small model in a stage, at most.", show_default=False),
]
MaxMinutesOption = Annotated[
    float | None,
    typer.Option(
        "--max-minutes",
        help="Minutes that it is asked in a stage, at most; the rest goes on.",
        show_default=False,
    ),
]


def small_given(
    model: str | None,
    quant: str | None,
    max_calls: int | None,
    max_tokens: int | None,
    max_minutes: float | None,
) -> dict[str, Any]:
    """Return what a verb's options say of the small model, by the names of its settings."""
    return {
        "small.model": model,
        "small.quant": quant,
        "small.max_calls": max_calls,
        "small.max_tokens": max_tokens,
        "small.max_minutes": max_minutes,
    }


def open_small(
    options: SmallSettings, space: Workspace, purpose: str, *, deadline: float | None = None
) -> CachedBackend:
    """Open the small model, and say which it is.

    Parameters
    ----------
    options
        Which model, how it is run, and how much it may be asked.
    purpose
        Who asks ("mine-rules"); for the log of calls.
    deadline
        By `time.monotonic`, until when it may be asked. None: without end.

    Raises
    ------
    ConfigError
        If no model is named.
    BackendError, MissingExtra
        If the model cannot be opened.
    """
    from kdsl_cli.backends.budget import Budget
    from kdsl_cli.backends.cache import CachedBackend
    from kdsl_cli.backends.opening import open_backend
    from kdsl_cli.backends.spec import BackendOptions
    from kdsl_cli.backends.store import AnswerStore

    if options.model is None:
        fix = "Give --small SPEC, or set it in kdsl.yaml"
        raise ConfigError("no small model is named", where="small.model", fix=fix)
    how = BackendOptions(
        quant=options.quant,
        max_pixels=options.max_pixels,
        batch_size=options.batch,
        concurrency=options.concurrency,
        timeout_s=options.timeout,
    )
    backend = open_backend(options.model, how, space.root)
    current_output().note(f"small model: {backend.spec}, pictures of {options.max_pixels:,} pixels at most")
    budget = Budget(options.max_calls, options.max_tokens, _earlier(deadline, options.max_minutes))
    return CachedBackend(backend, AnswerStore(space.calls), purpose=purpose, budget=budget)


def limits(options: SmallSettings) -> dict[str, Any]:
    """Return how much a stage may ask, for its key: what was not asked shapes what comes of it."""
    return {name: getattr(options, name) for name in ("max_calls", "max_tokens", "max_minutes")}


def _earlier(deadline: float | None, minutes: float | None) -> float | None:
    """Return what comes first: the deadline, or the end of so many minutes from now."""
    ends = [] if minutes is None else [time.monotonic() + 60 * minutes]
    return min(ends if deadline is None else [deadline, *ends], default=None)


def shaping(options: SmallSettings) -> dict[str, Any]:
    """Return the options that shape answers, for a stage's key: the model need not be opened to know them.

    Other weights under the same name are not seen by it; a model's own identity, which the memory of answers
    goes by, is.
    """
    return {name: getattr(options, name) for name in ("model", "quant", "max_pixels")}
