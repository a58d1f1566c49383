"""The first Ctrl-C asks, the second insists."""

from __future__ import annotations

import signal
import threading

import pytest

from kdsl_cli.runs.signals import StopFile, leave_signals_to_parent, stopping


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_insists(number):
    with pytest.raises(KeyboardInterrupt), stopping() as stop:
        assert not stop.requested
        signal.raise_signal(number)
        assert stop.requested
        signal.raise_signal(number)


def test_whoever_asked_is_heard_once():
    heard = []
    with stopping(on_request=lambda: heard.append("finishing this step")) as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.signalled
    assert heard == ["finishing this step"]


def test_signals_are_given_back_even_after_an_error():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(ValueError, match="x"), stopping():
        raise ValueError("x")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_stop_file_asks_while_it_is_there(tmp_path):
    file = tmp_path / "stop"
    with stopping(StopFile(file)) as stop:
        assert not stop.requested
        file.touch()
        assert stop.requested
        assert not stop.signalled
        file.unlink()
        assert not stop.requested


def test_leaving_by_the_door_of_ctrl_c(tmp_path):
    (tmp_path / "stop").touch()
    with stopping() as stop:
        stop.raise_if_requested()
    with stopping(StopFile(tmp_path / "stop")) as stop, pytest.raises(KeyboardInterrupt):
        stop.raise_if_requested()


def test_outside_the_main_thread_the_stop_file_still_counts(tmp_path):
    (tmp_path / "stop").touch()
    asked = []

    def work():
        with stopping(StopFile(tmp_path / "stop")) as stop:
            asked.append(stop.requested)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert asked == [True]


def test_a_worker_leaves_ctrl_c_to_its_parent():
    before = signal.getsignal(signal.SIGINT)
    try:
        leave_signals_to_parent()
        signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
