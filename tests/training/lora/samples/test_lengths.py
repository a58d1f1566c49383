"""What does not fit is named; what fits is kept whole, in order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl_cli.backends.pictures import PictureError
from kdsl_cli.dialogues.prompting import Picture
from kdsl_cli.errors import DatasetError
from kdsl_cli.training.lora.samples.lengths import Length, Spread, by_task, check
from kdsl_cli.training.lora.samples.samples import Sample, sample_of
from tests.training.lora.dialogues import TASK, said

GONE = PictureError(Picture(Path("1.png"), ""), "cannot be read")


class Counting:
    """In place of a collator: a sample's id says how many tokens it has, none that its picture is gone."""

    max_length = 100

    def encode(self, sample: Sample) -> Any:
        if not sample.id.isdigit():
            raise GONE
        return SimpleNamespace(n_prompt=int(sample.id) - 3, n_answer=3, n_image=1)


def samples(*ids: str) -> list[Sample]:
    return [sample_of(said(id, "refund"), TASK) for id in ids]


def checked(ids: list[str], on_long: Any) -> Any:
    return check(samples(*ids), Counting(), on_long)  # type: ignore[arg-type]


@settings(max_examples=40)
@given(st.lists(st.integers(4, 200).map(str) | st.just("gone"), max_size=12))
def test_every_sample_is_kept_whole_or_named(ids: list[str]) -> None:
    fitting = [id for id in ids if id.isdigit() and int(id) <= 100]
    if not fitting and ids:
        with pytest.raises(DatasetError) as error:
            checked(ids, "drop")
        assert len(error.value.problems) == len(ids)
        return
    found = checked(ids, "drop")
    assert list(found.kept) == samples(*fitting)
    assert [length.total for length in found.lengths] == [int(id) for id in fitting]
    assert [length.id for length in found.overlong] == [id for id in ids if id.isdigit() and int(id) > 100]
    assert found.unreadable == (("gone", "1.png: cannot be read"),) * ids.count("gone")
    assert len(found.kept) + len(found.overlong) + len(found.unreadable) == len(ids)


def test_with_error_all_that_does_not_fit_is_named_at_once() -> None:
    with pytest.raises(DatasetError) as error:
        checked(["101", "50", "gone", "102"], "error")
    assert [problem.where for problem in error.value.problems] == ["101", "102", "gone"]
    told = str(error.value)
    assert "101 tokens (97 of text, 1 of pictures, 3 of the answer), where 100 are taken" in told
    assert "--on-long drop" in told
    assert checked(["100", "50"], "error").overlong == ()


def test_a_sample_and_the_same_with_its_reason_are_measured_each() -> None:
    one = samples("50")[0]
    found = check([one, replace(one, reason="why")], Counting(), "drop")  # type: ignore[arg-type]
    assert len(found.kept) == len(found.lengths) == 2


def test_each_sample_is_told() -> None:
    told: list[None] = []
    check(samples("50", "gone", "101"), Counting(), "drop", lambda: told.append(None))  # type: ignore[arg-type]
    assert len(told) == 3


@settings(max_examples=40)
@given(st.lists(st.integers(0, 500), min_size=1, max_size=50))
def test_spreads_are_numbers_of_the_sample(numbers: list[int]) -> None:
    [told] = by_task([Length("a", "t", number, 0, 0) for number in numbers])
    ranked = sorted(numbers)
    assert told.prompt.least == ranked[0] and told.prompt.most == ranked[-1]
    assert told.image == Spread(0, 0, 0, 0)
    for share, value in ((0.5, told.prompt.median), (0.95, told.prompt.p95)):
        assert sum(number <= value for number in numbers) >= share * len(numbers)
        assert sum(number < value for number in numbers) < share * len(numbers)


def test_tasks_are_told_apart() -> None:
    told = by_task([Length("a", "t", 9, 5, 1), Length("b", "u", 3, 0, 1), Length("c", "t", 7, 5, 1)])
    assert [(each.task, each.n_samples, each.total.most) for each in told] == [("t", 2, 15), ("u", 1, 4)]
