import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl_cli.search.mcts import EXHAUSTED, Mcts
from kdsl_cli.search.problem import Named
from kdsl_cli.search.selection import Puct, Uct, Widening
from kdsl_cli.search.stopping import Simulations

from .test_mcts import searches
from .toys import Bandit, Graph, ManySubsets, picture

BATCHES = st.integers(1, 9)


class Moody(ManySubsets):
    """Fails whenever its mood says so."""

    def __init__(self, *of, mood=None, **more):
        super().__init__(*of, **more)
        self.mood = mood or random.Random(0)

    def actions_many(self, states):
        self.sulk()
        return super().actions_many(states)

    def evaluate_many(self, states):
        self.sulk()
        return super().evaluate_many(states)

    def sulk(self):
        if self.mood.random() < 0.3:
            raise OSError("the model did not answer")


def counts(search):
    """Return what a search has learnt of rewards: all but admitted edges that were never followed."""
    seen = [node | {"edges": [edge for edge in node["edges"] if edge["visits"]]} for node in picture(search)]
    return [{name: value for name, value in node.items() if name != "exhausted"} for node in seen]


# --- the order of things ------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(make=searches(), budget=st.integers(0, 60))
def test_a_problem_asked_in_batches_of_one_is_searched_as_if_asked_one_by_one(make, budget):
    log, many_log = [], []
    _, one = make(log.append)
    many_problem, many = make(many_log.append, toy=ManySubsets)
    one.run(Simulations(budget))
    many.run(Simulations(budget))
    assert (many_log, picture(many)) == (log, picture(one))
    assert all(len(asked) == 1 for _, asked in many_problem.calls)


@settings(max_examples=40, deadline=None)
@given(make=searches(), budget=st.integers(0, 60), batch=BATCHES)
def test_a_problem_asked_in_batches_gets_the_tree_of_one_that_is_not(make, budget, batch):
    log, many_log = [], []
    one_problem, one = make(log.append, batch)
    many_problem, many = make(many_log.append, batch, ManySubsets)
    one.run(Simulations(budget))
    many.run(Simulations(budget))
    assert (many_log, picture(many)) == (log, picture(one))
    assert many_problem.asked == one_problem.asked
    for question in ("actions", "evaluate"):
        asked = [key for name, keys in many_problem.calls if name == question for key in keys]
        assert len(asked) == len(set(asked)), f"{question}: a key was asked about twice"
    assert all(1 <= len(keys) <= batch for _, keys in many_problem.calls)


@settings(max_examples=40, deadline=None)
@given(make=searches(), batch=BATCHES, parts=st.lists(st.integers(1, 9), min_size=1))
def test_a_batch_done_in_parts_is_the_batch_done_at_once(make, batch, parts):
    log, parts_log = [], []
    _, whole = make(log.append, batch)
    _, parted = make(parts_log.append, batch)
    for limit in parts * 9:
        assert len(parted.step_batch(limit)) <= limit
    while whole.progress.simulations < parted.progress.simulations:
        whole.step_batch(batch)
    while parted.progress.simulations < whole.progress.simulations:
        parted.step_batch(whole.progress.simulations - parted.progress.simulations)
    assert parts_log == log
    assert counts(parted) == counts(whole)


def test_paths_of_a_batch_keep_away_from_each_other():
    """Greedy selection never leaves the better arm; a loss under way sends the next path to the other one."""
    good, fair = ([f"{arm} {i}" for i in range(20)] for arm in ("good", "fair"))
    rewards = dict.fromkeys(["good", *good], 0.6) | {"root": 0.5, "fair": 0.5}
    problem = Graph({"root": ["good", "fair"], "good": good, "fair": fair}, rewards)

    def visits_of_fair(batch):
        search = Mcts(problem, Puct(0.01), random.Random(1), batch=batch)
        search.run(Simulations(12))
        return next(edge.visits for edge in search.root.edges if edge.label == "to fair")

    assert visits_of_fair(1) <= 1 < visits_of_fair(4)


def test_a_virtual_loss_leaves_no_trace():
    search = Mcts(ManySubsets("abcdef", "ace", size=4), Uct(), random.Random(0), widening=Widening(), batch=8)
    search.run(Simulations(40))
    for node in search.nodes():
        followed = sum(edge.visits for edge in node.edges)
        assert node.visits == followed + (len(node.inbound) if node.inbound else 1)
        assert all(edge.visits == 0 for edge in node.edges if edge.child is None)


