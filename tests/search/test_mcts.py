import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl_cli.search.mcts import EXHAUSTED, Mcts
from kdsl_cli.search.problem import Named
from kdsl_cli.search.selection import Puct, Uct, Widening
from kdsl_cli.search.stopping import Simulations
from kdsl_cli.search.tree import UNEVALUATED

from .toys import Bandit, Graph, Subsets, picture

POLICIES = st.one_of(st.builds(Uct, st.floats(0.01, 3)), st.builds(Puct, st.floats(0, 3)))
WIDENINGS = st.none() | st.builds(Widening, k0=st.floats(1, 3), k=st.floats(0, 2), alpha=st.floats(0, 1))


@st.composite
def searches(draw):
    """Return a function that makes the same search over and over, on a fresh problem each time."""
    items = draw(st.sampled_from(["ab", "abcd", "abcdef"]))
    wanted = draw(st.sets(st.sampled_from(items), min_size=1))
    size = draw(st.integers(0, 3))
    priors = {item: draw(st.sampled_from([0.0, 0.25, 1.0])) for item in items}
    policy, widening = draw(POLICIES), draw(WIDENINGS)
    max_share, seed = draw(st.sampled_from([0.0, 0.3, 1.0])), draw(st.integers(0, 99))

    def make(sink=None, batch=1, toy=Subsets):
        problem = toy(items, "".join(wanted), min(size, len(items)), priors)
        rng = random.Random(seed)
        more = {"widening": widening, "max_share": max_share, "batch": batch, "sink": sink}
        return problem, Mcts(problem, policy, rng, **more)

    return make


# --- finds what is there ---------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [Uct(0.7), Puct(0.7)])
def test_the_best_arm_of_a_bandit_is_found(policy):
    search = Mcts(Bandit({"left": 0.2, "middle": 0.9, "right": 0.4}), policy, random.Random(0))
    assert search.run(Simulations(100)) == EXHAUSTED
    assert [(node.key, node.value) for node in search.best(2)] == [("middle", 0.9), ("right", 0.4)]


@pytest.mark.parametrize("policy", [Uct(0.2), Puct(0.2)])
def test_the_best_subset_is_found_long_before_all_are_tried(policy):
    # 2,517 subsets of at most five of twelve items; ten seeds, so that luck is not enough.
    for seed in range(10):
        problem = Subsets("abcdefghijkl", "cfik", size=5)
        search = Mcts(problem, policy, random.Random(seed), widening=Widening(4, 1, 0.5), max_share=0.5)
        search.run(Simulations(400))
        assert search.best(1)[0].key == "cfik"


def test_a_search_spends_more_on_the_better_half():
    good, bad = [f"good {i}" for i in range(40)], [f"bad {i}" for i in range(40)]
    rewards = dict.fromkeys(["good", *good], 0.8) | dict.fromkeys(["bad", *bad], 0.1)
    problem = Graph({"root": ["good", "bad"], "good": good, "bad": bad}, rewards)
    search = Mcts(problem, Uct(0.3), random.Random(0))
    search.run(Simulations(30))
    visits = {edge.label: edge.visits for edge in search.root.edges}
    assert visits["to good"] > 2 * visits["to bad"]


def test_a_high_share_of_the_maximum_follows_the_one_best_state():
    """One brilliant child among worthless ones: the mean soon forgets it, the maximum never."""
    mixed, even = [f"mixed {i}" for i in range(40)], [f"even {i}" for i in range(40)]
    rewards = dict.fromkeys(["mixed", "even", *even], 0.5) | {"mixed 0": 1.0}
    problem = Graph({"root": ["mixed", "even"], "mixed": mixed, "even": even}, rewards)

    def visits_of_mixed(max_share):
        search = Mcts(problem, Uct(0.3), random.Random(0), widening=Widening(2, 1, 0.5), max_share=max_share)
        search.run(Simulations(40))
        return next(edge.visits for edge in search.root.edges if edge.label == "to mixed")

    assert visits_of_mixed(0.0) < 20 < visits_of_mixed(1.0)


# --- a graph, not a tree ---------------------------------------------------------------------------------


def test_two_orders_of_the_same_actions_meet_in_one_node():
    problem = Subsets("ab", "ab", size=2)
    search = Mcts(problem, Uct(), random.Random(0))
    events = []
    while (event := search.step()) is not None:
        events.append(event)
    both = next(node for node in search.nodes() if node.key == "ab")
    assert len(both.inbound) == 2
    assert {edge.parent.key for edge in both.inbound} == {"a", "b"}
    assert [event.new for event in events if event.key == "ab"] == [True, False]
    assert problem.asked["ab"] == 1


def test_an_edge_into_an_exhausted_part_brings_its_reward_once_and_is_left_alone():
    ways = {"root": ["left", "right"], "left": ["meet"], "right": ["meet"]}
    search = Mcts(Graph(ways, {"meet": 0.75}), Uct(), random.Random(3))
    assert search.run(Simulations(100)) == EXHAUSTED
    assert search.progress.simulations == 5  # root, left, right, meet, meet again by the other way
    assert all(edge.visits == 1 for node in search.nodes() if node.key != "root" for edge in node.edges)
    assert {node.key: node.max for node in search.nodes()} == {
        "root": 0.75,
        "left": 0.75,
        "right": 0.75,
        "meet": 0.75,
    }


@pytest.mark.parametrize("ways", [{"root": ["root"]}, {"root": ["a"], "a": ["b"], "b": ["a"]}])
def test_a_cycle_is_refused_by_name(ways):
    search = Mcts(Graph(ways, {}), Uct(), random.Random(0))
    with pytest.raises(ValueError, match="cycle through"):
        search.run(Simulations(50))


