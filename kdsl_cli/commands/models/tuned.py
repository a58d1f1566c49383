"""A tuned large model: what training left of it, and the model itself, opened as it was trained."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl_cli.commands.console import current_output
from kdsl_cli.errors import ConfigError, StageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kdsl_cli.backends.backend import Backend
    from kdsl_cli.backends.cache import CachedBackend
    from kdsl_cli.backends.spec import BackendOptions, LocalSpec
    from kdsl_cli.commands.workspace.layout import Workspace
    from kdsl_cli.commands.workspace.settings import LargeSettings
    from kdsl_cli.training.lora.answers.record import TunedRecord


@dataclass(frozen=True, slots=True)
class Tuned:
    """What training left: the record, and the folder in which it lies beside the adapter."""

    record: TunedRecord
    folder: Path


def find_tuned(folder: Path) -> Tuned | None:
    """Return the tuned model of a folder; None if the folder holds another kind of model.

    Raises
    ------
    StageError
        If it was a tuned model and is not whole.
    """
    from kdsl_cli.training.lora.answers.record import MODEL, load

    try:
        schema = json.loads((folder / MODEL).read_bytes()).get("schema", "")
    except (OSError, ValueError, AttributeError):
        return None  # whoever reads the other kind says what is wrong
    return Tuned(load(folder), folder) if str(schema).startswith("kdsl.lora/") else None


def the_tuned(folder: Path) -> Tuned:
    """Return the tuned model of a folder.

    Raises
    ------
    StageError
        If there is none.
    """
    found = find_tuned(folder)
    if found is None:
        fix = "Run: kdsl train-large --large local:PATH_OR_ID"
        raise StageError("there is no tuned model here", where=str(folder), fix=fix)
    return found


@contextmanager
def opened(
    tuned: Tuned, options: LargeSettings, space: Workspace, *, batch: int | None = None
) -> Iterator[Backend]:
    """Open a tuned model, or what answers in its place; it is closed at the end of the block.

    Parameters
    ----------
    options
        How it is run, and where its base lies now or who serves it.
    batch
        In place of the batch of `options`.

    Raises
    ------
    StageError
        If it is not the model that was trained, asked as it was trained.
    BackendError, MissingExtra
        If it cannot be opened.
    """
    from kdsl_cli.backends.opening import open_backend
    from kdsl_cli.backends.spec import BackendOptions, HttpSpec, LocalSpec, parse_spec

    record = tuned.record
    how = BackendOptions(
        quant=record.quant,
        max_pixels=record.max_pixels,
        batch_size=batch or options.batch,
        concurrency=options.concurrency,
        timeout_s=options.timeout,
        section="train",
    )
    spec = parse_spec(options.through or record.base, space.root)
    if isinstance(spec, LocalSpec):
        spec = as_trained(spec, tuned)
        backend = _headed(spec, how, tuned) if record.kind == "head" else open_backend(str(spec), how)
    elif isinstance(spec, HttpSpec) and record.kind in ("head", "prompt"):
        what = f"what was tuned with train.method: {record.kind} no server knows"
        raise ConfigError(what, where=str(spec), fix="Leave out --through")
    else:
        backend = open_backend(str(spec), how)
    try:
        record.check(backend.identity, backend.spec)
        current_output().note(f"large model: {backend.spec}, tuned on {len(record.tasks)} tasks")
        yield backend
    finally:
        backend.close()


def _headed(spec: LocalSpec, how: BackendOptions, tuned: Tuned) -> Backend:
    from kdsl_cli.backends.local.loading import load
    from kdsl_cli.training.lora.adapters.heads import Head
    from kdsl_cli.training.lora.answers.head_backend import HeadBackend
    from kdsl_cli.training.lora.answers.record import ADAPTER

    loaded = load(spec, how)
    head = Head.load(tuned.folder / ADAPTER, loaded.model.device)
    return HeadBackend(str(spec), loaded, head, tuned.record.intents, how)


@contextmanager
def remembered(tuned: Tuned, options: LargeSettings, space: Workspace) -> Iterator[CachedBackend]:
    """Open as `opened`, with the workspace's memory: what it said once is not asked again."""
    from kdsl_cli.backends.cache import CachedBackend
    from kdsl_cli.backends.store import AnswerStore

    with opened(tuned, options, space) as backend, AnswerStore(space.calls) as store:
        yield CachedBackend(backend, store, purpose="predict")


def as_trained(spec: LocalSpec, tuned: Tuned) -> LocalSpec:
    """Return the spec of a base with the revision and the adapter of a tuned model.

    Where all weights were learnt it is that of what training left, whatever the base. Of the hub the commit
    is asked for that was trained on: the newest may be another by now. What a folder holds is checked once it
    is loaded.
    """
    from kdsl_cli.backends.spec import LocalSpec
    from kdsl_cli.training.lora.answers.record import ADAPTER

    if tuned.record.kind == "full":
        return LocalSpec(str(tuned.folder / ADAPTER))
    on_the_hub = not Path(spec.path).expanduser().is_dir()
    return replace(
        spec,
        revision=tuned.record.revision if on_the_hub else spec.revision,
        adapter=spec.adapter or str(tuned.folder / ADAPTER),
    )
