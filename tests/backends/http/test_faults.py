from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
import traceback
from email.utils import formatdate

import pytest

from kdsl_cli.backends.backend import Failed, Generated, Sampling
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.errors import BackendError
from kdsl_cli.runs.signals import stopping
from tests.backends.http.conftest import Open
from tests.fakes.fault_proxy import Body, Cut, Fault, FaultProxy, Pass, Status

pytestmark = pytest.mark.local

SAMPLING = Sampling(max_tokens=4)
PROMPTS = [Prompt("", (f"Is {number} even?",)) for number in range(12)]
KEY = "sk-0123456789-secret"

PASSING = [
    Status(429),
    Status(500),
    Status(502),
    Status(503),
    Status(504),
    Cut(),
    Body('{"choices": [{"mess'),
    Body("[]"),
    Body('{"choices": []}'),
]


@pytest.mark.parametrize("fault", PASSING, ids=str)
def test_what_passes_is_asked_again(proxy: FaultProxy, opened: Open, fault: Fault) -> None:
    model = opened(proxy.url)
    proxy.script(fault, fault)
    [row] = model.generate(PROMPTS[:1], SAMPLING)
    assert isinstance(row, Generated)
    assert len(proxy.asked) == 3


@pytest.mark.parametrize("fault", PASSING, ids=str)
def test_what_does_not_pass_fails_its_row_and_may_be_asked_later(
    proxy: FaultProxy, opened: Open, fault: Fault
) -> None:
    model = opened(proxy.url, concurrency=1)
    proxy.script(*[fault] * 4)
    first, second = model.generate(PROMPTS[:2], SAMPLING)
    assert isinstance(first, Failed)
    assert first.retryable
    assert isinstance(second, Generated)


def test_an_answer_that_takes_too_long_is_asked_for_again(proxy: FaultProxy, opened: Open) -> None:
    model = opened(proxy.url, timeout_s=0.15)
    proxy.script(Pass(0.4))
    [row] = model.generate(PROMPTS[:1], SAMPLING)
    assert isinstance(row, Generated)
    assert len(proxy.asked) == 2


def test_a_server_is_left_alone_for_as_long_as_it_asks(proxy: FaultProxy, opened: Open) -> None:
    model = opened(proxy.url)
    proxy.script(Status(429, {"Retry-After": "0.04"}), Status(503, {"Retry-After": "0.04"}))
    started = time.monotonic()
    [row] = model.generate(PROMPTS[:1], SAMPLING)
    assert isinstance(row, Generated)
    assert time.monotonic() - started >= 0.08


def test_a_longer_wait_than_ours_is_not_waited_for(proxy: FaultProxy, opened: Open) -> None:
    model = opened(proxy.url)
    later = formatdate(time.time() + 3600, usegmt=True)
    proxy.script(Status(429, {"Retry-After": "3600"}), Status(429, {"Retry-After": later}))
    for asked in (1, 2):
        [row] = model.generate(PROMPTS[:1], SAMPLING)
        assert isinstance(row, Failed)
        assert row.retryable
        assert len(proxy.asked) == asked


def test_rows_keep_their_order_whatever_the_order_of_arrival(proxy: FaultProxy, opened: Open) -> None:
    calm = [row.text for row in opened(proxy.url).generate(PROMPTS, SAMPLING) if isinstance(row, Generated)]
    assert len(set(calm)) > 1
    proxy.script(Pass(0.1), Cut(), Pass(0.05), Status(500), Pass(0.08), Body("{"))
    rows = opened(proxy.url).generate(PROMPTS, SAMPLING)
    assert [row.text for row in rows if isinstance(row, Generated)] == calm


def test_no_more_requests_are_under_way_than_allowed(proxy: FaultProxy, opened: Open) -> None:
    proxy.script(*[Pass(0.02)] * 12)
    opened(proxy.url, concurrency=3).generate(PROMPTS, SAMPLING)
    assert proxy.most == 3


@pytest.mark.slow
@pytest.mark.parametrize("handled_by_us", [False, True])
def test_ctrl_c_waits_for_no_answer(
    proxy: FaultProxy, opened: Open, handled_by_us: bool, caplog: pytest.LogCaptureFixture
) -> None:
    model = opened(proxy.url)
    proxy.script(*[Pass(20)] * 8)
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        # Whoever starts the tests in the background has Ctrl-C ignored.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        stack.callback(signal.signal, signal.SIGINT, before)
        if handled_by_us:
            stack.enter_context(stopping()).signalled = True  # so that the next one insists
        timer = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            model.generate(PROMPTS, SAMPLING)
        timer.join()
    model.close()
    assert time.monotonic() - started < 10
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_key_ends_it_all_at_once(
    proxy: FaultProxy, opened: Open, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    model = opened(proxy.url, concurrency=1)
    proxy.script(Status(code, message="Incorrect API key provided: {key}"))
    with pytest.raises(BackendError, match=r"refuses the key .* Set KDSL_API_KEY") as caught:
        model.generate(PROMPTS, SAMPLING)
    assert not caught.value.retryable
    assert len(proxy.asked) == 1


def test_a_server_that_goes_away_ends_it_all(opened: Open, proxy: FaultProxy) -> None:
    with FaultProxy(proxy.url) as other:
        model = opened(other.url)
    with pytest.raises(BackendError, match="cannot be reached") as caught:
        model.generate(PROMPTS, SAMPLING)
    assert caught.value.retryable


def test_a_key_that_can_be_none_is_refused_unseen(
    proxy: FaultProxy, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KDSL_API_KEY", "sk-with\nline")
    with pytest.raises(BackendError, match="KDSL_API_KEY holds characters") as caught:
        opened(proxy.url)
    assert "sk-with" not in _everything(caught.value)


def test_the_key_is_sent_and_told_to_nobody_else(
    proxy: FaultProxy, opened: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("KDSL_API_KEY", KEY)
    echo = Status(400, message="you sent {key}")
    with caplog.at_level(logging.DEBUG):
        model = opened(proxy.url, concurrency=1)
        proxy.script(echo, echo, echo, Status(500, message="{key}"), Cut(), Status(403, message="{key}"))
        [row] = model.generate(PROMPTS[:1], SAMPLING)
        assert row == Failed("HTTP 400: you sent Bearer ***", usage=row.usage)
        with pytest.raises(BackendError) as caught:
            model.generate(PROMPTS[:1], SAMPLING)
        model.close()
    logged = "\n".join(str(record.__dict__) for record in caplog.records)
    assert "stamina.retry_scheduled" in logged  # the log was listened to
    for told in (logged, _everything(caught.value), repr(model), repr(model.identity), model.spec):
        assert KEY not in told


def _everything(error: BaseException) -> str:
    """Return all that a traceback could show beside this file: local variables and suppressed causes too."""
    told = []
    todo: list[BaseException | None] = [error]
    while todo:
        each = todo.pop()
        if each is not None:
            shown = traceback.TracebackException.from_exception(each, capture_locals=True)
            ours = [frame for frame in shown.stack if frame.filename != __file__]
            told += [repr(each), repr(vars(each)), *(f"{frame} {frame.locals}" for frame in ours)]
            todo += [each.__cause__, each.__context__]
    return "\n".join(told)
