"""The small model of a run, opened with the workspace's memory: what it said once is not asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kdsl_cli.commands.console import current_output
from kdsl_cli.errors import ConfigError

if TYPE_CHECKING:
    from kdsl_cli.backends.cache import CachedBackend
    from kdsl_cli.commands.settings import SmallSettings
    from kdsl_cli.commands.workspace import Workspace


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
    budget = Budget(max_calls=options.max_calls, max_tokens=options.max_tokens, deadline=deadline)
    return CachedBackend(backend, AnswerStore(space.calls), purpose=purpose, budget=budget)


def shaping(options: SmallSettings) -> dict[str, Any]:
    """Return the options that shape answers, for a stage's key: the model need not be opened to know them.

    Other weights under the same name are not seen by it; a model's own identity, which the memory of answers
    goes by, is.
    """
    return {name: getattr(options, name) for name in ("model", "quant", "max_pixels")}
