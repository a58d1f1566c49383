"""Text, token by token: drawn for each row from its own seed, and held to a grammar where one is given.

transformers runs the loop and knows each family's memory and positions. What it offers for choosing a token
depends on the batch, so the choice is made here: each step of a row takes one number from that row's own
generator, and the token on which that number falls.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from kdsl_cli import extras
from kdsl_cli.backends.backend import Sampling
from kdsl_cli.errors import BackendError


class Chooser:
    """Chooses the tokens of a batch; given to transformers as a processor of logits.

    Parameters
    ----------
    seeds
        One a row.
    ends
        Tokens that end a text.
    temperature
        0 takes the likeliest token.
    grammars
        One matcher a row (`Grammar.matcher`), or none at all.

    Attributes
    ----------
    tokens
        Of each row, those chosen, without the one that ended it.
    logprobs
        Of each row, the sum of the log-probabilities that the model itself gave to what was chosen, its end
        included: before temperature and grammar.
    ended
        Of each row, whether it ended by itself.
    """

    def __init__(
        self, seeds: Sequence[int], ends: Sequence[int], temperature: float, grammars: Sequence[Any] = ()
    ) -> None:
        self._draws = [random.Random(seed) for seed in seeds]
        self._ends = frozenset(ends)
        self._temperature = temperature
        self._grammars = grammars
        self.tokens: list[list[int]] = [[] for _ in seeds]
        self.logprobs = [0.0] * len(seeds)
        self.ended = [False] * len(seeds)

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Choose one token a row, and return scores by which nothing else can be taken."""
        import torch

        logits = scores.float()
        told = logits.log_softmax(-1)
        chosen = self._chosen(self._allowed(logits))
        logprobs = told.gather(-1, chosen[:, None])[:, 0].tolist()
        for row, (token, logprob) in enumerate(zip(chosen.tolist(), logprobs, strict=True)):
            self._note(row, token, logprob)
        return torch.full_like(scores, -torch.inf).scatter_(-1, chosen[:, None], 0.0)

    def _allowed(self, logits: Any) -> Any:
        import numpy as np
        import torch

        if not self._grammars:
            return logits
        width = logits.shape[-1]
        allowed = np.ones((len(self._grammars), width), dtype=bool)
        for row, grammar in enumerate(self._grammars):
            if not self.ended[row]:
                bits = np.frombuffer(grammar.compute_bitmask(), dtype=np.uint8)
                allowed[row] = np.unpackbits(bits, count=width, bitorder="little")
        return logits.masked_fill(~torch.from_numpy(allowed).to(logits.device), -torch.inf)

    def _chosen(self, logits: Any) -> Any:
        import torch

        if self._temperature == 0:
            return logits.argmax(-1)
        sums = (logits.double() / self._temperature).softmax(-1).cumsum(-1)
        draws = torch.tensor([draw.random() for draw in self._draws], dtype=sums.dtype, device=sums.device)
        # A token's share ends where the sum first exceeds the number drawn; tokens without a share have none.
        places = torch.searchsorted(sums, draws[:, None] * sums[:, -1:], right=True)[:, 0]
        last = (sums < sums[:, -1:]).sum(-1)
        return places.minimum(last)

    def _note(self, row: int, token: int, logprob: float) -> None:
        if self.ended[row]:
            return
        self.logprobs[row] += logprob
        self.ended[row] = token in self._ends
        if not self.ended[row]:
            self.tokens[row].append(token)
            if self._grammars and not self._grammars[row].consume_token(token):
                raise BackendError(f"the grammar cannot go on: {self._grammars[row].get_error()}")


class Grammars:
    """Makes matchers of JSON Schemas for one tokenizer; a schema is read once.

    Parameters
    ----------
    tokenizer
        The model's, a fast one.
    width
        Rows of the model's head, which may be more than the tokenizer knows.
    ends
        Tokens that end a text.
    """

    def __init__(self, tokenizer: Any, width: int, ends: Sequence[int]) -> None:
        self._library: Any = extras.require("llguidance", extra="local", feature="holding a text to a schema")
        bridge: Any = extras.require("llguidance.hf", extra="local", feature="holding a text to a schema")
        self._tokenizer = bridge.from_tokenizer(tokenizer, n_vocab=width, eos_token=list(ends))
        self._read: dict[str, Any] = {}

    def matcher(self, schema: str) -> Any:
        """Return a fresh matcher of `schema`.

        Raises
        ------
        BackendError
            If the schema is no schema, or holds what no grammar can be made of.
        """
        if schema not in self._read:
            kind = self._library.LLMatcher
            try:
                # Blanks between tokens would be another choice at every step, and could go on for ever.
                grammar = kind.grammar_from_json_schema(schema, overrides={"whitespace_flexible": False})
            except ValueError as error:
                raise BackendError(f"a text cannot be held to the schema: {error}") from error
            made = kind(self._tokenizer, grammar)
            if made.is_error():
                raise BackendError(f"a text cannot be held to the schema: {made.get_error()}")
            self._read[schema] = made
        return self._read[schema].deep_copy()


def generate(model: Any, batch: dict[str, Any], chooser: Chooser, sampling: Sampling) -> None:
    """Let the model go on from each row of `batch`; what it writes is in `chooser` afterwards."""
    model.generate(**batch, logits_processor=[chooser], max_new_tokens=sampling.max_tokens)
