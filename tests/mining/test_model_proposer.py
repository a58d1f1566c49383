from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import pytest

from kdsl_cli.backends.backend import Failed, Generated
from kdsl_cli.backends.budget import BudgetSpent
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.errors import BackendError
from kdsl_cli.logic.conditions import AtLeast, condition_key
from kdsl_cli.logic.predicates import AnswerPredicate
from kdsl_cli.mining.drafts import Draft
from kdsl_cli.mining.miner import workbench_for
from kdsl_cli.mining.proposers.counts import ProposalCounts
from kdsl_cli.mining.proposers.model import HEAD_START
from kdsl_cli.mining.proposers.model_settings import ModelSettings
from kdsl_cli.mining.proposers.proposer import Proposal
from kdsl_cli.mining.sample import Sample

from .planted import has, planted
from .talk import QUESTION, SETTINGS, proposers, says_rules, shown, written_in
from .talkers import Knower, Talker, answer, proposing, text, written

ONE = ModelSettings(samples=1, shown=2, wordings=1)
TWINS = planted().sample  # "refund" and "both" say the same word


def empty(sample: Sample, intent: str = "refund") -> Draft:
    return workbench_for(sample, intent).empty()


def opened(word: str = "退款", intent: str = "refund") -> Draft:
    bench = workbench_for(TWINS, intent)
    (one,) = [candidate for candidate in planted().pool if candidate.predicate == has(word)]
    return bench.move(bench.empty(), "require", one)


def asked_about(draft: Draft, *said: str | Generated | Failed) -> tuple[tuple[Proposal, ...], ProposalCounts]:
    """Return what becomes of some answers to the prompt about one draft."""
    made = proposers(lambda _, number: said[number], settings=replace(ONE, samples=len(said)))
    return made(TWINS, "refund", planted().pool).propose(draft, 9), made.counts


def test_a_proposal_is_what_the_model_said_with_its_reason() -> None:
    when = {"all": [text("退款"), {"not": text("退货")}]}
    (one,), counts = asked_about(empty(TWINS), proposing(when, "Money, not goods."))
    assert [(step.move, step.candidate.predicate) for step in one.steps] == [
        ("require", has("退款")),
        ("exclude", has("退货")),
    ]
    assert (one.source, one.why, one.prior) == ("model", "Money, not goods.", HEAD_START)
    assert counts == ProposalCounts(asked=1, valid=1)


@pytest.mark.parametrize(
    ("said", "kind", "reason"),
    [
        ("no idea", "invalid", "not JSON"),
        (Generated(proposing(text("退货")), None, "length"), "invalid", "cut off after 256 tokens"),
        (Failed("torn picture"), "failed", "torn picture"),
        (proposing(text("没有人说")), "useless", "holds in 0 of 80"),
        (proposing({"count": {"of": "turns", "gte": 1}}), "useless", "holds in 80 of 80"),
        (proposing(text("退款")), "useless", "changes nothing"),
        (proposing(text("退货")), "useless", "fewer than 2 dialogues"),
        (proposing(answer("Is it night?")), "useless", "answer 'Is it night?' alike"),
    ],
)
def test_what_becomes_nothing_is_counted_with_its_reason(
    said: str | Generated | Failed, kind: str, reason: str
) -> None:
    found, counts = asked_about(opened(), said)
    assert found == ()
    assert (counts.asked, getattr(counts, kind)) == (1, 1)
    assert reason in counts.reasons[0]


def test_what_catches_the_same_is_a_duplicate() -> None:
    same = proposing({"text": {"contains_all": ["退款"]}})
    found, counts = asked_about(empty(TWINS), proposing(text("退款")), same, proposing(text("退款")))
    assert len(found) == 1
    assert (counts.valid, counts.duplicate) == (1, 2)


def test_counts_add_up_whatever_is_said() -> None:
    made = proposers(settings=replace(SETTINGS, samples=30))
    made(TWINS, "refund", planted().pool).propose(empty(TWINS), 9)
    counts = made.counts
    kinds = (counts.valid, counts.invalid, counts.duplicate, counts.useless, counts.failed, counts.untried)
    assert sum(kinds) == counts.asked == 30
    assert all(kinds[:3])
    assert len(counts.reasons) == 5


def test_the_likelier_a_text_by_the_token_the_higher_its_prior() -> None:
    said = [
        written(proposing(text("退款")), logprob=-10.0, tokens=10),
        written(proposing(text("退货")), logprob=-24.0, tokens=12),
        written(proposing({"not": text("退货")}), logprob=-1.0),
        written(proposing({"all": [text("退款"), {"not": text("退货")}]}), logprob=-5.0, tokens=10),
    ]
    found, _ = asked_about(empty(TWINS), *said)
    priors = [proposal.prior for proposal in found]
    assert priors == pytest.approx([HEAD_START, HEAD_START * math.exp(-0.5)])
    assert [len(proposal.steps) for proposal in found] == [2, 1]