def test_a_state_found_twice_in_a_batch_is_evaluated_once():
    problem = ManySubsets("abcdef", "ace", size=4)
    search = Mcts(problem, Uct(), random.Random(0), batch=8)
    met_twice = []
    while events := search.step_batch(8):
        new = {event.key for event in events if event.new}
        met_twice += [event for event in events if not event.new and event.key in new]
    assert met_twice
    assert set(problem.asked.values()) == {1}


def test_a_batch_asks_once_for_actions_and_once_for_rewards():
    problem = ManySubsets("abcdefgh", "aceg", size=4)
    search = Mcts(problem, Puct(), random.Random(0), widening=Widening(4, 2, 0.5), batch=8)
    search.run(Simulations(200))
    names = [name for name, _ in problem.calls]
    assert not any(pair == ("actions", "actions") for pair in pairwise(names))
    assert names.count("evaluate") < 200 / 4


# --- failures -----------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(make=searches(), budget=st.integers(0, 40), batch=BATCHES, seed=st.integers(0, 99))
def test_failed_answers_leave_no_trace(make, budget, batch, seed):
    log, moody_log = [], []
    _, calm = make(log.append, batch)
    problem, moody = make(moody_log.append, batch, Moody)
    problem.mood.seed(seed)
    calm.run(Simulations(budget))
    while moody.progress != calm.progress:
        before, told = counts(moody), len(moody_log)
        try:
            moody.run(Simulations(budget))
        except OSError:
            assert len(moody_log) == moody.progress.simulations >= told
            assert len(moody_log) > told or counts(moody) == before
    assert moody_log == log
    assert counts(moody) == counts(calm)
    asked = [key for name, keys in problem.calls if name == "actions" for key in keys]
    assert len(asked) == len(set(asked)), "actions known already were asked for again"


@pytest.mark.parametrize("question", ["actions_many", "evaluate_many"])
def test_a_missing_answer_is_refused(question):
    class Forgetful(ManySubsets):
        def actions_many(self, states):
            return super().actions_many(states)[question == "actions_many" :]

        def evaluate_many(self, states):
            return super().evaluate_many(states)[question == "evaluate_many" :]

    search = Mcts(Forgetful("abc", "a", size=2), Uct(), random.Random(0), batch=4)
    with pytest.raises(ValueError, match=f"{question} gave 0 answers; allowed: one for each of 1 "):
        search.run(Simulations(9))


def test_a_reward_outside_0_to_1_fails_the_whole_batch():
    search = Mcts(Bandit({"a": 0.5, "b": 1.5, "c": 0.5}), Uct(), random.Random(0), batch=8)
    search.step_batch(8)
    before = counts(search)
    for _ in range(2):
        with pytest.raises(ValueError, match="reward of 'b'"):
            while search.step_batch(8):
                before = counts(search)
    assert counts(search) == before


def test_a_cycle_is_refused_and_no_loss_stays():
    ways = {"root": ["a"], "a": ["b"], "b": ["a"]}
    search = Mcts(Graph(ways, {}), Uct(), random.Random(0), batch=4)
    with pytest.raises(ValueError, match="cycle through"):
        search.run(Simulations(50))
    assert search.root.visits == search.progress.simulations


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_of_nothing_is_refused(batch):
    with pytest.raises(ValueError, match="batch is"):
        Mcts(Bandit({"arm": 0.5}), Uct(), random.Random(0), batch=batch)


# --- what it costs ------------------------------------------------------------------------------------------


def test_batches_find_the_best_subset_in_far_fewer_calls():
    for seed in range(5):
        problem = ManySubsets("abcdefghijkl", "cfik", size=5)
        search = Mcts(
            problem, Puct(0.2), random.Random(seed), widening=Widening(4, 1, 0.5), max_share=0.5, batch=8
        )
        search.run(Simulations(400))
        assert search.best(1)[0].key == "cfik"
        assert len(problem.calls) < 200


def test_a_dead_end_costs_no_simulation():
    search = Mcts(Graph({"root": ["a", "b"]}, {}), Uct(), random.Random(0), batch=8)
    assert search.run(Simulations(99)) == EXHAUSTED
    assert search.progress.simulations == 3


def test_actions_of_one_state_are_asked_for_once_though_many_paths_want_them():
    asked = []

    class Counting(Bandit):
        def actions(self, state):
            asked.append(state)
            return [Named(arm, 1.0) for arm in self.rewards] if not state else []

    Mcts(Counting(dict.fromkeys("abcd", 0.5)), Uct(), random.Random(0), batch=8).run(Simulations(99))
    assert sorted(asked) == ["", "a", "b", "c", "d"]
