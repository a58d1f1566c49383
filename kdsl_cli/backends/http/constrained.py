"""Scoring by an answer: one that is held to the choices where a server can, or else a free one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kdsl_cli.backends.backend import Scored
from kdsl_cli.backends.http.choosing import inside, matched, told_apart
from kdsl_cli.backends.http.refusals import NoAnswer
from kdsl_cli.backends.http.requests import TRIAL, Message
from kdsl_cli.backends.http.responses import Ask, Completion

UNSAID: Final = ("qzx-1", "vjk-2")
"""Choices that no model makes unless it is held to them."""

_WRAPPING: Final = re.compile(r'\s*\{\s*"answer"\s*:\s*"')
_ROOM: Final = 16  # tokens that an answer may have beside its choice: quotes, a wrapping, an end


@dataclass(frozen=True, slots=True)
class Constrained:
    """The model is held to the choices.

    Attributes
    ----------
    form
        How: the field of the request that says it.
    tells
        Whether the server tells the log-probabilities of what might have been written.
    """

    form: str
    tells: bool

    def request(self, messages: Sequence[Message], choices: Sequence[str]) -> dict[str, Any]:
        """Return what to ask the server."""
        told = {"logprobs": True, "top_logprobs": 20} if self.tells else {}
        held = {self.form: _FORMS[self.form](choices)}
        return {"messages": messages, "temperature": 0.0, "max_tokens": _room(choices), **told, **held}

    async def learn(self, ask: Ask, choices: Sequence[str]) -> None:
        """Nothing must be known beforehand."""

    async def score(self, ask: Ask, messages: Sequence[Message], choices: Sequence[str]) -> Scored:
        """Return what one answer tells of the choices."""
        answer = await ask(self.request(messages, choices))
        before, text = _unwrapped(answer.text)
        if text not in choices:
            raise NoAnswer(f"the answer '{text[:80]}' is none of the choices", retryable=False)
        logprobs = told_apart(inside(answer.steps, before), choices) if self.tells else ()
        if logprobs and logprobs[choices.index(text)] is not None:
            return Scored(logprobs, "choice-logprobs", answer.cost)
        return _chosen(choices.index(text), choices, answer)


@dataclass(frozen=True, slots=True)
class Plain:
    """The model answers as it likes."""

    async def learn(self, ask: Ask, choices: Sequence[str]) -> None:
        """Nothing must be known beforehand."""

    async def score(self, ask: Ask, messages: Sequence[Message], choices: Sequence[str]) -> Scored:
        """Return the choice that the answer gives."""
        answer = await ask({"messages": messages, "temperature": 0.0, "max_tokens": _room(choices)})
        place = matched(answer.text, choices)
        if place is None:
            raise NoAnswer(f"the answer '{answer.text.strip()[:80]}' is none of the choices", retryable=False)
        return _chosen(place, choices, answer)


async def held(ask: Ask, *, tells: bool) -> Constrained | None:
    """Return how a server holds a model to choices, and tells log-probabilities if `tells`; None: not at all.

    Servers pass over what they do not know, so only an answer counts that nothing else explains.
    """
    for name in _FORMS:
        way = Constrained(name, tells)
        try:
            answer = await ask(way.request([TRIAL], UNSAID))
        except NoAnswer as error:
            if not error.refused:
                raise
            continue
        told = any(step.top_logprobs for step in answer.steps)
        if _unwrapped(answer.text)[1] in UNSAID and (told or not tells):
            return way
    return None


def _chosen(place: int, choices: Sequence[str], answer: Completion) -> Scored:
    return Scored(
        tuple(0.0 if each == place else None for each in range(len(choices))), "choice", answer.cost
    )


def _room(choices: Sequence[str]) -> int:
    """Return how many tokens hold any choice: none has more than bytes."""
    return max(len(choice.encode()) for choice in choices) + _ROOM


def _unwrapped(text: str) -> tuple[str, str]:
    """Return what stands before the choice in an answer, and the choice.

    Examples
    --------
    >>> _unwrapped('{"answer": "yes"}'), _unwrapped("yes")
    (('{"answer": "', 'yes'), ('', 'yes'))
    """
    wrapping = _WRAPPING.match(text)
    try:
        return (wrapping.group(), str(json.loads(text)["answer"])) if wrapping else ("", text)
    except ValueError:
        return "", text


def _schema(choices: Sequence[str]) -> dict[str, Any]:
    answer = {"type": "string", "enum": list(choices)}
    schema = {
        "type": "object",
        "properties": {"answer": answer},
        "required": ["answer"],
        "additionalProperties": False,
    }
    named = {"name": "answer", "strict": True, "schema": schema}
    return {"type": "json_schema", "json_schema": named}


_FORMS: Final[Mapping[str, Callable[[Sequence[str]], Any]]] = {
    "structured_outputs": lambda choices: {"choice": list(choices)},  # vLLM
    "guided_choice": list,  # vLLM before 0.12
    "response_format": _schema,  # OpenAI's own
}
