"""The backend of a model in this process: rows in, batches through the model, rows out."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from kdsl_cli.backends.backend import Failed, Generated, Sampling, Scored, Usage
from kdsl_cli.backends.local import loading, scoring
from kdsl_cli.backends.local.fingerprint import fingerprint
from kdsl_cli.backends.local.generating import Chooser, Grammars, generate
from kdsl_cli.backends.local.rendering import Renderer, Row, batched
from kdsl_cli.backends.pictures import PictureError
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.errors import BackendError

_log = logging.getLogger(__name__)

_WINDOW: Final = 8
"""Batches whose prompts are in memory at once; they are sorted by length, so that little is padded."""

A = TypeVar("A", Generated, Scored)


def open_local(spec: LocalSpec, options: BackendOptions) -> LocalBackend:
    """Load a model of this machine or of the Hugging Face hub.

    Raises
    ------
    BackendError
        If it cannot be loaded; the message says what to do.
    MissingExtra
        If a package of the `local` extra is not installed.
    """
    return LocalBackend(str(spec), loading.load(spec, options), options)


class LocalBackend:
    """A model in memory as a `Backend`.

    Parameters
    ----------
    spec
        What the user named it.
    loaded
        The model.
    options
        How to run it.
    shared
        Whether choices may share one pass where the family can; False is slower, and there to compare.
    """

    def __init__(
        self, spec: str, loaded: loading.Loaded, options: BackendOptions, *, shared: bool = True
    ) -> None:
        self._spec = spec
        self._model: Any = loaded.model
        config = loaded.model.config
        self._renderer = Renderer.of(loaded, options.max_pixels)
        self._identity = {**loaded.identity, "processor": fingerprint(self._renderer)}
        self._tokenizer: Any = loaded.processor.tokenizer
        self._positions = int(
            getattr(
                config.get_text_config(),
                "max_position_embeddings",
                loaded.processor.tokenizer.model_max_length,
            )
        )
        self._ends = _ends(loaded.model, self._renderer.end)
        self._batch = max(1, options.batch_size)
        self._grammars: Grammars | None = None
        self._shared = shared
        # What the checkpoint recommends for chatting (penalties, top-k) is not what was asked for.
        loaded.model.generation_config = type(loaded.model.generation_config)(
            do_sample=False, eos_token_id=self._ends, pad_token_id=self._renderer.pad
        )

    @property
    def spec(self) -> str:
        """What the user named it."""
        return self._spec

    @property
    def identity(self) -> dict[str, str]:
        """Everything about the model that shapes an answer."""
        return dict(self._identity)

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Generated | Failed]:
        """Return one text a prompt. What is drawn for a prompt depends on it and on the seed alone."""

        def answer(asked: Sequence[Prompt], batch: dict[str, Any]) -> list[Generated]:
            matchers = self._matchers(sampling.schema, len(asked))
            seeds = [sampling.row_seed(prompt) for prompt in asked]
            chooser = Chooser(seeds, self._ends, sampling.temperature, matchers)
            generate(self._model, batch, chooser, sampling)
            return [self._written(chooser, row) for row in range(len(asked))]

        return self._answered(prompts, sampling.max_tokens, answer)

    def score(self, prompts: Sequence[Prompt], choices: Sequence[str]) -> list[Scored | Failed]:
        """Return the log-likelihood of each choice, its end included, for each prompt."""
        trie = scoring.grow([self._renderer.tokens(choice) for choice in choices], self._renderer.end)

        def answer(asked: Sequence[Prompt], batch: dict[str, Any]) -> list[Scored]:
            rows = self._scores(batch, trie)
            return [Scored(tuple(row), "likelihood") for row in rows]

        return self._answered(prompts, max((len(path) for path in trie.paths), default=0), answer)

    def close(self) -> None:
        """Let go of the model and its memory."""
        self._model = None
        _release()

    def _matchers(self, schema: str | None, count: int) -> list[Any]:
        if schema is None:
            return []
        if self._grammars is None:
            width = self._model.get_output_embeddings().weight.shape[0]
            self._grammars = Grammars(self._tokenizer, width, self._ends)
        return [self._grammars.matcher(schema) for _ in range(count)]

    def _written(self, chooser: Chooser, row: int) -> Generated:
        tokens, ended = chooser.tokens[row], chooser.ended[row]
        text = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        cost = Usage(completion_tokens=len(tokens) + ended)
        return Generated(text, min(0.0, chooser.logprobs[row]), "stop" if ended else "length", cost)

    def _scores(self, batch: dict[str, Any], trie: scoring.Trie) -> list[list[float]]:
        if self._shared:
            rows = scoring.in_one_pass(self._model, batch, trie)
            if rows is not None:
                return rows
            self._shared = False
            _log.warning(
                "%s: choices take a pass each, this family cannot share one", self._identity["model"]
            )
        return scoring.one_by_one(self._model, batch, trie)

    def _answered(
        self,
        prompts: Sequence[Prompt],
        longest: int,
        answer: Callable[[Sequence[Prompt], dict[str, Any]], list[A]],
    ) -> list[A | Failed]:
        """Answer prompts in batches of like length; `longest` tokens must fit behind each."""
        answers: dict[int, A | Failed] = {}
        window = _WINDOW * self._batch
        for start in range(0, len(prompts), window):
            rows: dict[int, Row] = {}
            for place in range(start, min(start + window, len(prompts))):
                row = self._row(prompts[place], longest)
                if isinstance(row, Failed):
                    answers[place] = row
                else:
                    rows[place] = row
            order = sorted(rows, key=lambda place: rows[place].length)
            while order:
                chunk = order[: self._batch]
                done = self._tried(
                    [rows[place] for place in chunk], [prompts[place] for place in chunk], answer
                )
                answers.update(zip(chunk, done, strict=False))
                order = order[len(done) :]
        return [answers[place] for place in range(len(prompts))]

    def _row(self, prompt: Prompt, longest: int) -> Row | Failed:
        try:
            row = self._renderer.row(prompt)
        except PictureError as error:
            return Failed(error.reason)
        if row.length + longest > self._positions:
            return Failed(
                f"the prompt has {row.length} tokens, {row.image_tokens} of them for pictures, and its "
                f"answer up to {longest}; the model takes {self._positions} in all: "
                "lower small.max_pixels, or show less"
            )
        return row

    def _tried(
        self,
        rows: Sequence[Row],
        prompts: Sequence[Prompt],
        answer: Callable[[Sequence[Prompt], dict[str, Any]], list[A]],
    ) -> list[A]:
        """Answer one batch; out of memory, answer none of it and halve the batches from here on."""
        import torch

        begun = time.perf_counter()
        try:
            with torch.inference_mode():
                answers = answer(prompts, batched(rows, self._renderer.pad, self._model.device))
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            told = str(error).partition("\n")[0][:200]
        else:
            seconds = (time.perf_counter() - begun) / len(rows)
            return [_costing(one, row, seconds) for one, row in zip(answers, rows, strict=True)]
        _release()  # out here, where the error no longer holds the batch
        if len(rows) == 1:
            raise BackendError(
                f"one prompt of {rows[0].length} tokens does not fit into memory: {told}",
                where=self._spec,
                fix="Lower small.max_pixels or the number of pictures shown, or use small.quant: nf4",
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


def _ends(model: Any, end: int) -> list[int]:
    known = model.generation_config.eos_token_id
    listed = [] if known is None else known if isinstance(known, list) else [known]
    return list(dict.fromkeys([end, *listed]))


def _release() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
