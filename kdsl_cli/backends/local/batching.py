"""Prompts are answered in batches of like length, and in smaller ones where memory does not suffice."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from kdsl_cli.backends.backend import Failed, Generated, Scored
from kdsl_cli.backends.local.loading import Loaded
from kdsl_cli.backends.local.prefixes import Parted, Prefixes, parted
from kdsl_cli.backends.local.rendering import Renderer, Row, batched
from kdsl_cli.backends.pictures import PictureError
from kdsl_cli.backends.spec import BackendOptions
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.errors import BackendError

_log = logging.getLogger(__name__)

_WINDOW: Final = 8
"""Batches whose prompts are in memory at once; they are sorted by length, so that little is padded."""

A = TypeVar("A", Generated, Scored)


class Batches:
    """Renders prompts and hands them to a model, so many at once as memory takes.

    Parameters
    ----------
    spec
        What the user named the model.
    loaded
        The model.
    options
        How to run it.
    """

    def __init__(self, spec: str, loaded: Loaded, options: BackendOptions) -> None:
        self._spec = spec
        self._device: Any = loaded.model.device
        self.renderer = Renderer.of(loaded, options.max_pixels)
        config = loaded.model.config.get_text_config()
        longest = loaded.processor.tokenizer.model_max_length
        self._positions = int(getattr(config, "max_position_embeddings", longest))
        self._batch = max(1, options.batch_size)
        self._section = options.section

    def answered(
        self,
        prompts: Sequence[Prompt],
        longest: int,
        answer: Callable[[Sequence[int], dict[str, Any], Any], list[A]],
        prefixes: Prefixes | None = None,
    ) -> list[A | Failed]:
        """Return an answer a prompt, in order.

        Parameters
        ----------
        longest
            Tokens that must fit behind each.
        answer
            Answers a batch: its prompts' places, their tensors on the model's device, what was read before
            them (`kdsl_cli.backends.local.scoring.Past`, or None).
        prefixes
            Reads once what prompts share; their tensors are then those of the rest. None: all are read whole.

        Raises
        ------
        BackendError
            If not even one prompt fits into memory.
        """
        answers: dict[int, A | Failed] = {}
        window = _WINDOW * self._batch
        for start in range(0, len(prompts), window):
            rows: dict[int, Row] = {}
            for place, row in enumerate(self._rows(prompts[start : start + window], longest), start):
                if isinstance(row, Failed):
                    answers[place] = row
                else:
                    rows[place] = row
            parts = dict(zip(rows, parted(list(rows.values()), apart=prefixes is not None), strict=True))
            order = sorted(rows, key=lambda place: (parts[place].group, parts[place].rest.length))
            while order:
                chunk = order[: self._batch]
                done = self._tried([parts[place] for place in chunk], chunk, answer, prefixes)
                answers.update(zip(chunk, done, strict=False))
                order = order[len(done) :]
        return [answers[place] for place in range(len(prompts))]

    def _rows(self, prompts: Sequence[Prompt], longest: int) -> list[Row | Failed]:
        """Return each prompt as the model takes it; one that is sampled several times is written once."""
        different = dict.fromkeys(prompts)
        plain = iter(self.renderer.plain([prompt for prompt in different if not prompt.pictures]))
        rows: dict[Prompt, Row | Failed] = {}
        for prompt in different:
            try:
                row = self.renderer.row(prompt) if prompt.pictures else next(plain)
            except PictureError as error:
                rows[prompt] = Failed(error.reason)
            else:
                rows[prompt] = self._fitting(row, longest)
        return [rows[prompt] for prompt in prompts]

    def _fitting(self, row: Row, longest: int) -> Row | Failed:
        if row.length + longest > self._positions:
            return Failed(
                f"the prompt has {row.length} tokens, {row.image_tokens} of them for pictures, and its "
                f"answer up to {longest}; the model takes {self._positions} in all: "
                f"lower {self._section}.max_pixels, or show less"
            )
        return row

    def _tried(
        self,
        rows: Sequence[Parted],
        places: Sequence[int],
        answer: Callable[[Sequence[int], dict[str, Any], Any], list[A]],
        prefixes: Prefixes | None,
    ) -> list[A]:
        """Answer one batch; out of memory, answer none of it and halve the batches from here on."""
        import torch

        begun = time.perf_counter()
        try:
            with torch.inference_mode():
                past = prefixes.past(rows) if prefixes else None
                batch = batched([row.rest for row in rows], self.renderer.pad, self._device)
                answers = answer(places, batch, past)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            told = str(error).partition("\n")[0][:200]
        else:
            seconds = (time.perf_counter() - begun) / len(rows)
            return [_costing(one, row.whole, seconds) for one, row in zip(answers, rows, strict=True)]
        release()  # out here, where the error no longer holds the batch
        if len(rows) == 1:
            raise BackendError(
                f"one prompt of {rows[0].whole.length} tokens does not fit into memory: {told}",
                where=self._spec,
                fix=f"Lower {self._section}.max_pixels or the number of pictures shown, or use "
                f"{self._section}.quant: nf4",
            )
        self._batch = len(rows) // 2
        _log.warning("out of memory at %d prompts at once: going on with %d", len(rows), self._batch)
        return []


def out_of_memory(error: Exception) -> bool:
    """Say whether an error is about memory: torch has a kind of its own only for GPUs."""
    import torch

    told = str(error)
    kinds = (torch.OutOfMemoryError, MemoryError)
    return isinstance(error, kinds) or "DefaultCPUAllocator" in told or "not enough memory" in told


def _costing(answer: A, row: Row, seconds: float) -> A:
    usage = replace(answer.usage, prompt_tokens=row.length, image_tokens=row.image_tokens, seconds=seconds)
    return replace(answer, usage=usage)


def release() -> None:
    """Give back what memory nobody holds any more."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
