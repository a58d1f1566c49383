"""What the library logs reaches the user as far as ``-v`` asks for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.commands.doctor import environment


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    ours = logging.getLogger("kdsl_cli")
    handlers, level = ours.handlers[:], ours.level
    yield
    ours.handlers[:] = handlers
    ours.setLevel(level)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "warning: out of memory at 8\n"),
        (["-v"], "left alone: lm_head\nwarning: out of memory at 8\n"),
        (["-vv"], "row 3\nleft alone: lm_head\nwarning: out of memory at 8\n"),
        (["-q"], "warning: out of memory at 8\n"),
    ],
)
def test_warnings_are_told_and_the_rest_to_who_asks(
    words: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told_of = environment.environment

    def talkative() -> dict[str, object]:
        log = logging.getLogger("kdsl_cli.backends.somewhere")
        log.debug("row %d", 3)
        log.info("left alone: %s", "lm_head")
        log.warning("out of memory at %d", 8)
        logging.getLogger("another.library").info("not ours")
        return told_of()

    monkeypatch.setattr(environment, "environment", talkative)
    for _ in range(2):  # a second run of the program in this process says nothing twice
        assert run(["env", *words]) == 0
        assert capsys.readouterr().err == told
