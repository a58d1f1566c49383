"""The options of ``kdsl train-large``: which model learns, and how a large one is tuned."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StrictStr, model_validator

from kdsl_cli.commands.workspace.section import (
    Fraction,
    Minutes,
    Positive,
    Quantisation,
    Section,
    Seed,
    Weight,
)

Preset = Literal["12g", "24g", "48g", "80g"]
Method = Literal["lora", "head", "prompt", "full"]
Augment = Literal["choices", "turns", "crop", "colour", "jpeg"]
Rate = Annotated[float, Field(strict=True, gt=0)]
Parts = Annotated[int, Field(strict=True, ge=0)]

_ELSEWHERE: Final = (
    "large",
    "adopt",
    "seed",
    "preset",
    "augment",
    "described",
    "rules",
    "reasons",
    "on_long",
    "folds",
)


class TrainSettings(Section):
    """The large model; all but large and seed are of one that is tuned (``local:``)."""

    large: StrictStr = Field("linear", description="Who classifies: linear, or local:PATH_OR_ID[@REVISION]")
    adopt: bool = Field(False, description="local:BASE+ADAPTER is taken in as it was tuned elsewhere")
    seed: Seed = Field(0, description="Same seed and data, same model")
    preset: Preset = Field(
        "24g", description="Memory of the device: 12g, 24g, 48g or 80g; it sets what stands as null below"
    )
    method: Method = Field("lora", description="What is learnt: lora, head, prompt, or full (small models)")
    quant: Quantisation | None = Field(None, description="How weights are kept: nf4, int8 or none")
    max_pixels: Positive | None = Field(None, description="Pixels of a picture, at most; in prediction too")
    max_length: Positive | None = Field(None, description="Tokens of a sample, at most; none is ever cut")
    micro_batch: Positive | None = Field(None, description="Samples on a device at once: memory and speed")
    checkpointing: bool | None = Field(
        None, description="Activations are computed twice in place of being kept: less memory, more time"
    )
    learning_rate: Rate | None = Field(None, description="At its highest; null: as suits the method")
    on_long: Literal["error", "drop"] = Field(
        "error", description="Samples that are too long or cannot be shown: error, or drop, told by name"
    )
    epochs: Positive = Field(5, description="Passes over the samples, at most")
    batch: Positive = Field(16, description="Samples a step, over all devices together")
    rank: Positive = Field(16, description="Of the additions to each layer")
    alpha: Positive = Field(32, description="Additions are scaled by alpha / rank")
    dropout: Fraction = Field(0.05, description="Share of a layer's input that an addition does not see")
    targets: Literal["language", "all"] = Field(
        "language", description="Layers with additions; all: of the vision tower too, which servers ignore"
    )
    soft_tokens: Positive = Field(20, description="Vectors that the method prompt learns")
    warmup: Fraction = Field(0.05, description="Share of the steps in which the learning rate rises")
    weight_decay: Weight = Field(0.0, description="Of AdamW")
    clip: Rate = Field(1.0, description="Norm of a gradient, at most")
    optimiser: Literal["auto", "paged", "adamw"] = Field(
        "auto", description="AdamW; paged: its state gives way to the host's memory; auto: where it can"
    )
    balanced: bool = Field(True, description="Intents with few samples are learnt as often as others")
    described: bool = Field(True, description="Prompts give the intents' descriptions")
    rules: bool = Field(
        False, description="Prompts tell which rules fire, none of them learnt from the sample"
    )
    reasons: StrictStr | None = Field(None, description="File of reasons that are learnt too; null: none")
    augment: tuple[Augment, ...] = Field(
        (), description="What changes from time to time: choices, turns, crop, colour, jpeg"
    )
    folds: Parts = Field(3, description="Parts for scores out of fold, a tuning each; 0: there are none")
    evaluations: Positive = Field(1, description="How often an epoch the validation split is scored")
    patience: Positive | None = Field(
        2, description="Evaluations without a better weighted F1 before it ends early; null: it never does"
    )
    checkpoint_steps: Positive = Field(50, description="Steps between checkpoints, at most")
    checkpoint_minutes: Minutes = Field(10.0, description="Minutes between checkpoints, at most")

    @model_validator(mode="after")
    def _parted(self) -> Self:
        if self.folds == 1:
            raise ValueError("folds must be 0, or 2 or more: one part leaves nothing to learn from")
        return self

    def tuning(self) -> dict[str, Any]:
        """Return the options of `training.lora.settings.LoraSettings` that the preset does not settle."""
        given = {name: value for name, value in self if name not in _ELSEWHERE}
        preset = {name for name, field in type(self).model_fields.items() if field.default is None}
        return {name: value for name, value in given.items() if value is not None or name not in preset}
