"""Steps: every sample once an epoch, in processes and batches of any number; batches made ahead, in order."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl_cli.training.lora.samples.feeding import groups, prepared, steps
from kdsl_cli.training.lora.steps.processes import World


@settings(deadline=None)
@given(
    epochs=st.lists(st.permutations(range(7)), min_size=1, max_size=3),
    size=st.integers(1, 9),
    evaluations=st.integers(1, 4),
)
def test_steps_hold_every_draw_once_and_each_epoch_ends_with_an_evaluation(epochs, size, evaluations):
    made = steps(epochs, size, evaluations)
    drawn = [(draw.epoch, draw.place, draw.sample) for step in made for draw in step.draws]
    assert drawn == [(e, p, sample) for e, order in enumerate(epochs) for p, sample in enumerate(order)]
    for epoch in range(len(epochs)):
        own = [step for step in made if step.epoch == epoch]
        assert own[-1].judged and sum(step.judged for step in own) == min(evaluations, len(own))


@settings(deadline=None)
@given(world=st.integers(1, 4), size=st.integers(1, 5), n=st.integers(1, 9))
def test_processes_and_their_batches_part_a_step_and_lose_nothing(world, size, n):
    (step,) = steps([range(n)], n)
    parts = [
        draw.sample
        for rank in range(world)
        for group in groups(World(rank, world).share(step.draws), size, lengths=[5] * n)
        for draw in group
    ]
    assert sorted(parts) == list(range(n))


def test_batches_come_in_order_though_made_elsewhere_and_few_are_made_ahead():
    made, threads = [], set()

    def make(job):
        made.append(job)
        threads.add(threading.current_thread())
        return -job

    ready = prepared(range(100), make)
    assert [next(ready) for _ in range(3)] == [0, -1, -2]
    ready.close()
    assert len(made) < 12 and threading.main_thread() not in threads


def test_what_fails_fails_where_its_batch_is_due():
    def make(job):
        if job == 1:
            raise ValueError("broken picture")
        return job

    ready = prepared(range(3), make)
    assert next(ready) == 0
    with pytest.raises(ValueError, match="broken picture"):
        next(ready)
