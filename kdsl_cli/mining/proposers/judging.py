"""From what a model wrote to moves: read, judged on the sample, its questions tried and asked."""

from __future__ import annotations

import random
from typing import NamedTuple

from kdsl_cli.backends.backend import Failed, Generated
from kdsl_cli.backends.budget import BudgetSpent
from kdsl_cli.evidence.questions import Answer
from kdsl_cli.logic.predicates import AnswerPredicate
from kdsl_cli.mining.candidates import Candidate, judged
from kdsl_cli.mining.drafts import MIN_FOUND, Draft
from kdsl_cli.mining.proposers.counts import Outcome
from kdsl_cli.mining.proposers.desk import Desk
from kdsl_cli.mining.proposers.panels import Questions
from kdsl_cli.mining.proposers.proposer import Step, outcome
from kdsl_cli.mining.proposers.question_book import told_apart
from kdsl_cli.mining.proposers.reading import Part, UnusableError, read_suggestion
from kdsl_cli.mining.proposers.showing import Groups, chosen
from kdsl_cli.mining.sample import Mask, Sample
from kdsl_cli.runs.seeds import child_seed


class RejectedError(Exception):
    """An answer becomes no proposal; `became` is what it counts as."""

    def __init__(self, became: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.became = became


class Read(NamedTuple):
    """An answer as moves, with the model's sentence and its mean token log-probability (None: not told)."""

    steps: tuple[Step, ...]
    why: str
    score: float | None


class Judge:
    """Judges what is proposed for the drafts of one intent.

    Parameters
    ----------
    desk
        What the task's searches share.
    sample, intent
        The dialogues that count, and whose rules are searched.
    questions
        Those of the run so far; new ones are added.
    """

    def __init__(self, desk: Desk, sample: Sample, intent: str, questions: Questions) -> None:
        self._desk = desk
        self._sample = sample
        self._intent = intent
        self._positives = sample.positives(intent)
        self._questions = questions
        self._questions_left = desk.settings.questions

    def read(self, draft: Draft, sorted_out: Groups, answer: Generated | Failed) -> Read:
        """Return an answer as moves.

        Parameters
        ----------
        draft
            What it was proposed for.
        sorted_out
            What the draft does to the dialogues that count.

        Raises
        ------
        RejectedError
            If it is no move that would help.
        """
        settings = self._desk.settings
        if isinstance(answer, Failed):
            raise RejectedError("failed", answer.reason)
        if answer.finish == "length":
            raise RejectedError("invalid", f"cut off after {settings.max_tokens} tokens")
        try:
            room = settings.max_length - draft.length
            suggestion = read_suggestion(answer.text, opening=not draft.clauses, room=room)
        except UnusableError as error:
            raise RejectedError("invalid", str(error)) from None
        steps = tuple(self._step(part, sorted_out) for part in suggestion.parts)
        fires = outcome(draft, steps) & self._sample.seen
        if (fires & self._positives).bit_count() < MIN_FOUND:
            raise RejectedError("useless", f"catches fewer than {MIN_FOUND} dialogues of the intent")
        if fires == draft.fires & self._sample.seen:
            raise RejectedError("useless", "changes nothing")
        return Read(steps, suggestion.why, _score(answer))

    def _step(self, part: Part, sorted_out: Groups) -> Step:
        if isinstance(part.predicate, AnswerPredicate):
            candidate = self._answered(part.predicate, sorted_out)
        else:
            candidate = judged(part.predicate, self._desk.material.dialogues)
        held, n = (candidate.true & self._sample.seen).bit_count(), self._sample.seen.bit_count()
        if not MIN_FOUND <= held < n:
            raise RejectedError("useless", f"holds in {held} of {n} dialogues")
        return Step("exclude" if part.negated else "require", candidate)

    def _answered(self, predicate: AnswerPredicate, sorted_out: Groups) -> Candidate:
        """Return an answer as a candidate: that of all wordings of the question, if there are some."""
        words = self._desk.book.wording(predicate.question)
        if words not in self._questions:
            if not self._questions_left:
                raise RejectedError("untried", f"more than {self._desk.settings.questions} new questions")
            try:
                self._put(words, sorted_out)
            except BudgetSpent:
                self._desk.ledger.spent = True
                raise RejectedError("untried", "the budget is spent") from None
            self._questions_left -= 1
        yes, no = self._questions.pair(words)
        return yes if predicate.is_ else no

    def _put(self, words: str, sorted_out: Groups) -> None:
        """Put a new question to a few dialogues; if it tells anything, in several wordings to all."""
        desk = self._desk
        if not self._promises(words, sorted_out):
            raise RejectedError("useless", f"right and wrong dialogues answer '{words}' alike")
        self._questions.add(desk.book.candidates([words, *desk.rewordings.of(words)]))

    def _promises(self, words: str, sorted_out: Groups) -> bool:
        """Tell whether a question is answered otherwise about the right dialogues than about some rival's.

        Each rival is a trial of its own: what tells one of them apart is lost in the mixture of all. So are
        all together: where dialogues are few, only these are enough to tell chance from sense.
        """
        settings = self._desk.settings
        rng = random.Random(child_seed(settings.seed, self._intent, words, "screened"))

        def answers(members: Mask) -> list[Answer]:
            places = chosen(members, members, settings.screened, rng, self._desk.material.can_show)
            return list(self._desk.book.ask(words, places).values())

        right, others = answers(sorted_out.right), list[Answer]()
        doubt = settings.doubt / (1 + len(sorted_out.rivals))
        for rival in sorted_out.rivals:
            theirs = answers(sorted_out.wrong & self._sample.positives(rival))
            others += theirs
            if min(told_apart(right, theirs), told_apart(right, others)) <= doubt:
                return True
        return False


def _score(answer: Generated) -> float | None:
    if answer.logprob is None or not answer.usage.completion_tokens:
        return None
    return answer.logprob / answer.usage.completion_tokens
