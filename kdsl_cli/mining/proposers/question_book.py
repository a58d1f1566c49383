"""The questions of a task: asked once, remembered for every search, and turned into candidates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from kdsl_cli.dialogues.normalise import normalise
from kdsl_cli.evidence.questions import Answer, Shown
from kdsl_cli.logic.predicates import AnswerPredicate
from kdsl_cli.mining.candidates import Candidate
from kdsl_cli.mining.sample import mask_of


class Asker(Protocol):
    """Who answers; `kdsl_cli.evidence.questions.Questioner` is one."""

    def ask(self, question: str, shown: Sequence[Shown]) -> Sequence[Answer]:
        """Return the answer to one question about each dialogue."""
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

    def ask(self, question: str, places: Iterable[int]) -> dict[int, Answer]:
        """Return the answers about some dialogues; only what was not asked before is asked.

        Raises
        ------
        BackendError
            If nothing can be answered at all, or a budget is spent; what is known stays known.
        """
        wanted = sorted(set(places))
        known = self._answers.setdefault(self.wording(question), {})
        new = [place for place in wanted if place not in known]
        if new:
            given = self._asker.ask(self.wording(question), [self._shown[place] for place in new])
            known.update(zip(new, given, strict=True))
        return {place: known[place] for place in wanted}

    def candidates(self, question: str) -> tuple[Candidate, Candidate]:
        """Ask a question of all dialogues; return "the answer is yes" and "the answer is no".

        Raises
        ------
        BackendError
            As for `ask`.
        """
        everywhere = range(len(self._shown))
        answers = self.ask(question, everywhere)
        yes = mask_of(answers[place].value is True for place in everywhere)
        no = mask_of(answers[place].value is False for place in everywhere)
        words = self.wording(question)
        return (
            Candidate(AnswerPredicate(words, True), yes, no),
            Candidate(AnswerPredicate(words, False), no, yes),
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


def tells_apart(first: Iterable[Answer], second: Iterable[Answer], gap: float) -> bool:
    """Tell whether the shares of yes among the decided answers of two groups are `gap` or more apart.

    Examples
    --------
    >>> yes, no = Answer(True), Answer(False)
    >>> tells_apart([yes, yes, no], [no, no, Answer(None)], 0.25), tells_apart([yes], [Answer(None)], 0.25)
    (True, False)
    """
    shares = [_share_of_yes(group) for group in (first, second)]
    return None not in shares and abs(shares[0] - shares[1]) >= gap  # type: ignore[operator]


def _share_of_yes(answers: Iterable[Answer]) -> float | None:
    decided = [answer.value for answer in answers if answer.value is not None]
    return sum(decided) / len(decided) if decided else None
