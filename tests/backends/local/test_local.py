"""Rows in, rows out: too long, too large, too many at once."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from kdsl_cli.backends.backend import Failed, Generated, Sampling, Scored
from kdsl_cli.backends.local.local import LocalBackend, open_local
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.errors import BackendError
from tests.backends.local.conftest import ShownPicture

pytestmark = pytest.mark.local

LABELS = ("refund-only", "home", "退款")
SHORT = Prompt("", ("?",))


def test_a_prompt_that_is_too_long_fails_alone_and_is_never_cut(opened: LocalBackend) -> None:
    long = Prompt("", ("哪" * 5000,))
    for first, second in (
        opened.generate([long, SHORT], Sampling(4)),
        opened.score([long, SHORT], LABELS),
    ):
        assert isinstance(first, Failed)
        assert "4096" in first.reason and "small.max_pixels" in first.reason
        assert not isinstance(second, Failed)


def test_room_is_kept_for_the_answer(opened: LocalBackend) -> None:
    [told] = opened.generate([SHORT], Sampling(4096))
    assert isinstance(told, Failed)


def test_pictures_cost_what_their_size_says(opened: LocalBackend, noise: ShownPicture) -> None:
    [told] = opened.score([Prompt("", (noise(84, 56), noise(1000, 500), "?"))], LABELS)
    assert told.usage.image_tokens == 3 * 2 + 8 * 4  # the second is within 30,000 pixels as 224 x 112


def test_a_processor_that_resizes_after_all_is_found_out(
    opened: LocalBackend, noise: ShownPicture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import Qwen2VLImageProcessor

    resize = Qwen2VLImageProcessor.preprocess
    size = {"shortest_edge": 100_000, "longest_edge": 200_000}
    monkeypatch.setattr(
        Qwen2VLImageProcessor,
        "preprocess",
        lambda self, images, **kw: resize(self, images, **kw | {"do_resize": True, "size": size}),
    )
    with pytest.raises(BackendError, match="resized"):
        opened.score([Prompt("", (noise(84, 56), "?"))], LABELS)


@pytest.fixture
def cramped(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what opens a model whose memory is full from so many rows on, and the sizes that it ran with."""
    import torch
    from transformers import Qwen2VLForConditionalGeneration as Model

    forward, ran = Model.forward, []

    def opener(most: int, error: Exception | None = None) -> tuple[LocalBackend, list[int]]:
        @functools.wraps(forward)  # transformers reads its signature
        def full(self: Any, *args: Any, **kwargs: Any) -> Any:
            rows = kwargs["input_ids"].shape[0]
            if rows > most:
                raise error or torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
            ran.append(rows)
            return forward(self, *args, **kwargs)

        monkeypatch.setattr(Model, "forward", full)
        options = BackendOptions(quant="none", max_pixels=30_000, batch_size=8)
        return open_local(LocalSpec(str(checkpoint)), options), ran

    return opener


@pytest.mark.slow
def test_out_of_memory_halves_the_batch_until_it_fits(cramped: Any, opened: LocalBackend) -> None:
    asked = [Prompt("", (f"{number}?",)) for number in range(9)]
    whole = cramped(99)[0].score(asked, LABELS)
    for error in (
        None,
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ):
        backend, ran = cramped(3, error)
        ran.clear()
        halved = backend.score(asked, LABELS)
        assert set(ran) == {1, 2}
        for left, right in zip(whole, halved, strict=True):
            assert isinstance(left, Scored)
            assert isinstance(right, Scored)
            assert left.logprobs == pytest.approx(right.logprobs, abs=1e-4)
        assert all(isinstance(row, Generated) for row in backend.generate(asked, Sampling(2)))


def test_out_of_memory_on_one_prompt_says_what_to_lower(cramped: Any) -> None:
    backend, _ = cramped(0)
    with pytest.raises(BackendError) as told:
        backend.score([SHORT, SHORT], LABELS)
    assert "small.max_pixels" in str(told.value) and "nf4" in str(told.value)


def test_what_to_lower_is_named_by_the_settings_of_whoever_opened_it(checkpoint: Path) -> None:
    options = BackendOptions(quant="none", max_pixels=30_000, section="train")
    backend = open_local(LocalSpec(str(checkpoint)), options)
    (row,) = backend.score([Prompt("", ("long " * 5000,))], LABELS)
    assert isinstance(row, Failed) and "lower train.max_pixels" in row.reason


def test_any_other_error_of_the_model_is_not_taken_for_lack_of_memory(cramped: Any) -> None:
    backend, _ = cramped(0, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        backend.score([SHORT], LABELS)
