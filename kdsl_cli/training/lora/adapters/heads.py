"""A linear classifier on the last token of a prompt, one a task: for comparison with answers in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from kdsl_cli import extras
from kdsl_cli.backends.local.scoring import positions

FILE: Final = "head.safetensors"


@dataclass(frozen=True, slots=True)
class Head:
    """The classifiers of all tasks.

    Attributes
    ----------
    weights
        Parameters in float32: ``TASK.weight`` of shape (n_intents, width) and ``TASK.bias`` of (n_intents,).
    """

    weights: dict[str, Any]

    @classmethod
    def fresh(cls, sizes: Mapping[str, int], width: int, device: Any) -> Self:
        """Return classifiers to which all intents of a task are equally likely.

        Parameters
        ----------
        sizes
            Intents of each task.
        width
            Of the model's last layer.
        device
            Where the model is.
        """
        import torch

        shapes: dict[str, tuple[int, ...]] = {}
        for task, size in sizes.items():
            shapes |= {f"{task}.weight": (size, width), f"{task}.bias": (size,)}
        return cls(
            {name: torch.nn.Parameter(torch.zeros(shape, device=device)) for name, shape in shapes.items()}
        )

    @classmethod
    def load(cls, folder: Path, device: Any) -> Self:
        """Read what `save` wrote."""
        safetensors: Any = extras.require("safetensors.torch", extra="local", feature="a head")
        return cls(safetensors.load_file(folder / FILE, device=str(device)))

    def save(self, folder: Path) -> None:
        """Write the classifiers into `folder`."""
        safetensors: Any = extras.require("safetensors.torch", extra="local", feature="a head")
        safetensors.save_file(
            {name: weight.detach().cpu() for name, weight in self.weights.items()}, folder / FILE
        )

    def logits(self, states: Any, task: str) -> Any:
        """Return how likely each intent of a task is, up to a constant: shape (rows, n_intents), float32.

        Parameters
        ----------
        states
            Of the last tokens, shape (rows, width).
        task
            Whose intents.
        """
        import torch

        with torch.autocast(states.device.type, enabled=False):
            weight, bias = self.weights[f"{task}.weight"], self.weights[f"{task}.bias"]
            return torch.nn.functional.linear(states.float(), weight, bias)


def pooled(model: Any, batch: Mapping[str, Any]) -> Any:
    """Return the last layer's state of each row's last token: shape (rows, width)."""
    return model.model(**batch, use_cache=False).last_hidden_state[:, -1]


def placed(model: Any, batch: dict[str, Any]) -> None:
    """Tell a batch its positions, as scoring does: left to itself the model would count the padding."""
    where = positions(model, batch)
    if where is not None:
        batch["position_ids"] = where
