"""What is told before a model is tuned."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kdsl_cli.commands.console import Output, set_output
from kdsl_cli.commands.train.preflight import fitting, histogram, record
from kdsl_cli.errors import DatasetError
from kdsl_cli.training.lora.samples.lengths import Length
from tests.training.lora.samples.test_lengths import Counting, samples


class Spelling(Counting):
    def trained_span(self, sample: Any) -> str:
        return f"{sample.right.name}<end>"


@pytest.fixture(autouse=True)
def human() -> None:
    set_output(Output())


def test_what_is_left_out_is_named_and_the_rest_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    checked = fitting(samples("50", "101", "gone", "60"), Spelling(), "drop")  # type: ignore[arg-type]
    told = capsys.readouterr().err.splitlines()
    assert "warning: left out, longer than 100 tokens: 101 with 101, 1 of them for pictures" in told
    assert "warning: left out, a picture cannot be shown: gone: 1.png: cannot be read" in told
    assert "loss is on 3 of the 50 tokens of 50: 'refund<end>'" in told
    assert [sample.id for sample in checked.kept] == ["50", "60"]
    said = json.loads(json.dumps(record(checked)))
    assert said["overlong"] == {"101": 101} and said["unreadable"] == {"gone": "1.png: cannot be read"}
    assert said["lengths"][0]["total"] == {"least": 50, "median": 50, "p95": 60, "most": 60}


def test_with_error_nothing_is_left_out() -> None:
    with pytest.raises(DatasetError, match="101 tokens"):
        fitting(samples("50", "101"), Spelling(), "error")  # type: ignore[arg-type]


def test_lengths_are_told_by_task() -> None:
    lengths = [Length("a", "图", 300, 60, 3), Length("b", "图", 10, 0, 4), Length("c", "talk", 7, 0, 2)]
    assert histogram(lengths) == [
        "task  samples  tokens  least  median  95 %  most",
        "图          2  prompt     10      10   300   300",
        "               image       0       0    60    60",
        "               answer      3       3     4     4",
        "               total      14      14   363   363",
        "talk        1  prompt      7       7     7     7",
        "               image       0       0     0     0",
        "               answer      2       2     2     2",
        "               total       9       9     9     9",
    ]
    assert histogram([]) == []
