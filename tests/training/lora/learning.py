"""A model that learns a few dialogues: the parts of a tuning, put together for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kdsl_cli.backends.local.loading import Loaded, load
from kdsl_cli.backends.local.local import LocalBackend
from kdsl_cli.backends.local.rendering import Renderer
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from kdsl_cli.dialogues.prompting import INTENT_VERSION
from kdsl_cli.dialogues.schema import Turn
from kdsl_cli.training.lora.adapters.adapting import Adapted, adapt
from kdsl_cli.training.lora.adapters.settings import LoraSettings
from kdsl_cli.training.lora.answers.head_backend import HeadBackend
from kdsl_cli.training.lora.answers.model import TunedModel
from kdsl_cli.training.lora.answers.record import TunedRecord, TunedTask
from kdsl_cli.training.lora.samples.collating import Collator
from kdsl_cli.training.lora.samples.samples import Sample, choices_of, sample_of
from kdsl_cli.training.lora.steps.journal import Journal
from kdsl_cli.training.lora.steps.loop import Loop
from kdsl_cli.training.lora.steps.objectives import Answers, Objective, Places
from kdsl_cli.training.lora.steps.trainings import Told, Training
from tests.training.lora.dialogues import TASK, blind_view, said

PIXELS = 12_544
INTENTS = {TASK.name: TASK.names}
VIEW = blind_view(described=False)

WORDS = {"refund": "退款 money back", "parcel": "where is the parcel", "退货": "退货 send it back"}


def samples(each: int = 4) -> list[Sample]:
    """Return dialogues of three intents, each of which says what it wants."""
    return [
        sample_of(said(f"{intent}-{n}", intent, Turn("customer", f"{n} {text} {n}")), TASK)
        for n in range(each)
        for intent, text in WORDS.items()
    ]


def settings(**changes: Any) -> LoraSettings:
    """Return settings under which the tiny model learns fast, without anything that is drawn."""
    usual: dict[str, Any] = {
        "quant": "none", "max_pixels": PIXELS, "micro_batch": 4, "checkpointing": False, "rank": 4,
        "alpha": 8, "dropout": 0.0, "epochs": 2, "batch": 4, "learning_rate": 3e-3, "balanced": False,
        "patience": None, "soft_tokens": 4,
    }  # fmt: skip
    return LoraSettings(**{**usual, **changes})


def opened(checkpoint: Path, quant: str = "none") -> Loaded:
    """Load the model once more: whoever adapts it changes it."""
    options = BackendOptions(quant=quant, max_pixels=PIXELS, device="cpu")  # type: ignore[arg-type]
    return load(LocalSpec(str(checkpoint)), options)


class Bench:
    """A model in training with all its parts."""

    def __init__(self, checkpoint: Path, folder: Path, own: LoraSettings, seed: int = 0) -> None:
        self.loaded = opened(checkpoint, own.quant)
        self.settings = own
        self.seed = seed
        self.folder = folder
        self.adapted: Adapted = adapt(self.loaded, own, {TASK.name: len(TASK.names)}, seed)
        self.renderer = Renderer.of(self.loaded, PIXELS)
        self.collator = Collator(self.renderer, VIEW, 2048)

    @property
    def objective(self) -> Objective:
        if self.adapted.head is not None:
            return Places(self.adapted.model, self.renderer, VIEW, INTENTS)
        return Answers(self.adapted.model, self.collator)

    @property
    def model(self) -> TunedModel:
        how = BackendOptions(quant=self.settings.quant, max_pixels=PIXELS, batch_size=4)
        head = self.adapted.head
        backend = (
            LocalBackend("tiny", self.loaded, how)
            if head is None
            else HeadBackend("tiny", self.loaded, head, INTENTS, how)
        )
        task = TunedTask(name=TASK.name, choices=choices_of(TASK))
        record = TunedRecord(
            kind="lora", base="local:tiny", revision="", quant=self.settings.quant, max_pixels=PIXELS,
            processor="", prompts=INTENT_VERSION, described=False, tasks=(task,), adapter="",
        )  # fmt: skip
        return TunedModel(record, backend, VIEW.pictures.__getitem__)

    def loop(self, tell: Callable[[Told], None] = lambda told: None, **more: Any) -> Loop:
        journal = Journal(self.folder / "metrics.jsonl")
        return Loop(self.adapted, self.objective, self.settings, self.seed, journal, tell=tell, **more)

    def training(self, own: list[Sample], name: str = "all") -> Training:
        lengths = [self.collator.encode(sample).n_tokens for sample in own]
        return Training(name, own, lengths, self.folder / f"{name}.pt")
