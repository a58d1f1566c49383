"""How a model is tuned: plain values, each of them settled before anything is loaded."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from kdsl_cli.training.lora.samples.augmenting import Augmentation

Method = Literal["lora", "prompt", "head", "full"]
Targets = Literal["language", "all"]
Optimiser = Literal["auto", "paged", "adamw"]


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """Settings of one tuning. `presets.resolve` makes them of a preset and of what a person gave.

    Attributes
    ----------
    method
        ``lora``: low-rank additions to the weights, after Hu et al. (2022), which is QLoRA (Dettmers et al.
        2023) where the weights are kept in NF4. ``head``: the same with a linear classifier on the last
        token in place of an answer. ``prompt``: learnt vectors in front of the prompt (Lester et al. 2021),
        a baseline. ``full``: all weights of the language model, for checkpoints that are small.
    quant
        How the weights that are not learnt are kept: nf4 (with double quantisation), int8 or none.
    max_pixels
        Pixels of a picture that the model is shown, at most; in prediction the same.
    max_length
        Tokens of a sample, prompt and answer, at most. Nothing is cut: see `lengths`.
    micro_batch
        Samples on a device at once. It changes memory and speed, not the result (but for float noise).
    checkpointing
        Whether activations are computed twice in place of being kept.
    rank, alpha, dropout
        Of LoRA; additions are scaled by ``alpha / rank``.
    targets
        Linear layers that get additions: those of the language model, or those of the vision tower too.
    soft_tokens
        Vectors that ``prompt`` learns.
    epochs, batch
        Passes over the samples; samples a step, over all devices together.
    learning_rate, warmup
        The highest rate, and the share of all steps in which it rises to it; afterwards it falls as a
        cosine, to nothing.
    weight_decay, clip
        AdamW's, and the largest norm of a gradient.
    optimiser
        ``paged``: bitsandbytes' AdamW, whose state gives way to the host's memory; ``auto``: paged where the
        device has it.
    balanced
        Whether intents with few samples are drawn as often as others.
    augmentation
        What of the samples is changed from time to time.
    evaluations
        How often an epoch the validation split is scored.
    patience
        Evaluations without a better weighted F1 before training ends early. None: it never does.
    checkpoint_steps, checkpoint_minutes
        How often training is saved to go on from.
    """

    method: Method = "lora"
    quant: Literal["nf4", "int8", "none"] = "nf4"
    max_pixels: int = 401_408
    max_length: int = 2048
    micro_batch: int = 2
    checkpointing: bool = True
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    targets: Targets = "language"
    soft_tokens: int = 20
    epochs: int = 5
    batch: int = 16
    learning_rate: float = 1e-4
    warmup: float = 0.05
    weight_decay: float = 0.0
    clip: float = 1.0
    optimiser: Optimiser = "auto"
    balanced: bool = True
    augmentation: Augmentation = field(default_factory=Augmentation)
    evaluations: int = 1
    patience: int | None = 2
    checkpoint_steps: int = 50
    checkpoint_minutes: float = 10.0

    def __str__(self) -> str:
        changed = [name for name, on in asdict(self.augmentation).items() if on]
        told = self.resolved() | {"augmentation": " and ".join(changed) or "none"}
        return ", ".join(f"{name} {value}" for name, value in told.items())

    def resolved(self) -> dict[str, Any]:
        """Return all of them as plain JSON values, for `model.json` and the manifest."""
        return asdict(self)
