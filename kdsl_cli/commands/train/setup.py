"""What a tuning needs before its first step: settings resolved, what is told, what the model is known by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.train.preflight import record as measured

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from kdsl_cli.backends.spec import BackendOptions
    from kdsl_cli.commands.train.tuning_data import TuningData
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.commands.workspace.train_settings import TrainSettings
    from kdsl_cli.training.lora.adapters.memory import Estimate
    from kdsl_cli.training.lora.adapters.settings import LoraSettings
    from kdsl_cli.training.lora.answers.model import TunedModel
    from kdsl_cli.training.lora.answers.record import TunedRecord
    from kdsl_cli.training.lora.samples.lengths import Checked
    from kdsl_cli.training.lora.steps.loop import Loop
    from kdsl_cli.training.lora.steps.tuning import Work


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
        from kdsl_cli.training.lora.adapters.memory import estimate, weights_of

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
        from kdsl_cli.training.lora.adapters.memory import left_gib, lower

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

        from kdsl_cli.training.lora.adapters.memory import peak_gib

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
    from kdsl_cli.training.lora.adapters.presets import resolve
    from kdsl_cli.training.lora.samples.augmenting import Augmentation

    augmentation = Augmentation(**dict.fromkeys(options.augment, True))
    return resolve(options.preset, {**options.tuning(), "augmentation": augmentation})


def backend_options(settings: Settings, lora: LoraSettings, device: str | None = None) -> BackendOptions:
    """Return how the model is run while it is tuned, and as it will be asked."""
    from kdsl_cli.backends.spec import BackendOptions

    return BackendOptions(
        quant=lora.quant,
        max_pixels=lora.max_pixels,
        batch_size=settings.large.batch,
        section="train",
        device=device,
    )


def record_of(
    options: TrainSettings, data: TuningData, identity: Mapping[str, str], tasks: Collection[str]
) -> TunedRecord:
    """Return what a tuned model will be known by, but for what only its training tells.

    Parameters
    ----------
    identity
        Of the model below, as it was loaded.
    tasks
        Those that it knows.
    """
    from kdsl_cli.dialogues.prompting import INTENT_VERSION
    from kdsl_cli.logic.codec import dump_rules
    from kdsl_cli.training.lora.answers.record import TunedRecord, TunedTask
    from kdsl_cli.training.lora.samples.samples import choices_of

    lora = lora_settings(options)
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
                name=task.name,
                choices=choices_of(task),
                rules=dump_rules(data.rules[task.name]) if task.name in data.rules else "",
            )
            for task in data.catalogue.tasks
            if task.name in tasks
        ),
        adapter="",
    )
