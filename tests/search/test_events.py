import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl_cli.search.events import parse_log
from kdsl_cli.search.mcts import Mcts
from kdsl_cli.search.selection import Puct, Uct, Widening
from kdsl_cli.search.stopping import Simulations

from .test_mcts import searches
from .toys import Subsets, picture


def make(seed=0, policy=None, batch=1, sink=None):
    problem = Subsets("abcdef", "ace", size=4)
    more = {"widening": Widening(), "batch": batch, "sink": sink}
    return problem, Mcts(problem, policy or Uct(), random.Random(seed), **more)


def logged(count, batch=1):
    """Return the log of a search as lines of JSON."""
    lines = []
    _, search = make(batch=batch, sink=lambda event: lines.append(json.dumps(event, ensure_ascii=False)))
    search.run(Simulations(count))
    return lines


def test_an_event_tells_path_reward_and_whether_it_was_new():
    entries = [json.loads(line) for line in logged(40)]
    assert entries[0] == {"simulation": 0, "path": [], "key": "", "value": 0.0, "new": True}
    assert [entry["simulation"] for entry in entries] == list(range(40))
    again = next(entry for entry in entries if not entry["new"])
    first = next(entry for entry in entries if entry["key"] == again["key"])
    assert first["new"] and first["value"] == again["value"]
    assert sorted(first["path"]) == sorted(again["path"]) and first["path"] != again["path"]


@settings(max_examples=60, deadline=None)
@given(make=searches(), budget=st.integers(0, 50), cut=st.floats(0, 1), batch=st.integers(1, 9))
def test_a_search_resumed_from_any_line_of_its_log_is_the_uninterrupted_one(make, budget, cut, batch):
    """Any line: a kill may come while the events of one batch are written."""
    log, rest = [], []
    _, whole = make(log.append, batch)
    whole.run(Simulations(budget))
    kept = log[: round(cut * len(log))]
    entries = parse_log(json.dumps(entry) for entry in kept)

    problem, resumed = make(rest.append, batch)
    assert resumed.replay(entries) == len(kept)
    assert not problem.asked
    resumed.run(Simulations(budget))

    assert kept + rest == log
    assert picture(resumed) == picture(whole)
    assert resumed.progress == whole.progress


def test_a_torn_line_is_refused_with_its_number():
    lines = logged(6)
    lines[4] = lines[4][:-9]
    with pytest.raises(ValueError, match=r"^line 5: torn"):
        parse_log(lines)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        '{"intent": "refund"}',
        '{"simulation": 2, "path": "ab", "key": "ab", "value": 0.5, "new": true}',
        '{"simulation": 2, "path": [1], "key": "ab", "value": 0.5, "new": true}',
        '{"simulation": 2, "path": ["a"], "key": "a", "value": "0.5", "new": true}',
        '{"simulation": true, "path": ["a"], "key": "a", "value": 0.5, "new": true}',
        '{"simulation": 2, "path": ["a"], "key": "a", "value": 0.5, "new": true, "more": 1}',
    ],
)
def test_a_foreign_line_is_refused_with_its_number(line):
    lines = logged(4)
    lines[2] = line
    with pytest.raises(ValueError, match=r"^line 3: "):
        parse_log(lines)


@pytest.mark.parametrize(
    "change", [{"simulation": 7}, {"path": ["z"]}, {"key": "zz"}, {"new": False}, {"value": 1.5}]
)
def test_an_entry_the_search_would_not_have_written_is_refused(change):
    entries = parse_log(logged(6))
    entries[3] = entries[3] | change
    _, search = make()
    with pytest.raises(ValueError, match=r"^line 4: "):
        search.replay(entries)


@pytest.mark.parametrize(("batch", "other"), [(1, 8), (8, 1), (4, 8)])
def test_the_log_of_another_batch_size_is_refused_at_the_first_line_that_differs(batch, other):
    entries, wrong = (parse_log(logged(60, size)) for size in (batch, other))
    first = next(i for i, (a, b) in enumerate(zip(entries, wrong, strict=True)) if a != b)
    _, search = make(batch=other)
    with pytest.raises(ValueError, match=rf"^line {first + 1}: not of this search"):
        search.replay(entries)


@pytest.mark.parametrize(("batch", "other"), [(1, 8), (8, 1), (4, 8)])
def test_the_log_of_another_batch_size_is_refused_at_the_first_line_that_differs(batch, other):
    entries, wrong = (parse_log(logged(60, size)) for size in (batch, other))
    first = next(i for i, (a, b) in enumerate(zip(entries, wrong, strict=True)) if a != b)
    _, search = make(batch=other)
    with pytest.raises(ValueError, match=rf"^line {first + 1}: not of this search"):
        search.replay(entries)


def test_a_missing_line_is_refused():
    entries = parse_log(logged(6))
    _, search = make()
    with pytest.raises(ValueError, match=r"^line 3: not of this search"):
        search.replay(entries[:2] + entries[3:])


@pytest.mark.parametrize("other", [{"seed": 1}, {"policy": Puct(3.0)}, {"batch": 4}])
def test_the_log_of_another_seed_policy_or_batch_size_is_refused(other):
    _, search = make(**other)
    with pytest.raises(ValueError, match="not of this search"):
        search.replay(parse_log(logged(40)))


def test_a_log_that_goes_on_after_the_end_is_refused():
    entries = parse_log(logged(10_000))
    entries.append(entries[-1] | {"simulation": len(entries)})
    _, search = make()
    with pytest.raises(ValueError, match=rf"^line {len(entries)}: .*every reachable state"):
        search.replay(entries)


def test_only_a_fresh_search_replays():
    _, search = make()
    search.step()
    with pytest.raises(ValueError, match="not begun"):
        search.replay([])