def test_where_one_text_has_no_likelihood_all_are_equal() -> None:
    both = {"all": [text("退款"), {"not": text("退货")}]}
    found, _ = asked_about(empty(TWINS), written(proposing(text("退款")), -3.0), proposing(both))
    assert [proposal.prior for proposal in found] == [HEAD_START, HEAD_START]


def test_a_draft_is_asked_about_once_with_as_many_seeds_as_samples_and_the_schema() -> None:
    talker = Talker(says_rules)
    proposer = proposers(talker, settings=SETTINGS)(TWINS, "refund", planted().pool)
    first = proposer.propose(empty(TWINS), 9)
    assert proposer.propose(empty(TWINS), 9) == first
    assert len(talker.asked) == SETTINGS.samples == len({sampling.seed for _, sampling in talker.asked})
    for _, sampling in talker.asked:
        assert sampling.temperature > 0
        assert json.loads(sampling.schema or "")["required"] == ["when", "why"]


def test_so_many_drafts_are_asked_about_and_no_more_the_empty_one_first_in_each_round() -> None:
    talker = Talker(says_rules)
    proposer = proposers(talker, settings=replace(ONE, asked=4))(TWINS, "refund", planted().pool)
    drafts = [empty(TWINS), opened()]
    asked: list[int] = []
    for number in range(4):
        proposer = proposer.for_round(number, TWINS.positives("refund"))
        before = len(talker.asked)
        proposer.propose_many(drafts, [9] * len(drafts))
        asked.append(len(talker.asked) - before)
    assert asked == [2, 1, 1, 0]
    assert all("No rule is there yet" in written_in(prompt) for prompt, _ in talker.asked[2:])


def test_a_prompt_shows_right_wrong_and_missed_under_their_names() -> None:
    talker = Talker(says_rules)
    proposer = proposers(talker, settings=ONE)(TWINS, "both", planted().pool)
    bench = workbench_for(TWINS, "both")
    (one,) = [c for c in planted().pool if c.predicate == has("退款")]
    half = replace(one, true=one.true & ~sum(1 << place for place in range(0, 40)))
    draft = bench.move(bench.empty(), "require", half)
    proposer.propose(draft, 9)
    told = written_in(talker.asked[0][0])
    shown_under = re.findall(r"^(Right|Wrongly caught|Missed) \d \(.*\):$(?:\n.*?)*?#(\d+)#", told, re.M)
    assert [heading for heading, _ in shown_under] == ["Right"] * 2 + ["Wrongly caught"] * 2 + ["Missed"] * 2
    caught = {"Right": True, "Wrongly caught": True, "Missed": False}
    for heading, place in shown_under:
        assert (TWINS.labels[int(place)] == "both") == (heading != "Wrongly caught")
        assert bool(draft.fires >> int(place) & 1) == caught[heading]
    assert 'contains "退款"' in told
    assert "mixed up with:\n- refund" in told
    assert "2 phrases and other parts at most" in told


def test_prompts_about_one_intent_begin_alike() -> None:
    made = proposers()
    first = made.preview(TWINS, "refund", planted().pool)
    talker = Talker(says_rules)
    proposers(talker)(TWINS, "refund", planted().pool).propose(opened(), 1)
    assert first.system == talker.asked[0][0].system
    assert first.parts[0] == talker.asked[0][0].parts[0]


@pytest.mark.parametrize("fold", range(4))
def test_no_prompt_of_a_run_shows_a_dialogue_of_the_fold_it_does_not_see(fold: int) -> None:
    sample = TWINS.without(fold)
    talker = Talker(says_rules)
    made = proposers(talker, settings=replace(SETTINGS, shown=99))
    for intent in sample.intents:
        proposer = made(sample, intent, planted().pool)
        for proposal in proposer.propose(empty(sample, intent), 4):
            bench = workbench_for(sample, intent)
            draft = bench.empty()
            for step in proposal.steps:
                draft = bench.move(draft, step.move, step.candidate)
            proposer.propose(draft, 4)
    assert len(talker.asked) > 5
    places = {int(n) for prompt, _ in talker.asked for n in re.findall(r"#(\d+)#", written_in(prompt))}
    assert places == {place for place in range(80) if sample.seen >> place & 1}


def test_a_dialogue_that_cannot_be_shown_is_left_out() -> None:
    told = list(shown(planted().dialogues))
    torn = [place for place in range(80) if place % 3 == 0]
    for place in torn:
        told[place] = None
    prompt = proposers(told=told, settings=replace(ONE, shown=99)).preview(TWINS, "refund", planted().pool)
    places = {int(n) for n in re.findall(r"#(\d+)#", written_in(prompt))}
    assert places
    assert not places & set(torn)


def says_question(prompt: Prompt, number: int) -> str:
    return proposing(answer(QUESTION))


