"""Models played for mining: one proposes what a function says, one answers with errors of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kdsl_cli.backends.backend import Failed, Generated, Sampling, Scored, Usage
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.evidence.questions import Answer, Shown

Says = Callable[[Prompt, int], str | Generated | Failed]
"""What is proposed to a prompt; the number counts the samples asked of that prompt, from 0."""


class Talker:
    """A backend that writes what it is told to, and keeps every prompt."""

    spec = "played"
    identity: Mapping[str, str] = {"kind": "played"}

    def __init__(self, says: Says) -> None:
        self._says = says
        self.asked: list[tuple[Prompt, Sampling]] = []

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int] | None = None
    ) -> list[Generated | Failed]:
        samplings = sampling.seeded(seeds, len(prompts))
        return [self._one(prompt, one) for prompt, one in zip(prompts, samplings, strict=True)]

    def _one(self, prompt: Prompt, sampling: Sampling) -> Generated | Failed:
        number = sum(prompt == other for other, _ in self.asked)
        self.asked.append((prompt, sampling))
        said = self._says(prompt, number)
        return written(said) if isinstance(said, str) else said

    def score(self, prompts: Sequence[Prompt], choices: Sequence[str]) -> list[Scored | Failed]:
        raise AssertionError("a proposer asks through its book")

    def close(self) -> None: ...


def written(text: str, logprob: float | None = None, tokens: int = 10) -> Generated:
    return Generated(text, logprob, "stop", Usage(completion_tokens=tokens))


def proposing(when: Any, why: str = "") -> str:
    return json.dumps({"when": when, "why": why}, ensure_ascii=False)


def text(word: str) -> dict[str, Any]:
    return {"text": {"contains": word, "in": "last_customer"}}


def answer(question: str, is_: str = "yes") -> dict[str, Any]:
    return {"answer": {"question": question, "is": is_}}


class Knower:
    """Answers by a rule of its own, wrongly now and then: otherwise for each wording and dialogue."""

    def __init__(self, truth: Callable[[str, str], bool | None], wrong: float = 0.0) -> None:
        self._truth = truth
        self._wrong = wrong
        self.asked: list[tuple[str, int]] = []

    def ask_many(self, questions: Sequence[str], shown: Sequence[Shown]) -> tuple[tuple[Answer, ...], ...]:
        return tuple(self.ask(question, shown) for question in questions)

    def ask(self, question: str, shown: Sequence[Shown]) -> tuple[Answer, ...]:
        self.asked.append((question, len(shown)))
        return tuple(Answer(None, error="torn") if one is None else self._one(question, one) for one in shown)

    def _one(self, question: str, parts: Sequence[object]) -> Answer:
        told = " ".join(map(str, parts))
        value = self._truth(question, told)
        digest = hashlib.sha256(f"{question}/{told}".encode()).digest()
        slips = int.from_bytes(digest[:6], "big") / 2**48 < self._wrong
        return Answer(value if value is None else value ^ slips)
