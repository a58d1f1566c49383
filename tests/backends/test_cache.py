"""A cached answer costs no call and is the one that was given; nothing else is ever taken for it."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsl_cli.backends.backend import Failed, Generated, Sampling
from kdsl_cli.backends.cache import CachedBackend, Tally
from kdsl_cli.backends.store import AnswerStore
from kdsl_cli.dialogues.prompting import Picture, Prompt
from kdsl_cli.errors import BackendError
from tests.backends.contract import CHOICES, BackendContract, picture
from tests.backends.scripts import ask, scripted, shown


class TestCached(BackendContract):
    @pytest.fixture
    def backend(self, tmp_path):
        with AnswerStore(tmp_path / "calls.sqlite") as store:
            yield CachedBackend(scripted(tmp_path), store, purpose="test", chunk=2)


@pytest.fixture
def opened(tmp_path):
    """Open the store anew, as another run does, in front of a model that has been asked nothing."""
    open_now = []

    def opening(model=None, **options):
        model = model or scripted(tmp_path)
        backend = CachedBackend(model, AnswerStore(tmp_path / "calls.sqlite"), purpose="test", **options)
        open_now.append(backend)
        return model, backend

    yield opening
    for backend in open_now:
        backend.close()


def test_a_second_run_gets_the_same_answers_and_asks_nothing(opened):
    prompts = ask("the sky", "退款 🧧", "else")
    _, first = opened()
    texts, scores = first.generate(prompts, Sampling()), first.score(prompts, CHOICES)
    model, second = opened()
    assert second.generate(prompts, Sampling()) == texts
    assert second.score(prompts, CHOICES) == scores
    assert model.asked == []
    assert (first.tally.calls, first.tally.cached) == (6, 0)
    assert second.tally == Tally(calls=0, cached=6)


def test_only_what_is_not_known_is_passed_on_and_once(opened):
    model, backend = opened()
    backend.generate(ask("a", "b"), Sampling())
    answers = backend.generate(ask("c", "sky", "a", "c", "b", "c"), Sampling())
    assert shown(model) == ["a", "b", "c", "sky"]
    assert [answer.text for answer in answers] == ["so", "blue", "so", "so", "so", "so"]


def test_failures_are_asked_again(opened):
    _, first = opened()
    first.score(ask("bad", "good"), CHOICES)
    model, second = opened()
    [failed, _] = second.score(ask("bad", "good"), CHOICES)
    assert isinstance(failed, Failed)
    assert shown(model) == ["bad"]
    assert second.tally == Tally(calls=1, cached=1, failures=Counter({"no answer today": 1}))


PROMPT = Prompt("Be short.", ("What?",))


def test_whatever_shapes_an_answer_asks_anew(opened, tmp_path):
    model, backend = opened()
    red, blue = picture(tmp_path / "red.png"), picture(tmp_path / "blue.png", "blue")
    samplings = [
        Sampling(),
        Sampling(seed=1),
        Sampling(max_tokens=9),
        Sampling(temperature=0.5),
        Sampling(schema='{"type": "object"}'),
    ]
    prompts = [
        PROMPT,
        replace(PROMPT, system=""),
        Prompt("Be short.", ("What", "?")),
        Prompt("Be short.", (red, "What?")),
        Prompt("Be short.", ("What?", red)),
        Prompt("Be short.", (blue, "What?")),
        Prompt("Be short.", (f"picture {red.sha256}", "What?")),
    ]
    for sampling in samplings:
        backend.generate(prompts, sampling)
    for choices in (CHOICES, CHOICES[::-1], CHOICES[:2]):
        backend.score(prompts, choices)
    assert len(model.asked) == len(prompts) * (len(samplings) + 3)


def test_another_model_shares_no_answer(opened, tmp_path):
    _, backend = opened()
    backend.generate([PROMPT], Sampling())
    _, other = opened(scripted(tmp_path, "answers: [{text: other}]", "other.yaml"))
    assert other.generate([PROMPT], Sampling())[0].text == "other"


def test_a_picture_that_moved_is_still_known(opened, tmp_path):
    red = picture(tmp_path / "red.png")
    model, backend = opened()
    backend.generate([Prompt("", (red,))], Sampling())
    moved = red.path.rename(tmp_path / "moved.png")
    assert isinstance(backend.generate([Prompt("", (Picture(moved, red.sha256),))], Sampling())[0], Generated)
    assert len(model.asked) == 1


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    batches=st.lists(st.lists(st.sampled_from(["sky", "bad", "退款", "x", "y"]), max_size=6), max_size=5),
    chunk=st.integers(1, 4),
    seed=st.integers(0, 2),
)
def test_with_a_memory_a_model_says_what_it_says_without(tmp_path_factory, batches, chunk, seed):
    folder, sampling = tmp_path_factory.mktemp("cache"), Sampling(temperature=1, seed=seed)
    bare, model = scripted(folder), scripted(folder)
    with AnswerStore(folder / "calls.sqlite") as store:
        backend = CachedBackend(model, store, purpose="test", chunk=chunk)
        for words in batches:
            assert backend.generate(ask(*words), sampling) == bare.generate(ask(*words), sampling)
    good = [word for word in shown(model) if word != "bad"]
    assert sorted(good) == sorted({word for words in batches for word in words} - {"bad"})


class Stopping:
    """A model that answers two calls and then is gone."""

    def __init__(self, model):
        self.model, self.spec, self.identity, self.sizes = model, model.spec, model.identity, []

    def generate(self, prompts, sampling, seeds=None):
        self.sizes.append(len(prompts))
        if len(self.sizes) > 2:
            raise BackendError("the server is gone", retryable=True)
        return self.model.generate(prompts, sampling, seeds)

    def close(self):
        pass


def test_what_was_answered_before_an_error_is_kept(opened, tmp_path):
    stopping = Stopping(scripted(tmp_path))
    _, backend = opened(stopping, chunk=3)
    with pytest.raises(BackendError, match="the server is gone"):
        backend.generate(ask(*"abcdefgh"), Sampling())
    assert stopping.sizes == [3, 3, 2]
    model, again = opened()
    again.generate(ask(*"abcdefgh"), Sampling())
    assert shown(model) == ["g", "h"]


KILLED = """
import os, signal, sys
from pathlib import Path
from kdsl_cli.backends.backend import Sampling
from kdsl_cli.backends.cache import CachedBackend
from kdsl_cli.backends.scripted import ScriptedBackend
from kdsl_cli.backends.store import AnswerStore
from kdsl_cli.dialogues.prompting import Prompt

