"""What prompts share is read once, and their scores are those of prompts that are read whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kdsl_cli.backends.backend import Scored
from kdsl_cli.backends.local import scoring
from kdsl_cli.backends.local.loading import Loaded, load
from kdsl_cli.backends.local.local import LocalBackend
from kdsl_cli.backends.local.prefixes import parted, read_apart
from kdsl_cli.backends.local.rendering import Row
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from kdsl_cli.dialogues.prompting import Picture, Prompt
from tests.backends.local.conftest import ShownPicture
from tests.backends.local.families import later_qwen

pytestmark = pytest.mark.local

LABELS = ("refund-progress", "refund-only", "home", "退款进度", "退款", "")
OPTIONS = BackendOptions(quant="none", max_pixels=60_000, batch_size=4)
CATALOGUE = "The intents are:\n" + "".join(f"- intent number {n}: 退款或者退货\n" for n in range(20))
LONG = "客户想知道退款在哪里看。" * 40


def row(tokens: list[int], pictures: tuple[str, ...] = ()) -> Row:
    """Return a row as the tiny model takes it, in which token 99 stands for a piece of a picture."""
    import torch

    ids = torch.tensor([tokens])
    inputs = {"input_ids": ids, "attention_mask": ids * 0 + 1, "mm_token_type_ids": (ids == 99).long()}
    if pictures:
        inputs["pixel_values"] = torch.arange(8.0 * len(pictures))[:, None]
        inputs["image_grid_thw"] = torch.tensor([[1, 2, 4]] * len(pictures))
    return Row(inputs, len(tokens), tokens.count(99), pictures)


def shape(rows: list[Row]) -> list[tuple[int, int]]:
    """Return of each row the tokens of its prefix, and of the rest."""
    return [(part.prefix.row.length if part.prefix else 0, part.rest.length) for part in parted(rows)]


HEAD = [1] * 200


def test_rows_that_begin_alike_share_it_and_something_is_left_of_each() -> None:
    assert shape([row([*HEAD, 2, 3]), row([*HEAD, 3]), row(HEAD)]) == [(199, 3), (199, 2), (199, 1)]
    parts = parted([row([*HEAD, 2]), row([*HEAD, 3])])
    assert parts[0].prefix == parts[1].prefix


def test_what_is_short_or_would_cost_others_their_prefix_is_read_whole() -> None:
    assert shape([row([1] * 90 + [2]), row([1] * 90 + [3])]) == [(0, 91), (0, 91)]
    deep = [*HEAD, *range(2, 90), *range(100, 300)]
    found = shape([row([*deep, 1]), row([*deep, 2]), row([*HEAD, 98, 97])])
    assert found == [(len(deep), 1), (len(deep), 1), (0, 202)]


def test_pictures_are_what_they_are_and_not_how_many_tokens_they_have() -> None:
    shown = [*HEAD, 99, 99, 5, 99, 99, 6]
    same = parted([row(shown, ("a", "b")), row([*shown, 7], ("a", "c"))])
    assert [part.rest.length for part in same] == [3, 4]
    for part in same:
        assert part.prefix is not None
        assert part.prefix.row.inputs["pixel_values"].flatten().tolist() == list(range(8))
        assert part.rest.inputs["pixel_values"].flatten().tolist() == list(range(8, 16))
        assert len(part.rest.inputs["image_grid_thw"]) == len(part.prefix.row.inputs["image_grid_thw"]) == 1
    alike = parted([row(shown, ("a", "b")), row([*shown, 7], ("a", "b"))])
    assert [part.rest.length for part in alike] == [1, 2]
    assert "pixel_values" not in alike[0].rest.inputs


def prompts(picture: Picture, other: Picture) -> list[Prompt]:
    """Return prompts about one task, about one dialogue, its pictures the other way round, and alone."""
    about = ("customer:", picture, "和", other, LONG)
    return [
        Prompt(CATALOGUE, ("我要退款",)),
        Prompt(CATALOGUE, ("customer:", other, "哪个页面？")),
        Prompt(CATALOGUE, ("这是一个长得多的问题" * 9,)),
        Prompt("", (*about, "Is it a refund?")),
        Prompt("", (*about, "Is it blue, or is it red?")),
        Prompt("", ("customer:", other, "和", picture, LONG, "Is it a refund?")),
        Prompt("", ("?",)),
        Prompt(CATALOGUE, ("在哪里？",)),
        Prompt(CATALOGUE, ("",)),
    ]


def scores(backend: LocalBackend, asked: list[Prompt]) -> list[tuple[float, ...]]:
    found = backend.score(asked, LABELS)
    return [tuple(p for p in one.logprobs if p is not None) for one in found if isinstance(one, Scored)]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["qwen2", "Qwen2_5_VLConfig", "Qwen3VLConfig"])
def test_scores_are_those_of_prompts_read_whole(
    family: str, checkpoint: Path, noise: ShownPicture, monkeypatch: pytest.MonkeyPatch
) -> None:
    if family == "qwen2":
        loaded = load(LocalSpec(str(checkpoint)), OPTIONS)
    else:
        loaded = Loaded(*later_qwen(family, checkpoint), {"kind": "local", "model": family})
    read: list[int] = []
    one_pass = scoring.in_one_pass

    def watched(model: Any, batch: Any, trie: Any, past: Any) -> list[list[float]]:
        read.append(batch["attention_mask"].sum().item())
        return one_pass(model, batch, trie, past)

    asked = prompts(noise(200, 100), noise(120, 90))
    whole = LocalBackend("whole", loaded, OPTIONS, shared=False)
    expected = scores(whole, asked)
    monkeypatch.setattr(scoring, "in_one_pass", watched)
    apart = scores(LocalBackend("apart", loaded, OPTIONS), asked)
    for left, right in zip(apart, expected, strict=True):
        assert left == pytest.approx(right, abs=1e-4)
    assert sum(read) < sum(one.usage.prompt_tokens for one in whole.score(asked, LABELS)) / 2


def test_learnt_vectors_in_front_leave_prompts_whole(checkpoint: Path) -> None:
    peft: Any = pytest.importorskip("peft")
    from kdsl_cli.backends.local.soft_prompts import put_in_front

    model = load(LocalSpec(str(checkpoint)), OPTIONS).model
    assert read_apart(model)
    config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    put_in_front(model, peft.get_peft_model(model, config))
    assert not read_apart(model)
