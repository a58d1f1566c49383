"""Answers that are written down beforehand: commands can be tried, and tested, with no model at all.

::

    answers:                              # the first that fits a prompt answers it
    - match: ["屏幕", "refund"]             # all of these stand in the prompt's text; left out: any text
      picture: page-0001.webp             # a picture's file name, or how its SHA-256 begins
      choose: "yes"                       # to "which of these?": one choice, or `logprobs` by choice
    - match: "Write a rule"
      text: ["{...}", "{...}"]            # to "write": one text, or several to draw one of
      logprob: -1.5
      times: 1                            # used so often, then passed over: such answers make a queue
    - fail: "the server is busy"          # to both; `retryable: true` if it is worth another try

A file that ends in ``.jsonl`` holds such answers one JSON object a line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from kdsl_cli.backends.backend import Failed, Generated, Sampling, Scored, Usage
from kdsl_cli.backends.pictures import MULTIPLE, PictureError, fit
from kdsl_cli.backends.script import Entry, read_script
from kdsl_cli.dialogues.prompting import Picture, Prompt
from kdsl_cli.runs.hashing import sha256_file

Operation = Literal["generate", "score"]
A = TypeVar("A", Generated, Scored)


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt that was put to the backend; `choices` are empty where a text was asked for."""

    operation: Operation
    prompt: Prompt
    choices: tuple[str, ...] = ()


class ScriptedBackend:
    """A backend that answers from a file. It counts one token a character, and one a picture.

    Attributes
    ----------
    asked
        Every prompt so far, in order.

    Raises
    ------
    BackendError
        With every problem of the file, each by ``path:line``.
    """

    def __init__(self, path: Path) -> None:
        self.asked: list[Asked] = []
        self._path = path
        self._entries = read_script(path)
        self._identity = {"kind": "scripted", "script": sha256_file(path)}
        self._used: Counter[int] = Counter()
        self._looked_at: dict[Picture, str | None] = {}

    @property
    def spec(self) -> str:
        """``scripted:FILE``."""
        return f"scripted:{self._path}"

    @property
    def identity(self) -> Mapping[str, str]:
        """What the file holds: another script shares no cached answer."""
        return self._identity

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int] | None = None
    ) -> list[Generated | Failed]:
        """Return the scripted texts.

        Of several texts the first is taken at temperature 0, else one is drawn. `Sampling.max_tokens` cuts
        none off.
        """
        self.asked += [Asked("generate", prompt) for prompt in prompts]

        def written(sampling: Sampling, entry: Entry, prompt: Prompt) -> Generated:
            assert entry.text
            drawn = sampling.row_seed(prompt) % len(entry.text) if sampling.temperature else 0
            text = entry.text[drawn]
            return Generated(text, entry.logprob, "stop", _usage(prompt, len(text)))

        return [
            self._answer(prompt, lambda entry: bool(entry.text), partial(written, one))
            for prompt, one in zip(prompts, sampling.seeded(seeds, len(prompts)), strict=True)
        ]

    def score(self, prompts: Sequence[Prompt], choices: Sequence[str]) -> list[Scored | Failed]:
        """Return the scripted scores, of the answers that know at least one of the choices."""
        self.asked += [Asked("score", prompt, tuple(choices)) for prompt in prompts]

        def knows(entry: Entry) -> bool:
            return entry.choose in choices or any(choice in entry.logprobs for choice in choices)

        def scored(entry: Entry, prompt: Prompt) -> Scored:
            usage = _usage(prompt, 0)
            if entry.choose is not None:
                chosen = tuple(0.0 if choice == entry.choose else None for choice in choices)
                return Scored(chosen, "choice", usage)
            told = tuple(entry.logprobs.get(choice) for choice in choices)
            return Scored(told, "choice-logprobs" if None in told else "likelihood", usage)

        return [self._answer(prompt, knows, scored) for prompt in prompts]

    def close(self) -> None:
        """Do nothing: the file was read when this was made."""

    def _answer(
        self, prompt: Prompt, answers: Callable[[Entry], bool], answer: Callable[[Entry, Prompt], A]
    ) -> A | Failed:
        for picture in prompt.pictures:
            if broken := self._broken(picture):
                return Failed(broken)
        for number, entry in enumerate(self._entries):
            left = entry.times is None or self._used[number] < entry.times
            if left and (entry.fail or answers(entry)) and _fits(entry, prompt):
                self._used[number] += 1
                return Failed(entry.fail, entry.retryable) if entry.fail else answer(entry, prompt)
        # The question stands last in a prompt. The rest, a customer's words, has no place in a log.
        question = next((part for part in reversed(prompt.parts) if isinstance(part, str)), "")
        return Failed(f"no answer of {self._path} fits the prompt that ends: {question[:120]}")

    def _broken(self, picture: Picture) -> str | None:
        """Return why a picture cannot be shown: a script fails where a model would."""
        if picture not in self._looked_at:
            try:
                fit(picture, MULTIPLE**2)
                self._looked_at[picture] = None
            except PictureError as error:
                self._looked_at[picture] = error.reason
        return self._looked_at[picture]


def _fits(entry: Entry, prompt: Prompt) -> bool:
    text = "\n".join([prompt.system, *(part for part in prompt.parts if isinstance(part, str))])
    if not all(piece in text for piece in entry.match):
        return False
    name = entry.picture
    return name is None or any(
        picture.path.name == name or picture.sha256.startswith(name) for picture in prompt.pictures
    )


def _usage(prompt: Prompt, completion: int) -> Usage:
    characters = len(prompt.system) + sum(len(part) for part in prompt.parts if isinstance(part, str))
    pictures = len(prompt.pictures)
    return Usage(characters + pictures, completion, pictures)
