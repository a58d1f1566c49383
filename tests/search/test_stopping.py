import random

import pytest

from kdsl_cli.search.mcts import EXHAUSTED, Mcts
from kdsl_cli.search.selection import Uct
from kdsl_cli.search.stopping import (
    AnyOf,
    Evaluations,
    Flag,
    Minutes,
    NoImprovement,
    Progress,
    Simulations,
    StopFile,
    simulations_until,
)

from .toys import Bandit, Subsets

START = Progress(simulations=0, evaluations=0, best_value=None, improved_at=0)


def search(batch=1):
    return Mcts(Subsets("abcdef", "ace", size=4), Uct(0.3), random.Random(0), batch=batch)


@pytest.mark.parametrize("batch", [1, 8])
def test_simulations_end_a_run_exactly(batch):
    run = search(batch)
    assert run.run(Simulations(17)) == "17 simulations done"
    assert run.progress.simulations == 17


@pytest.mark.parametrize("batch", [1, 8])
def test_evaluations_count_states_not_paths(batch):
    run = search(batch)
    assert run.run(Evaluations(30)) == "30 states evaluated"
    assert run.progress.evaluations == len(run.nodes()) == 30
    assert run.progress.simulations > 30


@pytest.mark.parametrize("batch", [1, 8])
def test_no_improvement_counts_from_the_last_rise(batch):
    run = search(batch)
    assert run.run(NoImprovement(12)) == "no improvement for 12 simulations"
    progress = run.progress
    assert progress.simulations == progress.improved_at + 12
    assert progress.best_value == run.best(1)[0].value


def test_an_equal_reward_is_no_improvement():
    run = Mcts(Bandit(dict.fromkeys("abcd", 0.5)), Uct(), random.Random(0))
    run.run(Simulations(100))
    assert run.progress == Progress(simulations=5, evaluations=5, best_value=0.5, improved_at=2)


def test_minutes_run_from_when_the_condition_was_made():
    now = [1000.0]
    stop = Minutes(1.5, clock=lambda: now[0])
    now[0] += 89
    assert stop(START) is None
    now[0] += 1
    assert stop(START) == "1.5 minutes are over"


@pytest.mark.parametrize("minutes", [-1.0, float("nan"), float("inf")])
def test_minutes_that_mean_nothing_are_refused(minutes):
    with pytest.raises(ValueError, match="allowed"):
        Minutes(minutes, clock=lambda: 0.0)


def test_a_stop_file_ends_a_run_and_stays(tmp_path):
    path = tmp_path / "stop"
    assert StopFile(path)(START) is None
    path.touch()
    assert search().run(StopFile(path)) == f"the stop file {path} exists"
    assert path.exists()


def test_a_flag_raised_during_a_step_lets_the_step_finish():
    seen = []
    run = Mcts(Subsets("abcdef", "ace", size=4), Uct(0.3), random.Random(0), sink=seen.append)
    assert run.run(Flag(lambda: len(seen) >= 3, "interrupted")) == "interrupted"
    assert run.progress.simulations == 3


def test_what_is_allowed_ahead_is_what_the_strictest_condition_leaves():
    now = Progress(simulations=94, evaluations=90, best_value=0.7, improved_at=50)
    stop = AnyOf((Simulations(100), NoImprovement(46), Evaluations(95)))
    assert [simulations_until(stop, now, limit) for limit in (1, 2, 8)] == [1, 2, 2]
    assert simulations_until(Evaluations(95), now, 8) == 5


def test_what_is_allowed_ahead_is_what_the_strictest_condition_leaves():
    now = Progress(simulations=94, evaluations=90, best_value=0.7, improved_at=50)
    stop = AnyOf((Simulations(100), NoImprovement(46), Evaluations(95)))
    assert [simulations_until(stop, now, limit) for limit in (1, 2, 8)] == [1, 2, 2]
    assert simulations_until(Evaluations(95), now, 8) == 5


def test_any_of_gives_the_reason_of_the_first_condition_that_holds():
    stop = AnyOf((Simulations(10), NoImprovement(5)))
    assert stop(START) is None
    assert stop(Progress(10, 10, 0.5, 1)) == "10 simulations done"
    assert stop(Progress(9, 9, 0.5, 1)) == "no improvement for 5 simulations"
    assert AnyOf(())(START) is None


def test_a_condition_that_holds_at_once_costs_no_simulation():
    run = search()
    assert run.run(Simulations(0)) == "0 simulations done"
    assert run.progress == START


def test_an_exhausted_tree_ends_a_run_by_itself():
    assert search().run(AnyOf(())) == EXHAUSTED
