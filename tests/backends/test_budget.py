"""A budget holds, and a run that goes on ends where one at once would have."""

from __future__ import annotations

import time

import pytest

from kdsl_cli.backends.backend import Sampling
from kdsl_cli.backends.budget import Budget, BudgetSpent
from kdsl_cli.backends.cache import CachedBackend
from kdsl_cli.backends.store import AnswerStore
from tests.backends.contract import CHOICES
from tests.backends.scripts import ask, scripted, shown


@pytest.fixture
def run(tmp_path):
    """Ask for batches under a budget until it is spent; return the batches answered, and what it asked."""

    def run(batches, **limits):
        model, answered = scripted(tmp_path), 0
        with AnswerStore(tmp_path / "calls.sqlite") as store:
            backend = CachedBackend(model, store, purpose="test", budget=Budget(**limits), chunk=1)
            try:
                for words in batches:
                    backend.generate(ask(*words), Sampling())
                    answered += 1
            except BudgetSpent as spent:
                return answered, shown(model), str(spent)
        return answered, shown(model), None

    return run


def test_a_batch_that_fits_in_part_is_not_asked_in_part(run):
    answered, asked, told = run(["ab", "cde", "f"], max_calls=4)
    assert (answered, asked) == (1, ["a", "b"])
    assert told.startswith("the model may be asked 4 prompts; 2 were, and 3 more are wanted.")
    assert "the same command goes on from there" in told
    assert run(["ab", "cd"], max_calls=4)[0] == 2


def test_a_prompt_given_twice_in_a_batch_counts_once_and_in_two_batches_twice(run):
    assert run(["aab", "a"], max_calls=3)[0] == 2
    assert run(["aab", "a", "b"], max_calls=3)[0] == 2


@pytest.mark.parametrize("limits", [{"max_calls": 5}, {"max_tokens": 13}], ids=str)
def test_a_run_that_goes_on_ends_where_one_at_once_does(run, limits):
    batches = ["ab", "cb", "d", "ef", "g"]
    run(batches[:2])
    resumed, asked, _ = run(batches, **limits)
    assert (resumed, asked) == (3, ["d"])
    assert run(batches, **limits)[0] == resumed


def test_the_call_that_passes_the_tokens_is_the_last(run):
    # Each answer costs three tokens: one character read, two written.
    assert run(["ab", "cd", "e"], max_tokens=7)[:2] == (2, ["a", "b", "c", "d"])
    assert "may use 7 tokens, and used 12" in run(["ab", "cd", "e"], max_tokens=7)[2]


def test_time_is_looked_at_before_each_chunk(tmp_path):
    model = scripted(tmp_path)
    budget = Budget(deadline=time.monotonic() + 60)

    class Slow:
        spec, identity = model.spec, model.identity

        def score(self, prompts, choices):
            budget.deadline = time.monotonic()
            return model.score(prompts, choices)

    with AnswerStore(tmp_path / "calls.sqlite") as store:
        backend = CachedBackend(Slow(), store, purpose="test", budget=budget, chunk=2)
        with pytest.raises(BudgetSpent, match="time"):
            backend.score(ask(*"abcd"), CHOICES)
        assert shown(model) == ["a", "b"]
        with pytest.raises(BudgetSpent, match="time"):
            backend.score(ask("a"), CHOICES)


def test_backends_may_share_a_budget(tmp_path):
    budget = Budget(max_calls=3)
    with AnswerStore(tmp_path / "calls.sqlite") as store:
        first, second = (
            CachedBackend(scripted(tmp_path), store, purpose=purpose, budget=budget) for purpose in "ab"
        )
        first.generate(ask("a", "b"), Sampling())
        with pytest.raises(BudgetSpent):
            second.generate(ask("c", "d"), Sampling())
        second.generate([], Sampling())
        assert budget.calls == 2
