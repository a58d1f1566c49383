"""What a server answers, as far as it is used here; whatever else it says is passed over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field

from kdsl_cli.backends.backend import Usage


class Token(BaseModel):
    """A token that was written, or might have been.

    Attributes
    ----------
    token
        Its text; a piece of a letter may be told as a replacement character.
    logprob
        In nats.
    raw
        Its bytes, where told.
    """

    token: str
    logprob: float
    raw: list[Annotated[int, Field(ge=0, le=255)]] | None = Field(None, alias="bytes")

    @property
    def spelt(self) -> bytes:
        """The bytes it stands for."""
        return self.token.encode(errors="replace") if self.raw is None else bytes(self.raw)


class Step(Token):
    """A token that was written, with the likeliest at its place."""

    top_logprobs: list[Token] = []


class Steps(BaseModel):
    """The tokens of an answer."""

    content: list[Step] | None = None


class Message(BaseModel):
    """What the model wrote."""

    content: str | None = None


class Choice(BaseModel):
    """One answer of those asked for: always one here."""

    message: Message
    finish_reason: str | None = None
    logprobs: Steps | None = None


class Details(BaseModel):
    """What a prompt's tokens were."""

    image_tokens: int | None = None


class Spent(BaseModel):
    """What an answer cost."""

    prompt_tokens: int = 0
    completion_tokens: int | None = 0
    prompt_tokens_details: Details | None = None


class PromptToken(BaseModel):
    """A token of the prompt."""

    logprob: float
    decoded_token: str | None = None


class Completion(BaseModel):
    """An answer of ``/chat/completions``.

    Attributes
    ----------
    prompt_logprobs
        vLLM's extension: by token of the prompt, its log-probability by token id; None for the first.
    """

    choices: list[Choice] = Field(min_length=1)
    usage: Spent | None = None
    prompt_logprobs: list[dict[str, PromptToken] | None] | None = None

    @property
    def text(self) -> str:
        """What the model wrote."""
        return self.choices[0].message.content or ""

    @property
    def steps(self) -> list[Step]:
        """Its tokens one by one; none where the server does not tell."""
        told = self.choices[0].logprobs
        return (told.content or []) if told else []

    @property
    def cost(self) -> Usage:
        """What it cost; the time is not the server's to tell."""
        if self.usage is None:
            return Usage()
        details = self.usage.prompt_tokens_details
        images = (details.image_tokens or 0) if details else 0
        return Usage(self.usage.prompt_tokens, self.usage.completion_tokens or 0, images)


Ask = Callable[[Mapping[str, Any]], Awaitable[Completion]]
"""Sends a request for a completion, which names no model yet."""


class Card(BaseModel, extra="allow"):
    """A model that a server offers."""

    id: str


class Models(BaseModel):
    """An answer of ``/models``."""

    data: list[Card]
