"""Memory: what a tuning will take, what there is, what it took, and what to lower when it was too much."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from kdsl_cli.errors import BackendError
from kdsl_cli.training.lora.adapters.settings import LoraSettings

GIB: Final = 2**30

LIBRARIES: Final = 0.7
"""GiB that a device's libraries take before the first tensor."""

_ANSWER: Final = 16  # tokens of an answer, at most, by whose places the vocabulary is scored


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a tuning will take on one device, in GiB.

    Attributes
    ----------
    weights
        Of the model as it is kept.
    learnt
        What is learnt, its gradients and the optimiser's state.
    kept
        Activations that wait for the gradients.
    at_work
        The largest of what comes and goes: a layer computed anew, the scores of the vocabulary.
    """

    weights: float
    learnt: float
    kept: float
    at_work: float

    @property
    def beside_weights(self) -> float:
        """What has to be there once the weights are."""
        return self.learnt + self.kept + self.at_work

    @property
    def total(self) -> float:
        """All of it, with what the libraries take."""
        return LIBRARIES + self.weights + self.beside_weights

    def __str__(self) -> str:
        return (
            f"about {self.total:.1f} GiB (weights {self.weights:.1f}, learnt {self.learnt:.1f}, kept for "
            f"gradients {self.kept:.1f}, at work {self.at_work:.1f})"
        )


def estimate(
    config: Any, settings: LoraSettings, *, size: int, weights: int, learnt: int, rows: int, tokens: int
) -> Estimate:
    """Estimate what a tuning takes; it is no bound, and what fragments is not in it.

    The vision tower stands still and keeps nothing; where it learns too, what it keeps is not counted.

    Parameters
    ----------
    config
        Of the language model.
    settings
        How it is tuned.
    size
        Bytes of a number in activations: 2 in bfloat16, 4 in float32.
    weights
        Bytes of the model as it is kept.
    learnt
        Numbers that are learnt: each in float32, with a gradient and two of AdamW's.
    rows, tokens
        Of the largest batch, and of its longest row.
    """
    width, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    positions = rows * tokens
    layer = positions * _kept_by_a_layer(width, inner, settings) * size
    # The scores of an answer's tokens: as computed, in float32, and their gradient. Quantised weights are
    # spelt out one layer at a time, there and back.
    scores = rows * _ANSWER * config.vocab_size * (size + 8)
    spelt = 2 * width * inner * size if settings.quant != "none" else 0
    if settings.checkpointing:
        kept, at_work = layers * positions * width * size, layer + scores + spelt
    else:
        kept, at_work = layers * layer, scores + spelt
    return Estimate(weights / GIB, learnt * 16 / GIB, kept / GIB, at_work / GIB)


def _kept_by_a_layer(width: int, inner: int, settings: LoraSettings) -> int:
    """Return how many numbers a layer of the form of Qwen2 keeps for each token until its gradient comes.

    As hooks on saved tensors count: inputs of norms and linear layers, queries, keys and values, both sides
    of the gate; with dropout each addition keeps an input of its own, and what it dropped.
    """
    dropped = settings.dropout > 0
    return (9 + 10 * dropped) * width + (4 + dropped) * inner + 8 * settings.rank


def weights_of(model: Any) -> int:
    """Return the bytes of the weights that are not learnt, as they are kept."""
    still = (weight for weight in model.parameters() if not weight.requires_grad)
    return sum(weight.numel() * weight.element_size() for weight in still)


def left_gib(device: Any) -> float:
    """Return how much memory is left: on a GPU what is free, on a CPU what this process does not have."""
    import torch

    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0] / GIB)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB - peak_gib("cpu")


def peak_gib(device: str) -> float:
    """Return the most memory there was at once: torch's on a GPU, the process's on a CPU."""
    import torch

    if device == "cuda":
        return float(torch.cuda.max_memory_reserved() / GIB)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / GIB


@contextmanager
def explained(settings: LoraSettings) -> Iterator[None]:
    """Let a lack of memory in the block end as an error that says what to lower.

    Raises
    ------
    BackendError
        In its place.
    """
    from kdsl_cli.backends.local.batching import out_of_memory

    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        told = str(error).partition("\n")[0][:160]
    else:
        return
    raise BackendError(f"tuning does not fit into memory: {told}", fix=f"Lower {'; '.join(lower(settings))}")


def lower(settings: LoraSettings) -> list[str]:
    """Return what can still be lowered, what costs nothing but time first.

    Examples
    --------
    >>> lower(LoraSettings(micro_batch=4, checkpointing=False, quant="none", max_pixels=100_352))
    ['--micro-batch (4)', 'memory kept for gradients: --checkpointing', 'the weights: --quant nf4']
    """
    ways = []
    if settings.micro_batch > 1:
        ways.append(f"--micro-batch ({settings.micro_batch})")
    if not settings.checkpointing:
        ways.append("memory kept for gradients: --checkpointing")
    if settings.quant != "nf4" and settings.method != "full":
        ways.append("the weights: --quant nf4")
    if settings.max_pixels > 100_352:
        ways.append(f"--max-pixels ({settings.max_pixels}), which changes what the model sees")
    return ways or ["the model: a smaller one"]
