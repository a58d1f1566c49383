"""What every model offers, and the values that go in and come out.

A backend answers row by row: a prompt that failed comes back as `Failed` beside the answers of the others,
so that no batch is lost to one bad picture. What no row could have survived (no such model, a wrong key) is
raised as `kdsl_cli.errors.BackendError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.runs.seeds import child_seed

Method = Literal["likelihood", "choice-logprobs", "choice"]
"""How choices were scored: the log-likelihood of each choice whole; the log-probabilities at the place where
a constrained choice was made, as far as the server tells them; or the choice alone, without probabilities."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost.

    Attributes
    ----------
    prompt_tokens, completion_tokens
        As the model counts them, image tokens among those of the prompt; 0 where a server does not tell.
    image_tokens
        Of the prompt's tokens, those that stand for pictures; 0 where unknown.
    seconds
        This row's share of the time its batch took.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    image_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Generated:
    """A text the model wrote.

    Attributes
    ----------
    text
        Without the prompt and without special tokens.
    logprob
        Sum of the log-probabilities (nats) of the written tokens before temperature; None where not told.
    finish
        "stop" if the model ended by itself, "length" if `Sampling.max_tokens` cut it off.
    usage
        What it cost.
    """

    text: str
    logprob: float | None
    finish: Literal["stop", "length"]
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Scored:
    """How likely a model holds each of some choices to be the answer.

    Attributes
    ----------
    logprobs
        One a choice, in nats, in the order asked: of the whole choice, its end included, given the prompt.
        None where the method does not tell; they need not sum to 1. With the method "choice" the choice
        that was made has 0 and the others None.
    method
        How they came about.
    usage
        What it cost.
    """

    logprobs: tuple[float | None, ...]
    method: Method
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Failed:
    """A row without an answer. It is never a wrong answer, and never kept in a cache.

    `retryable` says whether the same row may succeed later as it is.
    """

    reason: str
    retryable: bool = False
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Sampling:
    """How text is generated.

    Attributes
    ----------
    max_tokens
        Tokens written, at most.
    temperature
        0 takes the likeliest token each time.
    seed
        Same backend, prompt and seed: same text, wherever in a call the prompt stands and whatever stands
        beside it, so that a call may leave out rows whose answers are known. See `row_seed`.
    schema
        JSON Schema that the text is held to, as canonical JSON text; None: free text. A backend that cannot
        hold it generates freely: whoever asked parses with care in any case.
    """

    max_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0
    schema: str | None = None

    def row_seed(self, prompt: Prompt) -> int:
        """Return the seed that one prompt's text is drawn from, from 0 to 2**32 - 1.

        Examples
        --------
        >>> once, twice = Sampling(seed=1), Sampling(seed=2)
        >>> once.row_seed(Prompt("", ("hello",))) == once.row_seed(Prompt("", ("hello",)))
        True
        >>> once.row_seed(Prompt("", ("hello",))) == twice.row_seed(Prompt("", ("hello",)))
        False
        """
        return child_seed(self.seed, *prompt.content())

    def seeded(self, seeds: Sequence[int] | None, count: int) -> list[Sampling]:
        """Return the sampling of each of so many prompts, as `Backend.generate` is given seeds.

        Examples
        --------
        >>> [one.seed for one in Sampling(seed=1).seeded(None, 2)], len(Sampling().seeded([5, 6, 7], 3))
        ([1, 1], 3)
        """
        if seeds is None:
            return [self] * count
        return [replace(self, seed=seed) for _, seed in zip(range(count), seeds, strict=True)]


class Backend(Protocol):
    """A multimodal model. One caller at a time; batching and concurrency are the backend's own business."""

    @property
    def spec(self) -> str:
        """What the user named it: ``local:PATH``, ``http:URL#MODEL``, ``scripted:FILE``."""
        ...

    @property
    def identity(self) -> Mapping[str, str]:
        """Everything about the model that shapes an answer.

        Kind, model, revision, adapter, quantisation, image budget, ...: part of every cache key and manifest.
        Holds no secret.
        """
        ...

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int] | None = None
    ) -> list[Generated | Failed]:
        """Return one text a prompt, in order; a prompt given twice gets the same text twice.

        Parameters
        ----------
        seeds
            One a prompt, in place of the sampling's own: so a prompt can be answered several times in one
            batch.

        Raises
        ------
        BackendError
            If nothing can be answered at all.
        """
        ...

    def score(self, prompts: Sequence[Prompt], choices: Sequence[str]) -> list[Scored | Failed]:
        """Return how likely each of a closed set of answers is, for each prompt, in order.

        Raises
        ------
        BackendError
            If nothing can be answered at all.
        """
        ...

    def close(self) -> None:
        """Let go of memory, connections and files; a second time does nothing."""
        ...
