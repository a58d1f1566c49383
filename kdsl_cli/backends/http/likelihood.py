"""Scoring by the log-probabilities of a prompt's tokens, as vLLM tells them (``prompt_logprobs``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kdsl_cli.backends.backend import Scored, Usage
from kdsl_cli.backends.http.refusals import NoAnswer
from kdsl_cli.backends.http.requests import TRIAL, Message
from kdsl_cli.backends.http.responses import Ask, Completion


@dataclass(slots=True)
class Likelihood:
    """The choice stands in the prompt as the model's answer, and its tokens' log-probabilities are summed.

    Where the choice lies among the prompt's tokens follows from lengths: that of the prompt up to the answer,
    with an answer left open, and with an answer ended. Beginning and end of an answer are the same in every
    prompt, so lengths are measured once a choice, on a short prompt.

    Attributes
    ----------
    tail
        Tokens that end an answer, from the one by which the model ends it; None: not measured yet.
    lengths
        By choice, its tokens.
    """

    tail: int | None = None
    lengths: dict[str, int] = field(default_factory=dict)

    async def learn(self, ask: Ask, choices: Sequence[str]) -> None:
        """Measure the choices that are new."""
        new = [choice for choice in choices if choice not in self.lengths]
        if not new:
            return
        bare = len(_prompt(await ask(_answered([TRIAL], None))))
        for choice in new:
            tokens = _prompt(await ask(_answered([TRIAL], choice, ended=False)))
            spelt = "".join(token or "" for token, _ in tokens[bare:])
            # A token may be part of a letter; what can be read must be the choice and nothing else.
            if spelt != choice and "\ufffd" not in spelt:
                raise NoAnswer(f"'{choice}' stands in the prompt as '{spelt}'", retryable=False, refused=True)
            self.lengths[choice] = len(tokens) - bare
        if self.tail is None:
            ended = _prompt(await ask(_answered([TRIAL], new[0], ended=True)))
            self.tail = len(ended) - bare - self.lengths[new[0]]

    async def score(self, ask: Ask, messages: Sequence[Message], choices: Sequence[str]) -> Scored:
        """Return the log-probability of each choice with its end, one request a choice."""
        assert self.tail is not None, "learn first"
        logprobs: list[float] = []
        spent: list[Usage] = []
        for choice in choices:
            answer = await ask(_answered(messages, choice, ended=True))
            tokens = _prompt(answer)
            start = len(tokens) - self.tail - self.lengths[choice]
            end = start + self.lengths[choice] + min(1, self.tail)
            logprobs.append(sum(logprob for _, logprob in tokens[start:end]))
            spent.append(answer.cost)
        return Scored(tuple(logprobs), "likelihood", _total(spent))


def _answered(messages: Sequence[Message], choice: str | None, *, ended: bool = False) -> dict[str, Any]:
    """Return a request for a prompt's tokens, `choice` being its answer; None: up to where one begins."""
    answer: list[Message] = [] if choice is None else [{"role": "assistant", "content": choice}]
    return {
        "messages": [*messages, *answer],
        "add_generation_prompt": choice is None,
        "continue_final_message": choice is not None and not ended,
        "prompt_logprobs": 0,  # of the prompt's own tokens and no others
        "max_tokens": 1,
        "temperature": 0.0,
    }


def _prompt(answer: Completion) -> list[tuple[str | None, float]]:
    """Return the prompt's tokens as text with their log-probabilities; that of the first is 0."""
    if not answer.prompt_logprobs:
        raise NoAnswer("no log-probabilities of the prompt", retryable=False, refused=True)
    told = [next(iter((entry or {}).values()), None) for entry in answer.prompt_logprobs]
    return [(None, 0.0) if token is None else (token.decoded_token, token.logprob) for token in told]


def _total(spent: Sequence[Usage]) -> Usage:
    return Usage(
        sum(usage.prompt_tokens for usage in spent),
        sum(usage.completion_tokens for usage in spent),
        sum(usage.image_tokens for usage in spent),
    )