# --- widening ---------------------------------------------------------------------------------------------


def test_children_are_admitted_in_prior_order_as_visits_grow():
    arms = [f"arm {i}" for i in range(9)]
    ways = {"root": arms} | {arm: [f"{arm}.{i}" for i in range(9)] for arm in arms}

    class Ranked(Graph):
        def actions(self, state):
            return [Named(target, prior=int(target[-1]), payload=target) for target in ways.get(state, ())]

    search = Mcts(Ranked(ways, {}), Uct(), random.Random(0), widening=Widening(k0=1, k=1, alpha=0.5))
    for _ in range(16):
        search.step()
    # The last choice at the root was made at 15 visits: floor(1 + sqrt(15)) = 4 children.
    assert [edge.label for edge in search.root.edges] == ["arm 8", "arm 7", "arm 6", "arm 5"]


def test_widening_does_not_waste_budget_when_all_admitted_children_are_done():
    search = Mcts(Bandit(dict.fromkeys("abcdefgh", 0.5)), Uct(), random.Random(0), widening=Widening(1, 0, 0))
    assert search.run(Simulations(100)) == EXHAUSTED
    assert search.progress.evaluations == 9


# --- what always holds ------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(make=searches(), budget=st.integers(0, 60), batch=st.integers(1, 9))
def test_visits_add_up_and_no_key_is_evaluated_twice(make, budget, batch):
    problem, search = make(batch=batch)
    search.run(Simulations(budget))
    progress = search.progress
    assert search.root.visits == progress.simulations <= budget
    assert set(problem.asked.values()) <= {1}
    assert progress.evaluations == len(problem.asked)
    for node in search.nodes():
        followed = [edge for edge in node.inbound if edge.visits]
        ended_here = len(followed) if node.inbound else min(progress.simulations, 1)
        assert node.visits == ended_here + sum(edge.visits for edge in node.edges)
        if node is not search.root:
            assert node.visits == sum(edge.visits for edge in node.inbound)
            assert node.value <= node.max


@settings(max_examples=60, deadline=None)
@given(make=searches(), batch=st.integers(1, 9))
def test_a_search_to_the_end_sees_every_state_and_knows_it(make, batch):
    problem, search = make(batch=batch)
    assert search.run(Simulations(10_000)) == EXHAUSTED
    assert all(node.exhausted for node in search.nodes())
    states = {problem.root()}
    for _ in range(problem.size):
        states |= {problem.apply(state, action) for state in states for action in problem.actions(state)}
    assert set(problem.asked) == {problem.key(state) for state in states}
    assert search.root.max == max(problem.evaluate(state) for state in states)
    assert search.step() is None


# --- ties, seeds, order -----------------------------------------------------------------------------------


def first_arm(seed, priors=None):
    search = Mcts(Bandit(dict.fromkeys("abcdefgh", 0.5), priors), Uct(), random.Random(seed))
    search.step()
    event = search.step()
    assert event is not None
    return event.key


def test_ties_are_broken_by_seed():
    drawn = [first_arm(seed) for seed in range(40)]
    assert drawn == [first_arm(seed) for seed in range(40)]
    assert len(set(drawn)) > 4


def test_among_tied_edges_the_highest_prior_comes_first_whatever_the_seed():
    priors = dict.fromkeys("abcdefgh", 0.5) | {"f": 0.6}
    assert {first_arm(seed, priors) for seed in range(20)} == {"f"}


def test_best_puts_the_earlier_found_first_among_equals_and_knows_nothing_before_the_start():
    search = Mcts(Bandit(dict.fromkeys("abcd", 0.5)), Uct(), random.Random(1))
    assert search.best(3) == ()
    assert search.root.value == UNEVALUATED
    search.run(Simulations(100))
    assert [node.index for node in search.best(3)] == [1, 2, 3]


# --- what a problem may not do ----------------------------------------------------------------------------


@pytest.mark.parametrize("reward", [-0.1, 1.5, float("nan")])
def test_a_reward_outside_0_to_1_is_refused_by_key(reward):
    search = Mcts(Bandit({"arm": reward}), Uct(), random.Random(0))
    search.step()
    with pytest.raises(ValueError, match="reward of 'arm'"):
        search.step()


@pytest.mark.parametrize("prior", [-1.0, float("inf"), float("nan")])
def test_a_prior_that_cannot_be_ordered_is_refused_by_label(prior):
    search = Mcts(Bandit({"arm": 0.5}, {"arm": prior}), Uct(), random.Random(0))
    search.step()
    with pytest.raises(ValueError, match="prior of 'arm'"):
        search.step()


def test_a_share_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match="max_share"):
        Mcts(Bandit({"arm": 0.5}), Uct(), random.Random(0), max_share=1.2)


def test_a_failed_evaluation_can_be_tried_again_without_a_trace():
    class Flaky(Subsets):
        fails = 0

        def evaluate(self, state):
            if len(state) == 2 and self.fails < 3:
                self.fails += 1
                raise OSError("the model did not answer")
            return super().evaluate(state)

    def grow(problem):
        search = Mcts(problem, Uct(), random.Random(5), widening=Widening())
        while search.progress.simulations < 20:
            try:
                search.step()
            except OSError:
                continue
        return search

    flaky = Flaky("abcde", "ad", size=3)
    assert picture(grow(flaky)) == picture(grow(Subsets("abcde", "ad", size=3)))
    assert flaky.fails == 3
