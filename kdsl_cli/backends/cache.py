"""A model with a memory: what it answered once, it is not asked again.

An answer is known by everything that shaped it: the model's identity, what was asked of it, the prompt's
content and the settings. So a run that was cut off goes on for free, and another revision, image budget or
seed never shares an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar, cast

from kdsl_cli.backends.backend import Backend, Failed, Generated, Sampling, Scored
from kdsl_cli.backends.budget import Budget
from kdsl_cli.backends.store import AnswerStore, Asker
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.errors import BackendError
from kdsl_cli.runs.hashing import sha256_json

A = TypeVar("A", Generated, Scored)


@dataclass(slots=True)
class Tally:
    """What one `CachedBackend` was asked so far: `calls` really, `cached` not; `failures`: of the calls."""

    calls: int = 0
    cached: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    """By reason."""
    tokens: int = 0


class CachedBackend:
    """A backend that passes on only what it does not know. A prompt given twice in one call is asked once.

    Parameters
    ----------
    backend
        The model; closed together with this.
    store
        Where answers are kept and calls logged; closed together with this.
    purpose
        What the model is asked for ("mine-rules"), for the log.
    budget
        None: without limits.
    chunk
        Prompts passed on together. Answers are kept after each chunk, so a kill loses one chunk at most.

    Attributes
    ----------
    tally
        What was asked so far.
    """

    def __init__(
        self,
        backend: Backend,
        store: AnswerStore,
        *,
        purpose: str,
        budget: Budget | None = None,
        chunk: int = 32,
    ) -> None:
        self.tally = Tally()
        self._backend = backend
        self._store = store
        self._purpose = purpose
        self._budget = Budget() if budget is None else budget
        self._chunk = chunk

    @property
    def spec(self) -> str:
        """What the user named the model."""
        return self._backend.spec

    @property
    def identity(self) -> Mapping[str, str]:
        """The model's: a memory changes no answer."""
        return self._backend.identity

    def within_share(self, sharers: int) -> CachedBackend:
        """Return the same model and memory, a tally of its own, and one of so many shares of the budget."""
        return CachedBackend(
            self._backend,
            self._store,
            purpose=self._purpose,
            budget=self._budget.share(sharers),
            chunk=self._chunk,
        )

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int] | None = None
    ) -> list[Generated | Failed]:
        """Return one text a prompt, in order; `seeds` as in `Backend.generate`.

        Raises
        ------
        BudgetSpent
            Before anything is asked if the budget does not hold all of it; in between if time is over.
        BackendError
            If nothing can be answered at all, or the store cannot be used.
        """
        samplings = sampling.seeded(seeds, len(prompts))

        def ask(places: Sequence[int]) -> list[Generated | Failed]:
            few, drawn = [prompts[place] for place in places], [samplings[place].seed for place in places]
            return self._backend.generate(few, sampling, drawn)

        return self._answers("generate", prompts, [asdict(one) for one in samplings], ask)

    def score(self, prompts: Sequence[Prompt], choices: Sequence[str]) -> list[Scored | Failed]:
        """Return how likely each choice is, for each prompt, in order; raises as `generate`."""

        def ask(places: Sequence[int]) -> list[Scored | Failed]:
            return self._backend.score([prompts[place] for place in places], choices)

        return self._answers("score", prompts, [list(choices)] * len(prompts), ask)

    def close(self) -> None:
        """Close the model and the store."""
        self._backend.close()
        self._store.close()

    def _answers(
        self,
        operation: str,
        prompts: Sequence[Prompt],
        settings: Sequence[Any],
        ask: Callable[[Sequence[int]], list[A | Failed]],
    ) -> list[A | Failed]:
        """Return an answer a prompt, known or asked for; `settings` are those of each, `ask` gets places."""
        if not prompts:
            return []
        of_model = dict(self.identity)
        keys = [
            sha256_json([of_model, operation, prompt.content(), how])
            for prompt, how in zip(prompts, settings, strict=True)
        ]
        asked = {key: place for place, key in enumerate(keys)}
        self._budget.take(len(asked))
        # The key holds the operation, so what is kept under it is of the operation's kind.
        answers = cast("dict[str, A | Failed]", self._store.get(asked))
        asker = Asker(self._purpose, operation, self.spec)
        if answers:
            self._store.count_hits(asker, len(answers))
            self.tally.cached += len(answers)
        missing = [key for key in asked if key not in answers]
        for start in range(0, len(missing), self._chunk):
            self._budget.check_time()
            few = missing[start : start + self._chunk]
            answers |= zip(few, self._ask(asker, few, [asked[key] for key in few], ask), strict=True)
        self._budget.spend(sum(_tokens(answer) for answer in answers.values()))
        return [answers[key] for key in keys]

    def _ask(
        self,
        asker: Asker,
        keys: Sequence[str],
        places: Sequence[int],
        ask: Callable[[Sequence[int]], list[A | Failed]],
    ) -> list[A | Failed]:
        try:
            answers = ask(places)
        except BackendError as error:
            self._store.add(asker, keys, [Failed(str(error))] * len(keys))
            raise
        self._store.add(asker, keys, answers)
        self.tally.calls += len(answers)
        self.tally.failures.update(answer.reason for answer in answers if isinstance(answer, Failed))
        self.tally.tokens += sum(_tokens(answer) for answer in answers)
        return answers


def _tokens(answer: Generated | Scored | Failed) -> int:
    return answer.usage.prompt_tokens + answer.usage.completion_tokens