def test_a_question_is_tried_on_some_then_asked_of_all_and_never_again() -> None:
    knower = Knower(lambda _, told: "退款" in told)
    made = proposers(says_question, asker=knower, settings=replace(ONE, screened=8))
    (one,) = made(TWINS, "refund", planted().pool).propose(empty(TWINS), 9)
    assert one.steps[0].candidate.predicate == AnswerPredicate(QUESTION, True)
    assert one.steps[0].candidate.true == TWINS.positives("refund") | TWINS.positives("both")
    assert sum(n for _, n in knower.asked) == 80
    assert knower.asked[0] == (QUESTION, 8)
    before = len(knower.asked)
    made(TWINS, "both", planted().pool).propose(empty(TWINS, "both"), 9)
    made(TWINS.without(1), "refund", planted().pool).propose(empty(TWINS.without(1)), 9)
    assert len(knower.asked) == before


def test_a_question_that_tells_something_is_put_in_other_words_and_what_most_say_is_its_answer() -> None:
    words = [QUESTION, "Is money wanted back?", "Does the customer ask for money?"]

    def says(prompt: Prompt, number: int) -> str:
        others = json.dumps({"wordings": [each for each in words if each not in written_in(prompt)]})
        return others if "other ways" in written_in(prompt) else says_question(prompt, number)

    knower = Knower(lambda _, told: "退款" in told, wrong=0.1)
    made = proposers(says, asker=knower, settings=replace(ONE, wordings=3))
    (one,) = made(TWINS, "refund", planted().pool).propose(empty(TWINS), 9)
    panel = AtLeast(2, tuple(AnswerPredicate(each, True) for each in words))
    assert condition_key(one.steps[0].candidate.predicate) == condition_key(panel)
    truth = TWINS.positives("refund") | TWINS.positives("both")
    assert (one.steps[0].candidate.true ^ truth).bit_count() < 0.1 * 80
    assert sum(n for _, n in knower.asked) == 3 * 80


def test_a_question_that_tells_nothing_apart_is_not_asked_of_all() -> None:
    knower = Knower(lambda _, told: True)
    made = proposers(says_question, asker=knower, settings=replace(ONE, screened=4))
    assert made(TWINS, "refund", planted().pool).propose(empty(TWINS), 9) == ()
    assert sum(n for _, n in knower.asked) <= 4 * (1 + ONE.rivals)
    assert made.counts.useless == 1


def test_a_question_is_tried_on_dialogues_that_count() -> None:
    sample = TWINS.without(2)
    asked: list[str] = []

    def knows(question: str, told: str) -> bool:
        asked.append(told)
        return True

    made = proposers(says_question, asker=Knower(knows), settings=replace(ONE, screened=99))
    made(sample, "refund", planted().pool).propose(empty(sample), 9)
    places = {int(re.search(r"#(\d+)#", told)[1]) for told in asked}  # type: ignore[index]
    assert places
    assert all(sample.seen >> place & 1 for place in places)


def test_new_questions_of_a_search_have_a_limit() -> None:
    def says(prompt: Prompt, number: int) -> str:
        return proposing(answer(f"Is it {number}?"))

    made = proposers(
        says,
        asker=Knower(lambda _, told: "退款" in told, wrong=0.05),
        settings=replace(ONE, samples=5, questions=2),
    )
    found = made(TWINS, "refund", planted().pool).propose(empty(TWINS), 9)
    assert len(found) == 2
    assert made.counts.untried == 3
    assert "more than 2 new questions" in made.counts.reasons[-1]


class Poor(Talker):
    """Answers so often, then has no budget."""

    def __init__(self, calls: int, error: BackendError) -> None:
        super().__init__(says_rules)
        self._calls, self._error = calls, error

    def generate(self, prompts, sampling, seeds=None):  # type: ignore[no-untyped-def]
        if self._calls < len(prompts):
            raise self._error
        self._calls -= len(prompts)
        return super().generate(prompts, sampling, seeds)


def test_once_the_budget_is_spent_nothing_more_is_asked_and_what_was_said_counts() -> None:
    talker = Poor(5, BudgetSpent("spent"))
    made = proposers(talker, settings=SETTINGS)
    proposer = made(TWINS, "refund", planted().pool)
    found = proposer.propose(empty(TWINS), 9)
    assert found
    assert made.spent
    assert made.counts.asked == 5 < SETTINGS.samples
    assert proposer.propose(opened(), 9) == ()
    assert made(TWINS, "both", planted().pool).propose(empty(TWINS, "both"), 9) == ()
    assert len(talker.asked) == 5


def test_a_budget_that_ends_amid_a_question_ends_the_asking() -> None:
    class Spent(Knower):
        def ask(self, question, shown):  # type: ignore[no-untyped-def]
            raise BudgetSpent("spent")

    made = proposers(says_question, asker=Spent(lambda *_: None), settings=ONE)
    assert made(TWINS, "refund", planted().pool).propose(empty(TWINS), 9) == ()
    assert made.spent
    assert made.counts.untried == 1
    assert made.counts.reasons == ("the budget is spent",)


def test_a_model_that_is_gone_is_told() -> None:
    made = proposers(Poor(0, BackendError("gone")), settings=ONE)
    with pytest.raises(BackendError, match="gone"):
        made(TWINS, "refund", planted().pool).propose(empty(TWINS), 9)
