"""The model proposer: a small multimodal model looks at what a draft gets wrong, and says what to add.

Expansion from mistakes, as PromptAgent (Wang et al. 2023, arXiv 2310.16427) expands prompts: the action comes
from a model that is shown the errors of the state, and the search keeps what works. What a model says is
never believed: it is read strictly, judged on the sample like any other draft, and its questions are asked of
every dialogue before a rule can hang on them.

Priors are the softmax of the proposals' mean token log-probabilities over `sharpness`, scaled so that the
likeliest has `HEAD_START`; where a backend tells no probabilities, all have it. Ours, not the paper's.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Final

from kdsl_cli.backends.backend import Failed, Generated, Sampling
from kdsl_cli.backends.budget import BudgetSpent
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.logic.conditions import condition_key
from kdsl_cli.mining.candidates import Candidate
from kdsl_cli.mining.drafts import MIN_FOUND, MIN_SHED, Draft
from kdsl_cli.mining.proposers.asking import Case, Example, proposal_prompt
from kdsl_cli.mining.proposers.desk import Desk
from kdsl_cli.mining.proposers.judging import Judge, Read, RejectedError
from kdsl_cli.mining.proposers.panels import Questions
from kdsl_cli.mining.proposers.proposer import Proposal, outcome
from kdsl_cli.mining.proposers.schema import proposal_schema
from kdsl_cli.mining.proposers.showing import Groups, chosen, groups, most_alike
from kdsl_cli.mining.sample import Mask, Sample
from kdsl_cli.runs.seeds import child_seed

HEAD_START: Final = 0.6
"""Prior of the likeliest proposal: that of a good statistical opening, to be tried among the first."""

QUESTIONS_TOLD: Final = 6
"""Earlier questions named in a prompt, at most: the latest."""

EMPTY_KEY: Final = ""

_Asked = tuple[Prompt, int]
"""A prompt, and the seed of the answer."""


class ModelProposer:
    """Proposes what a model says should be added to the drafts of one intent.

    Parameters
    ----------
    desk
        What the task's searches share.
    sample, intent, pool
        As for `IntentMiner`; the pool only tells which intents are alike.
    questions
        Those of the run so far; new ones are added.
    """

    def __init__(
        self, desk: Desk, sample: Sample, intent: str, pool: Sequence[Candidate], questions: Questions
    ) -> None:
        self._desk = desk
        self._sample = sample
        self._intent = intent
        self._pool = pool
        self._questions = questions
        self._judge = Judge(desk, sample, intent, questions)
        self._positives = sample.positives(intent)
        self._held: Mask = 0
        self._told = tuple(questions.offered())
        self._left = desk.settings.asked
        self._allowed = (desk.settings.asked + 1) // 2
        self._met: set[str] = set()
        self._known: dict[str, tuple[Proposal, ...]] = {}

    def propose(self, draft: Draft, limit: int) -> tuple[Proposal, ...]:
        """Return what the model proposes, the likeliest first; nothing for a draft it is not asked about."""
        return self.propose_many([draft], [limit])[0]

    def propose_many(self, drafts: Sequence[Draft], limits: Sequence[int]) -> list[tuple[Proposal, ...]]:
        """Return `propose` of each draft; the model is asked about all of them at once."""
        asked = [draft for draft in drafts if self._may_ask(draft)]
        if asked:
            self._ask(asked)
        if not self._known:
            return [()] * len(drafts)
        return [self._known.get(_key(draft), ())[:limit] for draft, limit in zip(drafts, limits, strict=True)]

    def for_round(self, number: int, held: Mask) -> ModelProposer:
        """Return itself, ready to be asked about the empty draft once more, now that rules hold `held`."""
        self._held = held
        # As they stood when the round began: a prompt does not hang on which draft was asked about before.
        self._told = tuple(self._questions.offered())
        if number:
            self._allowed = 1
            self._met.discard(EMPTY_KEY)
        return self

    def prompt(self, draft: Draft) -> Prompt:
        """Return what the model is asked about a draft."""
        return self._prompt(draft, self._groups(draft))

    @cached_property
    def _alike(self) -> tuple[str, ...]:
        return most_alike(self._sample, self._intent, self._pool)

    def _groups(self, draft: Draft) -> Groups:
        return groups(draft, self._intent, self._sample, self._alike, self._desk.settings.rivals)

    def _may_ask(self, draft: Draft) -> bool:
        """Tell whether the model is to be asked about a draft, and count it as asked."""
        if self._desk.ledger.spent or not (self._left and self._allowed):
            return False
        key = _key(draft)
        if key in self._met or self._desk.settings.max_length <= draft.length:
            return False
        right = (draft.fires & self._positives).bit_count()
        wrong = (draft.fires & self._sample.seen & ~self._positives).bit_count()
        if right < MIN_FOUND or wrong < MIN_SHED:
            return False
        self._met.add(key)
        self._left -= 1
        self._allowed -= 1
        return True

    def _ask(self, drafts: Sequence[Draft]) -> None:
        """Ask about some drafts and remember what is proposed for each."""
        sorted_out = [self._groups(draft) for draft in drafts]
        prompts = [self._prompt(draft, one) for draft, one in zip(drafts, sorted_out, strict=True)]
        for draft, one, answers in zip(drafts, sorted_out, self._samples(prompts), strict=True):
            before = self._known.get(_key(draft), ())
            new = self._proposals(draft, one, answers, before)
            self._known[_key(draft)] = tuple(sorted((*before, *new), key=lambda one: -one.prior))

    def _samples(self, prompts: Sequence[Prompt]) -> list[list[Generated | Failed]]:
        """Return several answers to each prompt, asked for at once; fewer if the budget ends the asking."""
        settings = self._desk.settings
        sampling = Sampling(
            settings.max_tokens,
            settings.temperature,
            schema=proposal_schema(pictures=self._desk.material.pictures, most=settings.max_length),
        )
        seeds = [child_seed(settings.seed, "propose", str(number)) for number in range(settings.samples)]
        asked = [(prompt, seed) for prompt in prompts for seed in seeds]
        try:
            answers = self._written(asked, sampling)
        except BudgetSpent:
            self._desk.ledger.spent = True
            answers = list(self._affordable(asked, sampling))
        return [answers[start : start + len(seeds)] for start in range(0, len(asked), len(seeds))]

    def _affordable(self, asked: Sequence[_Asked], sampling: Sampling) -> Iterator[Generated | Failed]:
        """Yield the first answers, as many as the budget still holds."""
        for one in asked:
            try:
                yield from self._written([one], sampling)
            except BudgetSpent:
                return

    def _written(self, asked: Sequence[_Asked], sampling: Sampling) -> list[Generated | Failed]:
        prompts, seeds = zip(*asked, strict=True)
        return self._desk.backend.generate(prompts, sampling, seeds)

    def _prompt(self, draft: Draft, sorted_out: Groups) -> Prompt:
        task = self._desk.material.task
        rng = random.Random(child_seed(self._desk.settings.seed, self._intent, _key(draft), "shown"))
        case = Case(
            draft,
            self._desk.settings.max_length - draft.length,
            tuple(task.intent(name) for name in sorted_out.rivals),
            self._examples(sorted_out.right, rng),
            self._examples(sorted_out.wrong, rng),
            self._examples(sorted_out.missed, rng),
            self._told[-QUESTIONS_TOLD:],
        )
        return proposal_prompt(task, task.intent(self._intent), case, pictures=self._desk.material.pictures)

    def _examples(self, members: Mask, rng: random.Random) -> tuple[Example, ...]:
        """Draw dialogues to show, those first that no kept rule holds."""
        material, n = self._desk.material, self._desk.settings.shown
        places = chosen(members & self._sample.seen, ~self._held, n, rng, material.can_show)
        return tuple((self._sample.labels[place], material.shown[place] or ()) for place in places)

    def _proposals(
        self,
        draft: Draft,
        sorted_out: Groups,
        answers: Iterable[Generated | Failed],
        before: Iterable[Proposal],
    ) -> list[Proposal]:
        """Read answers; of those that catch the same, the first counts, as likely as the likeliest."""
        seen = self._sample.seen
        taken = {outcome(draft, proposal.steps) & seen for proposal in before}
        found: dict[Mask, Read] = {}
        for answer in answers:
            try:
                read = self._judge.read(draft, sorted_out, answer)
                fires = outcome(draft, read.steps) & seen
                if fires in taken:
                    raise RejectedError("duplicate", "proposed before")
                if fires in found:
                    found[fires] = found[fires]._replace(score=_larger(found[fires].score, read.score))
                    raise RejectedError("duplicate", "proposed twice")
            except RejectedError as rejected:
                self._desk.ledger.note(rejected.became, str(rejected))
            else:
                found[fires] = read
                self._desk.ledger.note("valid")
        priors = _priors([read.score for read in found.values()], self._desk.settings.sharpness)
        return [
            Proposal(read.steps, prior, "model", read.why)
            for read, prior in zip(found.values(), priors, strict=True)
        ]


def _key(draft: Draft) -> str:
    return condition_key(draft.condition()) if draft.clauses else EMPTY_KEY


def _larger(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else max(one, other)


def _priors(scores: Sequence[float | None], sharpness: float) -> list[float]:
    """Return the softmax of scores, scaled to `HEAD_START` for the best; equal ones unless all are known."""
    known = [score for score in scores if score is not None]
    if len(known) < len(scores):
        return [HEAD_START] * len(scores)
    best = max(known, default=0.0)
    return [HEAD_START * math.exp((score - best) / sharpness) for score in known]
