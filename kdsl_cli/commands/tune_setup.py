"""What a tuning needs before its first step: settings resolved, the model loaded, samples measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.preflight import fitting
from kdsl_cli.commands.preflight import record as measured
from kdsl_cli.commands.workspace import current_workspace
from kdsl_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kdsl_cli.backends.backend import Backend
    from kdsl_cli.backends.local.loading import Loaded
    from kdsl_cli.backends.spec import BackendOptions
    from kdsl_cli.commands.settings import Settings
    from kdsl_cli.commands.train_settings import TrainSettings
    from kdsl_cli.commands.tuning_data import TuningData
    from kdsl_cli.runs.signals import Stop
    from kdsl_cli.training.lora.adapting import Adapted
    from kdsl_cli.training.lora.collating import Collator
    from kdsl_cli.training.lora.lengths import Checked
    from kdsl_cli.training.lora.loop import Loop
    from kdsl_cli.training.lora.memory import Estimate
    from kdsl_cli.training.lora.model import TunedModel
    from kdsl_cli.training.lora.objectives import Objective
    from kdsl_cli.training.lora.processes import World
    from kdsl_cli.training.lora.record import TunedRecord
    from kdsl_cli.training.lora.samples import Sample
    from kdsl_cli.training.lora.settings import LoraSettings
    from kdsl_cli.training.lora.tuning import Work


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything a tuning needs.

    Attributes
    ----------
    loop
        Takes the steps; nobody is told of them yet.
    model
        The model in training, as it is asked.
    work
        What is learnt and scored.
    record
        What the model will be known by, but for what only training tells.
    identity
        Of the model below.
    checked
        How long samples are, and which were left out.
    """

    loop: Loop
    model: TunedModel
    work: Work
    record: TunedRecord
    identity: Mapping[str, str]
    checked: Checked

    @property
    def estimate(self) -> Estimate:
        """The memory that it will take on a device."""
        from kdsl_cli.training.lora.memory import estimate, weights_of

        adapted, settings = self.loop.adapted, self.loop.settings
        return estimate(
            adapted.model.config.get_text_config(),
            settings,
            size=adapted.model.dtype.itemsize,
            weights=weights_of(adapted.model),
            learnt=sum(weight.numel() for weight in adapted.learnt.values()),
            rows=settings.micro_batch,
            tokens=max(length.total for length in self.checked.lengths),
        )

    def announce(self, preset: str) -> None:
        """Tell settings, memory, and what the folds cost."""
        from kdsl_cli.training.lora.memory import left_gib, lower

        output, settings = current_output(), self.loop.settings
        output.note(f"preset {preset}: {settings}")
        estimate, left = self.estimate, left_gib(self.loop.adapted.model.device)
        output.note(f"memory: {estimate}; {left:.1f} GiB are left beside the weights")
        if estimate.beside_weights > left:
            ways = "; ".join(lower(settings))
            output.warn(f"this will probably not fit into memory; if it does not, lower {ways}")
        if self.work.folds:
            output.note(
                f"{self.work.folds} folds are tuned first, for scores out of fold: about "
                f"{self.work.folds - 1} x the time of the model that is kept; --folds 0 leaves them out"
            )

    def warnings(self) -> list[str]:
        """Return what whoever reads the scores should know."""
        texts = []
        if not self.work.folds:
            of = "that of the validation split" if self.work.val else "1"
            texts.append(f"without folds there are no scores out of fold, and the temperature is {of}")
        if not self.work.val:
            texts.append("there is no labelled validation split: training does not end early")
        return texts

    def told(self) -> dict[str, Any]:
        """Return what the manifest should know of it."""
        from dataclasses import asdict

        from kdsl_cli.training.lora.memory import peak_gib

        return {
            **measured(self.checked),
            "model": dict(self.identity),
            "adapter_init": self.loop.adapted.initial_hash,
            "estimated_gib": asdict(self.estimate),
            "peak_gib": peak_gib(self.loop.adapted.model.device.type),
            "processes": self.loop.world.size,
        }


