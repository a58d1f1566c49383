"""Samples become batches in which the answer alone carries loss.

The prompt's tokens are those of prediction: one renderer makes both. Behind them stand the tokens of the
answer and the one that ends it, as closed-set scoring lays them. Nothing is ever cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kdsl_cli.backends.local.rendering import IGNORED, Renderer, Row, batched, followed
from kdsl_cli.errors import DatasetError
from kdsl_cli.training.lora.samples.samples import Sample, View


@dataclass(frozen=True, slots=True)
class Encoded:
    """A sample as the model takes it.

    Attributes
    ----------
    inputs
        Tensors by the names of the model's arguments; those that are a token each have shape (1, n_tokens).
    labels
        (1, n_tokens) int64: the token itself where it is learnt, `IGNORED` elsewhere.
    n_prompt, n_answer, n_image
        Tokens of the prompt, those of pictures among them; of the answer with its end; of pictures.
    """

    inputs: dict[str, Any]
    labels: Any
    n_prompt: int
    n_answer: int
    n_image: int

    @property
    def n_tokens(self) -> int:
        """All of them."""
        return self.n_prompt + self.n_answer


class Collator:
    """Makes batches of samples, on the CPU.

    A batch has no positions: a model that has them in three kinds must be told them by
    `kdsl_cli.backends.local.scoring.positions`, as in prediction, or it would count the padding.

    Parameters
    ----------
    renderer
        Of the model.
    view
        How samples are shown.
    max_length
        Tokens of a sample at most, prompt and answer. See `lengths.check`.
    """

    def __init__(self, renderer: Renderer, view: View, max_length: int) -> None:
        self._renderer = renderer
        self.view = view
        self.max_length = max_length

    def encode(self, sample: Sample) -> Encoded:
        """Return one sample as tensors, however long; its pictures are opened here and not before.

        Raises
        ------
        PictureError
            If one of its pictures cannot be shown.
        ValueError
            If its right intent is not known.
        """
        import torch

        row = self._renderer.row(sample.prompt(self.view), sample.retouch)
        answer = [*self._renderer.tokens(sample.completion), self._renderer.end]
        labels = torch.tensor([[IGNORED] * row.length + answer])
        inputs = followed(row.inputs, answer)
        return Encoded(inputs, labels, row.length, len(answer), row.image_tokens)

    def __call__(self, samples: Sequence[Sample]) -> dict[str, Any]:
        """Return a batch with "labels", padded on the left, so that all answers end at the same place.

        Raises
        ------
        DatasetError
            If one of the samples is longer than `max_length`.
        PictureError
            If a picture cannot be shown.
        """
        rows = []
        for sample in samples:
            encoded = self.encode(sample)
            if encoded.n_tokens > self.max_length:
                raise DatasetError(
                    f"{encoded.n_tokens} tokens, {encoded.n_image} of them for pictures, where "
                    f"{self.max_length} are taken",
                    where=sample.id,
                    fix="Raise the maximal length, lower the pixels of a picture, or drop it: --on-long drop",
                )
            rows.append(Row(encoded.inputs | {"labels": encoded.labels}, encoded.n_tokens, encoded.n_image))
        return batched(rows, self._renderer.pad, "cpu")

    def trained_span(self, sample: Sample) -> str:
        """Return what of a sample carries loss, as text: what is to be seen before any training."""
        labels = self.encode(sample).labels
        return self._renderer.spelt(labels[labels != IGNORED].tolist())
