"""What every proposer must keep to; a new one joins the list."""

from __future__ import annotations

import pytest

from kdsl_cli.logic.conditions import condition_key
from kdsl_cli.logic.predicates import Predicate
from kdsl_cli.mining.candidates import Candidate
from kdsl_cli.mining.drafts import Draft, Workbench, can_widen
from kdsl_cli.mining.miner import workbench_for
from kdsl_cli.mining.proposers.proposer import MakeProposer, Proposal, Proposer
from kdsl_cli.mining.proposers.statistical import make_statistical
from kdsl_cli.mining.sample import Sample

from .planted import RULES, candidate, has, planted, shuffled
from .talk import make_mixed, make_model

PROPOSERS: dict[str, MakeProposer] = {
    "statistical": make_statistical,
    "model": make_model,
    "mixed": make_mixed,
}

EMPTY = Draft((), 0xFF, 0xFF)

all_proposers = pytest.mark.parametrize("make", PROPOSERS.values(), ids=PROPOSERS)
all_intents = pytest.mark.parametrize("intent", list(RULES))


def over(sample: Sample, intent: str, make: MakeProposer) -> Proposer:
    return make(sample, intent, planted().pool)


def moved(bench: Workbench, draft: Draft, proposal: Proposal) -> Draft:
    for step in proposal.steps:
        draft = bench.move(draft, step.move, step.candidate)
    return draft


def predicate(proposal: Proposal) -> Predicate:
    return proposal.steps[0].candidate.predicate


def reached(proposer: Proposer, sample: Sample, intent: str) -> list[tuple[Draft, Proposal]]:
    """Return drafts up to three moves deep, each with a move that is proposed for it."""
    bench = workbench_for(sample, intent)
    drafts = [bench.empty()]
    pairs: list[tuple[Draft, Proposal]] = []
    for _ in range(3):
        level = [(draft, proposal) for draft in drafts for proposal in proposer.propose(draft, 4)]
        pairs += level
        drafts = [moved(bench, draft, proposal) for draft, proposal in level]
    return pairs


@all_proposers
@all_intents
def test_the_most_promising_come_first_none_twice(make: MakeProposer, intent: str) -> None:
    proposer = over(planted().sample, intent, make)
    for draft in {id(draft): draft for draft, _ in reached(proposer, planted().sample, intent)}.values():
        proposals = proposer.propose(draft, 8)
        priors = [proposal.prior for proposal in proposals]
        assert priors == sorted(priors, reverse=True)
        assert all(0 <= prior <= 1 for prior in priors)
        labels = [
            tuple((step.move, condition_key(step.candidate.predicate)) for step in proposal.steps)
            for proposal in proposals
        ]
        assert len(set(labels)) == len(labels) <= 8
        assert proposer.propose(draft, 3) == proposals[:3]


@all_proposers
@all_intents
def test_every_move_is_allowed_changes_the_draft_and_makes_it_longer(make: MakeProposer, intent: str) -> None:
    sample = planted().sample
    bench = workbench_for(sample, intent)
    pairs = reached(over(sample, intent, make), sample, intent)
    assert pairs
    for draft, proposal in pairs:
        first = proposal.steps[0]
        if not draft.clauses:
            assert first.move == "require"
        for step in proposal.steps:
            assert step.move != "widen" or (step == first and can_widen(draft, step.candidate.predicate))
        after = moved(bench, draft, proposal)
        assert after.fires & sample.positives(intent)
        assert after.fires != draft.fires
        assert after.length > draft.length


@all_proposers
def test_labels_of_a_fold_that_does_not_count_change_nothing(
    make: MakeProposer,
) -> None:
    one, other = planted().sample, shuffled(planted().sample, 1)
    fold = one.folds[0]
    labels = [
        b if fold >> i & 1 else a for i, (a, b) in enumerate(zip(one.labels, other.labels, strict=True))
    ]
    rest, changed = one.without(0), one.relabelled(labels).without(0)
    assert labels != list(one.labels)
    for intent in RULES:
        empty = workbench_for(rest, intent).empty()
        assert over(rest, intent, make).propose(empty, 60) == over(changed, intent, make).propose(empty, 60)


@all_proposers
def test_many_drafts_at_once_get_what_each_gets_alone(make: MakeProposer) -> None:
    sample = planted().sample
    alone = over(sample, "refund", make)
    bench = workbench_for(sample, "refund")
    drafts = [bench.empty(), *(moved(bench, bench.empty(), p) for p in alone.propose(bench.empty(), 2))]
    one_by_one = [alone.propose(draft, 3 + place) for place, draft in enumerate(drafts)]
    limits = [3 + place for place in range(len(drafts))]
    assert over(sample, "refund", make).propose_many(drafts, limits) == one_by_one
    assert over(sample, "refund", make).propose_many([], []) == []


@all_proposers
def test_a_later_round_proposes_no_less_for_the_empty_draft(make: MakeProposer) -> None:
    sample = planted().sample
    proposer, empty = over(sample, "refund", make), workbench_for(sample, "refund").empty()
    first = proposer.for_round(0, 0).propose(empty, 99)
    second = proposer.for_round(1, sample.positives("refund")).propose(empty, 99)
    assert {proposal.steps for proposal in first} <= {proposal.steps for proposal in second}


@all_proposers
@pytest.mark.parametrize(("labels", "seen"), [("bbbb", 0b1111), ("aaaa", 0b1111), ("aabb", 0), ("", 0)])
def test_where_there_is_nothing_to_tell_apart_nothing_is_proposed(
    make: MakeProposer, labels: str, seen: int
) -> None:
    sample = Sample(tuple(labels), ("a", "b"), (), seen)
    proposer = make(sample, "a", [candidate([0, 1], [2, 3])] if labels else [])
    assert proposer.propose(Draft((), 0b1111, seen), 5) == ()


def test_a_catalogue_name_opens_before_a_phrase_that_holds_as_often() -> None:
    plain = candidate([0, 1, 4], [2, 3, 5, 6, 7], "甲")
    named = Candidate(has("乙"), plain.true, plain.false, frozenset({"a"}))
    sample = Sample(tuple("aaaabbbb"), ("a", "b"), (), 0xFF)
    proposals = make_statistical(sample, "a", [plain, named]).propose(EMPTY, 5)
    assert [proposal.steps[0].candidate for proposal in proposals] == [named, plain]
    other = make_statistical(sample.relabelled("bbbbaaaa"), "b", [plain, named]).propose(EMPTY, 5)
    assert other[0].prior == other[1].prior == proposals[1].prior


def test_the_words_of_a_rival_are_proposed_for_exclusion() -> None:
    sample = planted().sample
    proposer = make_statistical(sample, "refund", planted().pool)
    bench = workbench_for(sample, "refund")
    (opening,) = [p for p in proposer.propose(bench.empty(), 60) if predicate(p) == has("退款")]
    first = proposer.propose(moved(bench, bench.empty(), opening), 1)[0]
    assert (first.steps[0].move, predicate(first)) == ("exclude", has("退货"))
