"""Results on stdout in the form asked for, the rest on stderr."""

from __future__ import annotations

import pytest
from rich.table import Table

from kdsl_cli.commands import console
from kdsl_cli.commands.console import Output


@pytest.fixture
def table():
    made = Table("id", "why")
    made.add_row("refund-page", "x" * 100)
    return made


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (Output("human"), "[1] 退款 :warning:\n"),
        (Output("json"), '{\n  "意图": 1\n}\n'),
        (Output("quiet"), "a\nb\n"),
    ],
)
def test_a_result_has_three_forms_and_text_is_printed_as_it_is(capsys, output, expected):
    output.result("[1] 退款 :warning:", {"意图": 1}, ["a", "b"])
    assert capsys.readouterr() == (expected, "")


def test_a_table_in_a_pipe_is_not_cut(capsys, table):
    Output().result(table, [], [])
    assert "x" * 100 in capsys.readouterr().out


def test_what_is_said_in_passing_goes_to_stderr_and_is_not_said_with_quiet(capsys):
    for output in (Output("human"), Output("json"), Output("quiet")):
        output.note("by the way")
        output.warn("thin data")
        output.error("wrong")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("by the way") == 2
    assert err.count("warning: thin data") == err.count("error: wrong") == 3


def test_details_are_for_those_who_asked(capsys):
    Output().detail("cache hit")
    Output(verbosity=1).detail("cache miss")
    assert capsys.readouterr().err == "cache miss\n"


def test_a_long_line_stays_one_line(capsys):
    Output().error("long " * 100)
    assert capsys.readouterr().err.count("\n") == 1


def test_without_a_terminal_progress_is_a_line_now_and_then(capsys, monkeypatch):
    clock = iter([0.0, 0.0, 2.0, 6.0, 6.0, 7.0, 10.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    with Output().progress("Reading pictures", total=4, unit="pictures") as bar:
        bar.advance()  # after 2 s: too soon for a line
        bar.say("best 0.81")
        bar.advance()  # after 6 s
        bar.advance(2)  # after 7 s: too soon
    assert capsys.readouterr().err.splitlines() == [
        "Reading pictures: 2/4 (0.3 pictures/s, 6 s left) best 0.81",
        "Reading pictures: 4/4 (0.4 pictures/s) best 0.81",
    ]


def test_progress_of_unknown_length_and_with_quiet(capsys):
    with Output().progress("Mining") as bar:
        bar.advance(3)
    assert capsys.readouterr().err.startswith("Mining: 3 (")
    with Output("quiet").progress("Mining") as bar:
        bar.advance()
        bar.say("x")
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_progress_is_a_bar_with_rate_and_time_left(capsys, monkeypatch):
    from rich.console import Console

    drawn = Console(stderr=True, force_terminal=True, width=120)
    monkeypatch.setattr(console, "_stderr", lambda: drawn)
    with Output().progress("Reading [pictures]", total=2, unit="pictures") as bar:
        bar.advance()
        bar.say("best [0.81]")
        Output().warn("one cannot be read")
        bar.advance()
    out, err = capsys.readouterr()
    assert out == ""
    assert "Reading [pictures]" in err
    assert "2/2" in err
    assert "pictures/s" in err
    assert "best [0.81]" in err
    assert "one cannot be read" in err