def lora_settings(options: TrainSettings) -> LoraSettings:
    """Return how a model is tuned: the preset, overruled by what was given."""
    from kdsl_cli.training.lora.augmenting import Augmentation
    from kdsl_cli.training.lora.presets import resolve

    augmentation = Augmentation(**dict.fromkeys(options.augment, True))
    return resolve(options.preset, {**options.tuning(), "augmentation": augmentation})


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
    from kdsl_cli.training.lora.adapting import adapt
    from kdsl_cli.training.lora.journal import Journal
    from kdsl_cli.training.lora.loop import Loop
    from kdsl_cli.training.lora.model import TunedModel
    from kdsl_cli.training.lora.tuning import Work

    options, lora = settings.train, lora_settings(settings.train)
    how = _how(settings, lora, world)
    loaded = _loaded(options, data, how)
    collator = _collator(loaded, lora, data)
    checked = fitting(_with_reasons(data), collator, options.on_long)
    learnt = {sample.task for sample in checked.kept}
    intents = {task.name: task.names for task in data.catalogue.tasks if task.name in learnt}
    adapted = adapt(loaded, lora, {task: len(names) for task, names in intents.items()}, options.seed)
    backend = _backend(options.large, loaded, adapted, how, intents)
    record = _record(options, lora, data, backend.identity, adapted, intents)
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


def _how(settings: Settings, lora: LoraSettings, world: World) -> BackendOptions:
    from kdsl_cli.backends.spec import BackendOptions

    return BackendOptions(
        quant=lora.quant,
        max_pixels=lora.max_pixels,
        batch_size=settings.large.batch,
        device=world.device,
    )


def _loaded(options: TrainSettings, data: TuningData, how: BackendOptions) -> Loaded:
    from kdsl_cli.backends.local.loading import load
    from kdsl_cli.backends.spec import LocalSpec, parse_spec

    spec = parse_spec(options.large, current_workspace().root)
    if not isinstance(spec, LocalSpec) or spec.adapter:
        what = "a model is tuned from its own weights, without an adapter in them"
        raise ConfigError(what, where="train.large", allowed="local:PATH_OR_ID[@REVISION]")
    if options.method == "head" and data.reasons:
        raise ConfigError("a head gives no reasons", where="train.reasons", fix="Leave it out, or --head")
    with current_output().progress(f"Loading {options.large}"):
        return load(spec, how)


def _collator(loaded: Loaded, lora: LoraSettings, data: TuningData) -> Collator:
    from kdsl_cli.backends.local.rendering import Renderer
    from kdsl_cli.training.lora.collating import Collator

    return Collator(Renderer.of(loaded, lora.max_pixels), data.view, lora.max_length)


def _with_reasons(data: TuningData) -> list[Sample]:
    from kdsl_cli.training.lora.rationales import with_reasons

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
    from kdsl_cli.training.lora.objectives import Answers, Places

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
    from kdsl_cli.training.lora.head_backend import HeadBackend

    if adapted.head is None:
        return LocalBackend(spec, loaded, how)
    return HeadBackend(spec, loaded, adapted.head, intents, how.max_pixels)


def _record(
    options: TrainSettings,
    lora: LoraSettings,
    data: TuningData,
    identity: Mapping[str, str],
    adapted: Adapted,
    intents: Mapping[str, tuple[str, ...]],
) -> TunedRecord:
    from kdsl_cli.dialogues.prompting import INTENT_VERSION
    from kdsl_cli.logic.codec import dump_rules
    from kdsl_cli.training.lora.record import TunedRecord, TunedTask
    from kdsl_cli.training.lora.samples import choices_of

    return TunedRecord(
        kind=lora.method,
        base=options.large,
        revision=identity["revision"],
        quant=lora.quant,
        max_pixels=lora.max_pixels,
        processor=identity["processor"],
        prompts=INTENT_VERSION,
        described=options.described,
        tasks=tuple(
            TunedTask(
                name=task,
                choices=choices_of(data.catalogue.task(task)),
                rules=dump_rules(data.rules[task]) if task in data.rules else "",
            )
            for task in intents
        ),
        adapter="",
        adapter_init=adapted.initial_hash,
        settings=lora.resolved(),
    )
