"""Which of some choices a server's answer is, and how likely it held the others."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from kdsl_cli.backends.http.responses import Step

_FLOOR: Final = -9999.0
"""What servers write for the logarithm of 0, which JSON cannot say."""


def told_apart(steps: Sequence[Step], choices: Sequence[str]) -> tuple[float | None, ...]:
    """Return the log-probability of each choice, as far as the tokens of one answer tell it.

    A choice is told where a token is listed that only this choice goes on with: its logarithm is that of the
    way there and of that token. Choices that begin alike part where the answer itself leads on; those that
    part on a way which was not taken are not told.

    Parameters
    ----------
    steps
        The answer token by token, each with its likeliest alternatives.
    choices
        What could be answered.

    Examples
    --------
    >>> likely = [{"token": "yes", "logprob": -0.2}, {"token": "no", "logprob": -1.7}]
    >>> told_apart([Step(token="yes", logprob=-0.2, top_logprobs=likely)], ["yes", "no", "maybe"])
    (-0.2, -1.7, None)
    """
    found: list[float | None] = [None] * len(choices)
    left = {place: choice.encode() for place, choice in enumerate(choices)}
    path = 0.0
    for step in steps:
        listed = {token.spelt: token.logprob for token in (*step.top_logprobs, step)}
        for spelt, logprob in listed.items():
            led = [place for place, rest in left.items() if spelt and rest.startswith(spelt)]
            if len(led) == 1 and logprob > _FLOOR:
                found[led[0]] = _either(found[led[0]], path + logprob)
        path += step.logprob
        left = {place: rest[len(step.spelt) :] for place, rest in left.items() if rest.startswith(step.spelt)}
        if len(left) < 2:
            return tuple(found)
    # The answer ended where another choice would go on: it is the one of which nothing is left.
    ended = next((place for place, rest in left.items() if not rest), None)
    if ended is not None and found[ended] is None:
        found[ended] = path
    return tuple(found)


def inside(steps: Sequence[Step], before: str) -> list[Step]:
    """Return an answer's tokens without the text `before` that its choice is wrapped in.

    Where a token holds the end of the wrapping and the beginning of the choice, it and its alternatives
    are cut; alternatives that do not end the wrapping are left out.
    """
    todo = before.encode()
    for place, step in enumerate(steps):
        if not todo:
            return list(steps[place:])
        if not todo.startswith(step.spelt):
            return [_cut(step, todo), *steps[place + 1 :]] if step.spelt.startswith(todo) else []
        todo = todo[len(step.spelt) :]
    return []


def matched(text: str, choices: Sequence[str]) -> int | None:
    """Return the place of the one choice that a free answer gives, or None.

    What the answer begins with counts, or else the only choice that it holds at all; of choices that begin
    alike the longest.

    Examples
    --------
    >>> matched("Yes, it is.", ["yes", "no"]), matched("It is **refund-only**", ["refund", "refund-only"])
    (0, 1)
    >>> matched("是的", ["是", "否"]), matched("nothing of the kind", ["yes", "no"])
    (0, None)
    """
    said = text.strip(" \t\r\n\"'“”‘’`*.").casefold()
    ordered = sorted(enumerate(choices), key=lambda each: -len(each[1]))
    for place, choice in ordered:
        if re.match(_word(choice), said):
            return place
    held: list[int] = []
    for place, choice in ordered:
        said, times = re.subn(_word(choice), " ", said)
        held += [place] * bool(times)
    return held[0] if len(held) == 1 else None


def _word(choice: str) -> str:
    """Return a pattern of `choice` as a word of its own, where its script parts words."""
    folded = choice.strip().casefold()
    first, last = (
        "\\b" if letter.isascii() and letter.isalnum() else "" for letter in (folded[:1], folded[-1:])
    )
    return first + re.escape(folded) + last


def _cut(step: Step, before: bytes) -> Step:
    def rest(spelt: bytes) -> list[int]:
        return list(spelt[len(before) :])

    likely = [
        {"token": "", "bytes": rest(token.spelt), "logprob": token.logprob}
        for token in step.top_logprobs
        if token.spelt.startswith(before)
    ]
    return Step.model_validate(
        {"token": "", "bytes": rest(step.spelt), "logprob": step.logprob, "top_logprobs": likely}
    )


def _either(one: float | None, other: float) -> float:
    """Return the logarithm of the sum of two probabilities."""
    if one is None:
        return other
    high, low = max(one, other), min(one, other)
    return min(0.0, high + math.log1p(math.exp(low - high)))