class Killed(ScriptedBackend):
    def generate(self, prompts, sampling, seeds=None):
        if len(self.asked) == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().generate(prompts, sampling, seeds)

folder = Path(sys.argv[1])
model = Killed(folder / "answers.yaml")
backend = CachedBackend(model, AnswerStore(folder / "calls.sqlite"), purpose="test", chunk=2)
backend.generate([Prompt("", (word,)) for word in "abcdefgh"], Sampling())
"""


@pytest.mark.slow
def test_a_kill_loses_the_chunk_in_work_and_no_more(opened, tmp_path, child_environment):
    scripted(tmp_path)
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=child_environment, timeout=60)
    assert done.returncode == -signal.SIGKILL
    model, backend = opened()
    backend.generate(ask(*"abcdefgh"), Sampling())
    assert shown(model) == list("efgh")


def test_every_real_call_is_logged_with_its_cost_and_no_text(opened, tmp_path):
    _, backend = opened()
    backend.generate(ask("the sky", "bad"), Sampling())
    backend.generate(ask("the sky"), Sampling())
    backend.score(ask("the sky"), CHOICES)
    backend.close()
    with sqlite3.connect(tmp_path / "calls.sqlite") as log:
        calls = log.execute(
            "SELECT purpose, operation, prompt_tokens, completion_tokens, error FROM calls"
        ).fetchall()
        hits = log.execute("SELECT purpose, operation, number FROM hits").fetchall()
    assert calls == [
        ("test", "generate", 7, 4, None),
        ("test", "generate", 0, 0, "no answer today"),
        ("test", "score", 7, 0, None),
    ]
    assert hits == [("test", "generate", 1)]
    assert b"the sky" not in Path(tmp_path / "calls.sqlite").read_bytes()


def test_calls_of_a_model_that_is_gone_are_logged_as_failed(opened, tmp_path):
    stopping = Stopping(scripted(tmp_path))
    _, backend = opened(stopping, chunk=1)
    with pytest.raises(BackendError):
        backend.generate(ask("a", "b", "c", "d"), Sampling())
    backend.close()
    with sqlite3.connect(tmp_path / "calls.sqlite") as log:
        errors = [error for (error,) in log.execute("SELECT error FROM calls")]
    assert errors == [None, None, "the server is gone."]
