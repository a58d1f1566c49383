"""Yes-or-no questions asked of a model about dialogues, with the model's own leaning taken out.

A model that likes to say yes says it of nothing too. So each question is also asked of a content-free input,
and the log-odds found there are subtracted: contextual calibration (Zhao, Wallace, Feng, Klein & Singh 2021,
"Calibrate Before Use", ICML). It takes no labels and no state, only one more call a question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import log
from typing import Final

from kdsl_cli.backends.backend import Backend, Failed, Method, Scored
from kdsl_cli.dialogues.prompting import Part, Prompt
from kdsl_cli.logic.conditions import Condition, leaves
from kdsl_cli.logic.predicates import AnswerPredicate
from kdsl_cli.logic.rule import Rule
from kdsl_cli.runs.hashing import sha256_json

PROMPT_VERSION: Final = "1"
"""Of everything in this module that shapes an answer; part of every key of answers."""

UNDECIDED: Final = 0.1
"""Calibrated log-odds (nats) up to which an answer is neither yes nor no: 47.5 to 52.5 %. Half precision
moves log-probabilities by some hundredths with the rows that happen to share a batch, so an answer
nearer to even than this would be that of the batch, not of the dialogue."""

BATCH: Final = 64
"""Prompts handed to a backend at once: several rounds of what it works on at a time, yet few enough that a
stop is heard soon."""

_SYSTEM: Final = "You are shown a dialogue. Answer the question by what is said and shown in it alone."
_CHOICES: Final = ("yes", "no")
_NOTHING: Final[tuple[Part, ...]] = ("(nothing)",)

Shown = tuple[Part, ...] | None
"""A dialogue as a model is shown it (`evidence.showing`); None: it cannot be shown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says to a question about one dialogue.

    Attributes
    ----------
    value
        True yes, False no; None: undecided, or failed (`error` says which).
    log_odds
        Of yes against no, in nats, calibrated. None: not told, or failed.
    method
        How the model was asked. None: it was not, or did not answer.
    error
        Why there is no answer. None: there is one, or the model cannot decide.
    """

    value: bool | None
    log_odds: float | None = None
    method: Method | None = None
    error: str | None = None


class Questioner:
    """Asks one backend, and never the same twice: answers are kept in memory, failures are not.

    Parameters
    ----------
    backend
        Who is asked; `kdsl_cli.backends.cache` makes it remember from run to run.
    batch
        Prompts a call to it.
    """

    def __init__(self, backend: Backend, batch: int = BATCH) -> None:
        self._backend = backend
        self._batch = batch
        self._known: dict[tuple[str, str], Scored | Failed] = {}

    def ask(self, question: str, shown: Sequence[Shown]) -> tuple[Answer, ...]:
        """Return the answer to one question about each dialogue; the rest is as in `ask_many`."""
        return self.ask_many([question], shown)[0]

    def ask_many(
        self,
        questions: Sequence[str],
        shown: Sequence[Shown],
        tell: Callable[[int], None] = lambda done: None,
    ) -> tuple[tuple[Answer, ...], ...]:
        """Return the answers to some questions about each dialogue: one row a question.

        All questions about one dialogue are asked one after the other: they share their beginning, which
        a server or a model then reads once.

        Parameters
        ----------
        tell
            Called after each batch with its number of prompts; what it raises ends the asking.

        Raises
        ------
        BackendError
            If nothing can be answered at all; what was answered before stays known (`told`).
        """
        todo = self.missing(questions, shown)
        asked = list(todo)
        for start in range(0, len(asked), self._batch):
            keys = asked[start : start + self._batch]
            rows = self._backend.score([todo[key] for key in keys], _CHOICES)
            self._known.update(zip(keys, rows, strict=True))
            tell(len(keys))
        return self.told(questions, shown)

    def missing(self, questions: Sequence[str], shown: Sequence[Shown]) -> dict[tuple[str, str], Prompt]:
        """Return the prompts that `ask_many` would ask, in its order, by question and dialogue."""
        return {
            (question, digest): prompt(question, parts)
            for parts in (_NOTHING, *shown)
            if parts is not None and (digest := _digest(parts))
            for question in questions
            if not isinstance(self._known.get((question, digest)), Scored)
        }

    def told(self, questions: Sequence[str], shown: Sequence[Shown]) -> tuple[tuple[Answer, ...], ...]:
        """Return what is known by now, without asking anybody; what is not is a failed answer."""
        digests = [None if parts is None else _digest(parts) for parts in shown]
        nothing, unasked = _digest(_NOTHING), Failed("not asked")
        return tuple(
            tuple(
                Answer(None, error="a picture cannot be opened")
                if digest is None
                else calibrated(
                    self._known.get((question, digest), unasked),
                    self._known.get((question, nothing), unasked),
                )
                for digest in digests
            )
            for question in questions
        )


def asked_by(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Return the questions that the active ones of some rules ask, sorted."""
    return asked_in(rule.when for rule in rules if rule.active)


def asked_in(conditions: Iterable[Condition]) -> tuple[str, ...]:
    """Return the questions in some conditions, each once, sorted."""
    predicates = (leaf for condition in conditions for leaf in leaves(condition))
    return tuple(sorted({leaf.question for leaf in predicates if isinstance(leaf, AnswerPredicate)}))


def prompt(question: str, parts: tuple[Part, ...]) -> Prompt:
    """Return a question about a dialogue as a model is asked it: the dialogue first.

    Examples
    --------
    >>> print(prompt("Is money asked back?", ("customer:", "退款")).preview())
    SYSTEM: You are shown a dialogue. Answer the question by what is said and shown in it alone.
    customer:
    退款
    Question: Is money asked back?
    Answer yes or no.
    """
    return Prompt(_SYSTEM, (*parts, f"Question: {question}\nAnswer yes or no."))


def calibrated(scored: Scored | Failed, neutral: Scored | Failed) -> Answer:
    """Return the answer that scores of yes and no amount to.

    Parameters
    ----------
    scored
        For the dialogue.
    neutral
        For the content-free input.

    Examples
    --------
    >>> leaning = Scored((-0.1, -2.1), "likelihood")
    >>> calibrated(Scored((-0.3, -1.3), "likelihood"), leaning)
    Answer(value=False, log_odds=-1.0, method='likelihood', error=None)
    >>> calibrated(Scored((0.0, None), "choice"), Scored((0.0, None), "choice"))
    Answer(value=True, log_odds=None, method='choice', error=None)
    """
    if isinstance(scored, Failed):
        return Answer(None, error=scored.reason)
    told = _log_odds(scored)
    if told is None:
        return Answer(_alone(scored), method=scored.method)
    leaning = _log_odds(neutral) if isinstance(neutral, Scored) else None
    if leaning is None:
        why = neutral.reason if isinstance(neutral, Failed) else "one side is not told"
        return Answer(None, method=scored.method, error=f"asked without a dialogue: {why}")
    odds = told - leaning
    return Answer(odds > 0 if abs(odds) > UNDECIDED else None, odds, scored.method)


def _log_odds(scored: Scored) -> float | None:
    yes, no = scored.logprobs
    return None if yes is None or no is None else yes - no


def _alone(scored: Scored) -> bool | None:
    """Return the only side that is told, if more than half is on it: then the other cannot be likelier."""
    for value, logprob in zip((True, False), scored.logprobs, strict=True):
        if logprob is not None:
            return value if logprob > log(0.5) else None
    return None


def _digest(parts: tuple[Part, ...]) -> str:
    return sha256_json(Prompt("", parts).content())
