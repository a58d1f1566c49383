"""A tuning is made ready: the model loaded, samples measured, and who learns what put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.train.preflight import fitting
from kdsl_cli.commands.train.setup import Setup, backend_options, lora_settings, record_of
from kdsl_cli.commands.workspace.layout import current_workspace
from kdsl_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kdsl_cli.backends.backend import Backend
    from kdsl_cli.backends.local.loading import Loaded
    from kdsl_cli.backends.spec import BackendOptions
    from kdsl_cli.commands.train.tuning_data import TuningData
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.commands.workspace.train_settings import TrainSettings
    from kdsl_cli.runs.signals import Stop
    from kdsl_cli.training.lora.adapters.adapting import Adapted
    from kdsl_cli.training.lora.adapters.settings import LoraSettings
    from kdsl_cli.training.lora.samples.collating import Collator
    from kdsl_cli.training.lora.samples.samples import Sample
    from kdsl_cli.training.lora.steps.objectives import Objective
    from kdsl_cli.training.lora.steps.processes import World


def prepare(settings: Settings, data: TuningData, journal: Path, world: World, stop: Stop) -> Setup:
    """Load the model, and measure the samples.

    Parameters
    ----------
    journal
        The file to which steps are written; the files to go on from lie beside it.

    Raises
    ------
    BackendError, MissingExtra
        If the model cannot be loaded or tuned.
    ConfigError
        If options do not go together.
    DatasetError
        Naming the samples that are too long, or cannot be shown.
    """
    from kdsl_cli.training.lora.adapters.adapting import adapt
    from kdsl_cli.training.lora.answers.model import TunedModel
    from kdsl_cli.training.lora.steps.journal import Journal
    from kdsl_cli.training.lora.steps.loop import Loop
    from kdsl_cli.training.lora.steps.tuning import Work

    options, lora = settings.train, lora_settings(settings.train)
    how = backend_options(settings, lora, world.device)
    loaded = _loaded(options, data, how)
    collator = _collator(loaded, lora, data)
    checked = fitting(_with_reasons(data), collator, options.on_long)
    learnt = {sample.task for sample in checked.kept}
    intents = {task.name: task.names for task in data.catalogue.tasks if task.name in learnt}
    adapted = adapt(loaded, lora, {task: len(names) for task, names in intents.items()}, options.seed)
    backend = _backend(options.large, loaded, adapted, how, intents)
    begun = {"adapter_init": adapted.initial_hash, "settings": lora.resolved()}
    record = record_of(options, data, backend.identity, intents).model_copy(update=begun)
    objective = _objective(adapted, collator, loaded, lora, data, intents)
    val = tuple(sample for sample in data.val if sample.task in learnt)
    return Setup(
        Loop(adapted, objective, lora, options.seed, Journal(journal), world, stop=stop),
        TunedModel(record, backend, data.view.pictures.__getitem__),
        Work(checked.kept, checked.lengths, val, options.folds, journal.parent),
        record,
        backend.identity,
        checked,
    )


def _loaded(options: TrainSettings, data: TuningData, how: BackendOptions) -> Loaded:
    from kdsl_cli.backends.local.loading import load
    from kdsl_cli.backends.spec import LocalSpec, parse_spec

    spec = parse_spec(options.large, current_workspace().root)
    if not isinstance(spec, LocalSpec) or spec.adapter:
        what = "a model is tuned from its own weights, without an adapter in them"
        fix = "To take in an adapter that was tuned elsewhere, add --adopt"
        raise ConfigError(what, where="train.large", allowed="local:PATH_OR_ID[@REVISION]", fix=fix)
    if options.method == "head" and data.reasons:
        raise ConfigError("a head gives no reasons", where="train.reasons", fix="Leave it out, or --head")
    with current_output().progress(f"Loading {options.large}"):
        return load(spec, how)


def _collator(loaded: Loaded, lora: LoraSettings, data: TuningData) -> Collator:
    from kdsl_cli.backends.local.rendering import Renderer
    from kdsl_cli.training.lora.samples.collating import Collator

    return Collator(Renderer.of(loaded, lora.max_pixels), data.view, lora.max_length)


def _with_reasons(data: TuningData) -> list[Sample]:
    from kdsl_cli.training.lora.samples.rationales import with_reasons

    return with_reasons(data.train, data.reasons)


def _objective(
    adapted: Adapted,
    collator: Collator,
    loaded: Loaded,
    lora: LoraSettings,
    data: TuningData,
    intents: Mapping[str, tuple[str, ...]],
) -> Objective:
    from kdsl_cli.backends.local.rendering import Renderer
    from kdsl_cli.training.lora.steps.objectives import Answers, Places

    if adapted.head is None:
        return Answers(adapted.model, collator)
    return Places(adapted.model, Renderer.of(loaded, lora.max_pixels), data.view, intents)


def _backend(
    spec: str,
    loaded: Loaded,
    adapted: Adapted,
    how: BackendOptions,
    intents: Mapping[str, tuple[str, ...]],
) -> Backend:
    """Return the model in training as it is asked: a head by its classifiers, the others by their words."""
    from kdsl_cli.backends.local.local import LocalBackend
    from kdsl_cli.training.lora.answers.head_backend import HeadBackend

    if adapted.head is None:
        return LocalBackend(spec, loaded, how)
    return HeadBackend(spec, loaded, adapted.head, intents, how)
