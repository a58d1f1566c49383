"""The questions of a task: asked once, remembered for every search, and turned into candidates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Protocol

from scipy.stats import fisher_exact

from kdsl_cli.dialogues.normalise import normalise
from kdsl_cli.evidence.questions import Answer, Shown
from kdsl_cli.logic.predicates import AnswerPredicate
from kdsl_cli.mining.candidates import Candidate
from kdsl_cli.mining.sample import mask_of


class Asker(Protocol):
    """Who answers; `kdsl_cli.evidence.questions.Questioner` is one."""

    def ask_many(self, questions: Sequence[str], shown: Sequence[Shown]) -> Sequence[Sequence[Answer]]:
        """Return the answers to some questions about each dialogue: one row a question."""
        ...


class QuestionBook:
    """Remembers answers by question and dialogue.

    Two questions are one if they are equal once normalised and without marks around them; the wording that
    came first stands for both.

    Parameters
    ----------
    asker
        Who answers.
    shown
        The sample's dialogues in bit order, as a model is shown them.
    """

    def __init__(self, asker: Asker, shown: Sequence[Shown]) -> None:
        self._asker = asker
        self._shown = tuple(shown)
        self._wordings: dict[str, str] = {}
        self._answers: dict[str, dict[int, Answer]] = {}

    def wording(self, question: str) -> str:
        """Return the wording under which a question is asked.

        Examples
        --------
        >>> book = QuestionBook(None, ())
        >>> book.wording("Is it red?"), book.wording("is it  RED")
        ('Is it red?', 'Is it red?')
        """
        bare = " ".join(normalise(question).split()).strip("?!. 。")
        return self._wordings.setdefault(bare, question)

    def remember(self, ids: Sequence[str], answers: Iterable[tuple[str, str, Answer]]) -> None:
        """Take in what was answered before; `ids` as for `rows`, others are passed over."""
        places = {id: place for place, id in enumerate(ids)}
        for id, question, answer in answers:
            if id in places:
                self._answers.setdefault(self.wording(question), {})[places[id]] = answer

    def ask(self, question: str, places: Iterable[int]) -> dict[int, Answer]:
        """Return the answers about some dialogues; only what was not asked before is asked.

        Raises
        ------
        BackendError
            If nothing can be answered at all, or a budget is spent; what is known stays known.
        """
        wanted, words = sorted(set(places)), self.wording(question)
        self._fetch([words], wanted)
        return {place: self._answers[words][place] for place in wanted}

    def candidates(self, questions: Iterable[str]) -> dict[str, tuple[Candidate, Candidate]]:
        """Ask questions of all dialogues; return "the answer is yes" and "the answer is no" of each.

        Raises
        ------
        BackendError
            As for `ask`.
        """
        words = list(dict.fromkeys(map(self.wording, questions)))
        self._fetch(words, range(len(self._shown)))
        return {each: self._pair(each) for each in words}

    def _fetch(self, questions: Iterable[str], places: Sequence[int]) -> None:
        """Ask what is not known; those that lack the same dialogues together, so that these are read once."""
        lacking: dict[tuple[int, ...], list[str]] = {}
        for question in questions:
            known = self._answers.setdefault(question, {})
            lacking.setdefault(tuple(place for place in places if place not in known), []).append(question)
        for new, asked in lacking.items():
            rows = self._asker.ask_many(asked, [self._shown[place] for place in new]) if new else ()
            for question, given in zip(asked, rows, strict=False):
                self._answers[question].update(zip(new, given, strict=True))

    def _pair(self, question: str) -> tuple[Candidate, Candidate]:
        values = [answer.value for _, answer in sorted(self._answers[question].items())]
        yes, no = mask_of(value is True for value in values), mask_of(value is False for value in values)
        return (
            Candidate(AnswerPredicate(question, True), yes, no, source="both"),
            Candidate(AnswerPredicate(question, False), no, yes, source="both"),
        )

    def rows(self, ids: Sequence[str]) -> Iterator[tuple[str, str, Answer]]:
        """Yield everything that was answered: dialogue id, question, answer.

        Parameters
        ----------
        ids
            Of the dialogues, in bit order.
        """
        for question, answers in self._answers.items():
            for place, answer in sorted(answers.items()):
                yield ids[place], question, answer


def told_apart(first: Iterable[Answer], second: Iterable[Answer]) -> float:
    """Return how likely chance parts the decided answers of two groups as far as this (Fisher's exact test).

    Examples
    --------
    >>> yes, no = Answer(True), Answer(False)
    >>> round(told_apart([yes] * 5, [no] * 5), 4), told_apart([yes], [Answer(None)])
    (0.0079, 1.0)
    """
    values = [[answer.value for answer in group] for group in (first, second)]
    return _chance(*(group.count(side) for group in values for side in (True, False)))


@lru_cache(maxsize=4096)  # groups are small, so that the same few counts come again and again
def _chance(a: int, b: int, c: int, d: int) -> float:
    return float(fisher_exact([[a, b], [c, d]]).pvalue)
