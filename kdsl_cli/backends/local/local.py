"""The backend of a model in this process: rows in, batches through the model, rows out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from kdsl_cli.backends.backend import Failed, Generated, Sampling, Scored, Usage
from kdsl_cli.backends.local import loading, scoring
from kdsl_cli.backends.local.batching import Batches, release
from kdsl_cli.backends.local.fingerprint import fingerprint
from kdsl_cli.backends.local.generating import Chooser, Grammars, generate
from kdsl_cli.backends.local.prefixes import Prefixes, read_apart
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from kdsl_cli.dialogues.prompting import Prompt

_log = logging.getLogger(__name__)


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
        self._batches = Batches(spec, loaded, options)
        self._renderer = self._batches.renderer
        self._identity = {**loaded.identity, "processor": fingerprint(self._renderer)}
        self._tokenizer: Any = loaded.processor.tokenizer
        self._ends = _ends(loaded.model, self._renderer.end)
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

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int] | None = None
    ) -> list[Generated | Failed]:
        """Return one text a prompt. What is drawn for a prompt depends on it and on its seed alone."""
        samplings = sampling.seeded(seeds, len(prompts))
        drawn = [one.row_seed(prompt) for one, prompt in zip(samplings, prompts, strict=True)]

        def answer(places: Sequence[int], batch: dict[str, Any], _: None) -> list[Generated]:
            matchers = self._matchers(sampling.schema, len(places))
            chooser = Chooser([drawn[place] for place in places], self._ends, sampling.temperature, matchers)
            generate(self._model, batch, chooser, sampling)
            return [self._written(chooser, row) for row in range(len(places))]

        return self._batches.answered(prompts, sampling.max_tokens, answer)

    def score(self, prompts: Sequence[Prompt], choices: Sequence[str]) -> list[Scored | Failed]:
        """Return the log-likelihood of each choice, its end included, for each prompt."""
        trie = scoring.grow([self._renderer.tokens(choice) for choice in choices], self._renderer.end)

        shared = self._shares()

        def answer(_: Sequence[int], batch: dict[str, Any], past: scoring.Past | None) -> list[Scored]:
            if shared:
                rows = scoring.in_one_pass(self._model, batch, trie, past)
            else:
                rows = scoring.one_by_one(self._model, batch, trie)
            return [Scored(tuple(row), "likelihood") for row in rows]

        longest = max((len(path) for path in trie.paths), default=0)
        apart = shared and read_apart(self._model)
        prefixes = Prefixes(self._model, self._renderer.pad) if apart else None
        return self._batches.answered(prompts, longest, answer, prefixes)

    def close(self) -> None:
        """Let go of the model and its memory."""
        self._model = None
        release()

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

    def _shares(self) -> bool:
        """Say whether choices share one pass; that they cannot is told once."""
        if self._shared and not scoring.shares_a_pass(self._model):
            self._shared = False
            _log.warning(
                "%s: choices take a pass each, this family cannot share one", self._identity["model"]
            )
        return self._shared


def _ends(model: Any, end: int) -> list[int]:
    known = model.generation_config.eos_token_id
    listed = [] if known is None else known if isinstance(known, list) else [known]
    return list(dict.fromkeys([end, *listed]))
