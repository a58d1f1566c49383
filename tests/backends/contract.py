"""What every backend promises, once for all of them.

A test module of a kind of model inherits `BackendContract` and gives it a fixture `backend`: one that is open
and answers whatever it is asked. If keys are around, `secrets` names them.

    class TestLocal(BackendContract):
        @pytest.fixture
        def backend(self, tiny_model): ...
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from kdsl_cli.backends.backend import Backend, Failed, Generated, Sampling, Scored
from kdsl_cli.dialogues.prompting import Picture, Prompt

SAMPLING = Sampling(max_tokens=8)
WARM = Sampling(max_tokens=8, temperature=0.9, seed=7)
CHOICES = ("yes", "no", "也许 🧧")
SKY = Prompt("", ("Is the sky blue?",))
GRASS = Prompt("Answer in one word.", ("Is the grass red?", "And in autumn?"))
REFUND = Prompt("你是客服。", ("客户说：我要退款 🧧\n在哪里看进度？",))


def picture(path: Path, colour: str = "red") -> Picture:
    """Draw a small picture."""
    Image.new("RGB", (40, 30), colour).save(path)
    return Picture(path, hashlib.sha256(path.read_bytes()).hexdigest())


def texts(answers: Sequence[Generated | Failed]) -> list[str]:
    """Return the texts, and fail with the reason of the first row that has none."""
    for answer in answers:
        assert isinstance(answer, Generated), answer
    return [answer.text for answer in answers if isinstance(answer, Generated)]


def logprobs(answers: Sequence[Scored | Failed]) -> list[tuple[float | None, ...]]:
    """Return the scores, and fail with the reason of the first row that has none."""
    for answer in answers:
        assert isinstance(answer, Scored), answer
    return [answer.logprobs for answer in answers if isinstance(answer, Scored)]


class BackendContract:
    tolerance = 1e-3
    """By how many nats a row's scores may depend on the rows it is computed with."""

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return ()

    @pytest.fixture
    def shown(self, tmp_path: Path) -> Prompt:
        return Prompt("", (picture(tmp_path / "页面.png"), "What is this?"))

    def test_it_says_what_it_is_in_plain_words_and_without_secrets(
        self, backend: Backend, secrets: tuple[str, ...]
    ) -> None:
        identity = dict(backend.identity)
        assert identity.get("kind")
        assert all(type(text) is str for pair in identity.items() for text in pair)
        assert identity == dict(backend.identity)
        told = json.dumps([identity, backend.spec])
        assert not [secret for secret in secrets if secret in told]

    def test_nothing_asked_is_nothing_answered(self, backend: Backend) -> None:
        assert backend.generate([], SAMPLING) == []
        assert backend.score([], CHOICES) == []

    def test_texts_come_in_the_order_of_their_prompts(self, backend: Backend, shown: Prompt) -> None:
        prompts = [SKY, shown, GRASS, REFUND]
        together = texts(backend.generate(prompts, SAMPLING))
        assert together == [texts(backend.generate([prompt], SAMPLING))[0] for prompt in prompts]

    def test_scores_come_in_the_order_of_their_prompts(self, backend: Backend, shown: Prompt) -> None:
        prompts = [SKY, shown, GRASS, REFUND]
        together = logprobs(backend.score(prompts, CHOICES))
        for prompt, scores in zip(prompts, together, strict=True):
            [alone] = logprobs(backend.score([prompt], CHOICES))
            assert scores == pytest.approx(alone, abs=self.tolerance)

    def test_a_text_depends_on_its_prompt_and_the_seed_alone(self, backend: Backend, shown: Prompt) -> None:
        first = texts(backend.generate([SKY, shown, GRASS], WARM))
        assert texts(backend.generate([GRASS, SKY, GRASS, shown], WARM)) == [
            first[2],
            first[0],
            first[2],
            first[1],
        ]
        texts(backend.generate([SKY, shown], replace(WARM, seed=8)))  # may differ, must answer

    def test_a_prompt_is_answered_once_for_each_of_its_seeds(self, backend: Backend) -> None:
        together = texts(backend.generate([SKY, SKY, GRASS, SKY], WARM, [1, 2, 1, 1]))
        alone = [
            texts(backend.generate([prompt], replace(WARM, seed=seed)))[0]
            for prompt, seed in [(SKY, 1), (SKY, 2), (GRASS, 1)]
        ]
        assert together == [*alone, alone[0]]
        with pytest.raises(ValueError, match="shorter"):
            backend.generate([SKY, SKY], WARM, [1])

    def test_a_text_says_how_it_ended_and_keeps_to_its_length(self, backend: Backend) -> None:
        for answer in backend.generate([SKY, REFUND], WARM):
            assert isinstance(answer, Generated)
            assert answer.finish in ("stop", "length")
            assert answer.usage.completion_tokens <= WARM.max_tokens
            assert answer.logprob is None or (math.isfinite(answer.logprob) and answer.logprob <= 0)

    def test_each_choice_has_a_score_as_far_as_the_method_tells(
        self, backend: Backend, shown: Prompt
    ) -> None:
        for answer in backend.score([SKY, shown, REFUND], CHOICES):
            assert isinstance(answer, Scored)
            assert len(answer.logprobs) == len(CHOICES)
            told = [value for value in answer.logprobs if value is not None]
            assert told
            assert all(math.isfinite(value) and value <= 0 for value in told)
            if answer.method == "likelihood":
                assert len(told) == len(CHOICES)
            elif answer.method == "choice":
                assert told == [0]

    def test_scores_follow_their_choices(self, backend: Backend) -> None:
        [forwards] = logprobs(backend.score([SKY], CHOICES))
        [backwards] = logprobs(backend.score([SKY], CHOICES[::-1]))
        assert backwards[::-1] == pytest.approx(forwards, abs=self.tolerance)

    def test_a_picture_that_cannot_be_shown_fails_its_own_row_alone(
        self, backend: Backend, shown: Prompt, tmp_path: Path
    ) -> None:
        broken = tmp_path / "broken.png"
        broken.write_bytes(b"no picture")
        of_broken = Prompt("", (Picture(broken, hashlib.sha256(b"no picture").hexdigest()), "Well?"))
        of_missing = Prompt("", ("Well?", Picture(tmp_path / "gone.png", "0" * 64)))
        prompts = [of_broken, SKY, of_missing, shown]
        for answers in (backend.generate(prompts, SAMPLING), backend.score(prompts, CHOICES)):
            assert [isinstance(answer, Failed) for answer in answers] == [True, False, True, False]
            failed = [answer for answer in answers if isinstance(answer, Failed)]
            assert all(answer.reason and not answer.retryable for answer in failed)

    def test_what_an_answer_cost_adds_up(self, backend: Backend, shown: Prompt) -> None:
        answers = [*backend.generate([SKY, shown], SAMPLING), *backend.score([SKY, shown], CHOICES)]
        for answer in answers:
            usage = answer.usage
            assert 0 <= usage.image_tokens <= usage.prompt_tokens
            assert usage.completion_tokens >= 0
            assert math.isfinite(usage.seconds)
            assert usage.seconds >= 0

    def test_it_can_be_closed_twice(self, backend: Backend) -> None:
        backend.close()
        backend.close()
