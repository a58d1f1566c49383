"""What is learnt of a batch: the answer's tokens, or the intent's place in a head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kdsl_cli.backends.local.rendering import IGNORED, Renderer, batched
from kdsl_cli.training.lora.adapters.adapting import Adapted
from kdsl_cli.training.lora.adapters.heads import placed, pooled
from kdsl_cli.training.lora.samples.collating import Collator
from kdsl_cli.training.lora.samples.samples import Sample, View


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples as the model takes them, still in the host's memory.

    Attributes
    ----------
    inputs
        Arguments of the model.
    labels
        Of tokens, `IGNORED` where nothing is learnt, or places of intents.
    tasks
        One a row.
    n_learnt
        Labels that are learnt: the loss of a step is the mean over all of theirs.
    n_tokens
        Tokens of the rows, padding not among them.
    """

    inputs: Mapping[str, Any]
    labels: Any
    tasks: tuple[str, ...]
    n_learnt: int
    n_tokens: int


class Objective(Protocol):
    """How samples become a batch, and a batch a loss."""

    def batch(self, samples: Sequence[Sample]) -> Batch:
        """Return samples as the model takes them; called beside the steps, in another thread.

        Raises
        ------
        KdslError
            If a sample cannot be shown.
        """
        ...

    def loss(self, adapted: Adapted, batch: Batch) -> Any:
        """Return the negative log-likelihood (nats) of all labels learnt, summed, to go back from."""
        ...


class Answers:
    """The likelihood of the right answer, its end included.

    Parameters
    ----------
    model
        Which tells the positions of tokens.
    collator
        Makes batches.
    """

    def __init__(self, model: Any, collator: Collator) -> None:
        self._model = model
        self._collator = collator

    def batch(self, samples: Sequence[Sample]) -> Batch:
        """See `Objective`."""
        inputs = self._collator(samples)
        labels = inputs.pop("labels")
        placed(self._model, inputs)
        return Batch(
            inputs,
            labels,
            tuple(sample.task for sample in samples),
            int((labels != IGNORED).sum()),
            int(inputs["attention_mask"].sum()),
        )

    def loss(self, adapted: Adapted, batch: Batch) -> Any:
        """See `Objective`; the vocabulary is scored at the answers' tokens alone, not along the prompts."""
        import torch

        learnt = (batch.labels != IGNORED).any(dim=0)
        behind = batch.labels.shape[1] - int(learnt.int().argmax())
        device = adapted.model.device
        inputs = moved(batch.inputs, device)
        logits = adapted.model(**inputs, use_cache=False, logits_to_keep=behind + 1).logits
        return torch.nn.functional.cross_entropy(
            logits[:, :-1].float().flatten(0, 1),
            batch.labels[:, -behind:].flatten().to(device),
            ignore_index=IGNORED,
            reduction="sum",
        )


class Places:
    """The likelihood that a head gives to the right intent.

    Parameters
    ----------
    model
        Which tells the positions of tokens.
    renderer
        Of the model.
    view
        How samples are shown.
    intents
        Names of each task's intents, in the head's order: in prompts they may stand in another one.
    """

    def __init__(
        self, model: Any, renderer: Renderer, view: View, intents: Mapping[str, Sequence[str]]
    ) -> None:
        self._model = model
        self._renderer = renderer
        self._view = view
        self._intents = intents

    def batch(self, samples: Sequence[Sample]) -> Batch:
        """See `Objective`."""
        import torch

        rows = [self._renderer.row(sample.prompt(self._view), sample.retouch) for sample in samples]
        inputs = batched(rows, self._renderer.pad, "cpu")
        tokens = int(inputs["attention_mask"].sum())
        placed(self._model, inputs)
        labels = torch.tensor([self._intents[one.task].index(one.right.name) for one in samples])
        return Batch(inputs, labels, tuple(sample.task for sample in samples), len(rows), tokens)

    def loss(self, adapted: Adapted, batch: Batch) -> Any:
        """See `Objective`."""
        import torch

        assert adapted.head is not None
        device = adapted.model.device
        states = pooled(adapted.model, moved(batch.inputs, device))
        losses = []
        for task in dict.fromkeys(batch.tasks):
            rows = [row for row, own in enumerate(batch.tasks) if own == task]
            logits = adapted.head.logits(states[rows], task)
            right = batch.labels[rows].to(device)
            losses.append(torch.nn.functional.cross_entropy(logits, right, reduction="sum"))
        return torch.stack(losses).sum()


def moved(inputs: Mapping[str, Any], device: Any) -> dict[str, Any]:
    """Return the inputs on a device."""
    return {name: tensor.to(device, non_blocking=True) for name, tensor in inputs.items()}
