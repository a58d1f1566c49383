"""AdamW, and how fast it learns at each step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from kdsl_cli import extras
from kdsl_cli.training.lora.adapters.settings import LoraSettings


def optimiser(weights: Iterable[Any], settings: LoraSettings, device: str) -> Any:
    """Return what takes the steps; its state is made at the first one.

    Parameters
    ----------
    weights
        What is learnt.
    settings
        Which optimiser.
    device
        Its type ("cuda", "cpu").

    Raises
    ------
    MissingExtra
        If it is bitsandbytes' and that is not installed.
    """
    import torch

    chosen = list(weights)
    options: dict[str, Any] = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    if pages(settings, device):
        library: Any = extras.require("bitsandbytes", extra="local", feature="a paged optimiser")
        return library.optim.PagedAdamW32bit(chosen, **options)
    return torch.optim.AdamW(chosen, **options)


def pages(settings: LoraSettings, device: str) -> bool:
    """Say whether the optimiser's state gives way to the host's memory: a GPU's can."""
    wanted = settings.optimiser == "paged" or (
        settings.optimiser == "auto" and extras.installed("bitsandbytes")
    )
    return wanted and device == "cuda"


def rate(step: int, steps: int, settings: LoraSettings) -> float:
    """Return the learning rate of a step, counted from 0: it rises as a line and falls as a cosine.

    Examples
    --------
    >>> settings = LoraSettings(learning_rate=1.0, warmup=0.2)
    >>> [round(rate(step, 10, settings), 3) for step in range(0, 10, 3)]
    [0.5, 0.962, 0.5, 0.038]
    """
    rising = max(1, round(settings.warmup * steps))
    if step < rising:
        return settings.learning_rate * (step + 1) / rising
    fallen = (step - rising) / max(1, steps - rising)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * fallen))
