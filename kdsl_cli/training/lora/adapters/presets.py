"""Presets: what fits into how much memory at the shape of Qwen2-VL-7B, by name.

A preset says how the work is laid onto a device, and how large pictures are; what is learnt from the samples
(rank, epochs, samples a step) is the same in all of them. `benchmarks/lora_speed.py` measures what they take.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from kdsl_cli.training.lora.adapters.settings import LoraSettings, Method

Preset = Literal["12g", "24g", "48g", "80g"]

PRESETS: Final[Mapping[str, Mapping[str, Any]]] = {
    "12g": {
        "quant": "nf4",
        "max_pixels": 200_704,
        "max_length": 1024,
        "micro_batch": 1,
        "checkpointing": True,
    },
    "24g": {
        "quant": "nf4",
        "max_pixels": 401_408,
        "max_length": 2048,
        "micro_batch": 4,
        "checkpointing": True,
    },
    "48g": {
        "quant": "none",
        "max_pixels": 401_408,
        "max_length": 2048,
        "micro_batch": 8,
        "checkpointing": True,
    },
    "80g": {
        "quant": "none",
        "max_pixels": 802_816,
        "max_length": 4096,
        "micro_batch": 8,
        "checkpointing": True,
    },
}
"""By the memory of one device, in gigabytes; by estimate a batch of the longest samples takes three quarters
of it at most. Larger ones keep the weights in bfloat16, and 80g shows pictures at twice the pixels."""

LEARNING_RATES: Final[Mapping[Method, float]] = {"lora": 1e-4, "head": 1e-4, "prompt": 1e-2, "full": 1e-5}
"""The highest learning rate where none is given."""


def resolve(preset: Preset, given: Mapping[str, Any]) -> LoraSettings:
    """Return the settings of a preset, overruled by what a person gave.

    Parameters
    ----------
    preset
        Its name.
    given
        By the names of `LoraSettings`.

    Examples
    --------
    >>> settings = resolve("12g", {"rank": 8})
    >>> settings.quant, settings.micro_batch, settings.rank
    ('nf4', 1, 8)
    >>> resolve("12g", {"method": "full"}).quant
    'none'
    """
    method = given.get("method", "lora")
    by_method: dict[str, Any] = {"learning_rate": LEARNING_RATES[method]}
    if method == "full":
        by_method["quant"] = "none"  # quantised weights cannot be learnt
    return LoraSettings(**{**PRESETS[preset], **by_method, **given})
