"""Which weights were loaded, and what of them was quantised."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kdsl_cli.backends.backend import Scored
from kdsl_cli.backends.local import loading
from kdsl_cli.backends.local.local import LocalBackend, open_local
from kdsl_cli.backends.local.quantising import quantisation
from kdsl_cli.backends.local.tiny import build
from kdsl_cli.backends.spec import BackendOptions, LocalSpec
from kdsl_cli.commands.models.tiny_model import shop_texts
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.errors import BackendError

pytestmark = pytest.mark.local

PLAIN = BackendOptions(quant="none", max_pixels=30_000)
ASKED = [Prompt("", ("Which intent?",))]
LABELS = ("refund-only", "home", "退款")


def scores(backend: LocalBackend) -> tuple[float | None, ...]:
    [told] = backend.score(ASKED, LABELS)
    assert isinstance(told, Scored)
    return told.logprobs


def test_the_language_model_is_quantised_and_nothing_else(opened: LocalBackend) -> None:
    kinds = {name: type(part).__name__ for name, part in opened._model.named_modules()}
    quantised = {name for name, kind in kinds.items() if kind == "Linear4bit"}
    plain = {name for name, kind in kinds.items() if kind == "Linear"}
    assert len(quantised) == 2 * 7  # layers by projections
    assert all(name.startswith("model.language_model.layers.") for name in quantised)
    assert "lm_head" in plain
    assert any("merger" in name for name in plain)
    assert any("blocks" in name for name in plain)


@pytest.mark.slow
def test_a_layer_that_must_not_be_quantised_is_found_out(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a later transformers understands the names of modules in another way."""
    settings = quantisation
    for kept, why in ((("lm_head",), r"model\.visual"), (("lm_head", "model"), "no layer")):
        monkeypatch.setattr(
            loading, "quantisation", lambda quant, dtype, _, kept=kept: settings(quant, dtype, kept)
        )
        with pytest.raises(BackendError, match=why):
            open_local(LocalSpec(str(checkpoint)), BackendOptions(quant="nf4"))


def test_what_was_left_alone_is_told(checkpoint: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        open_local(LocalSpec(str(checkpoint)), BackendOptions(quant="nf4"))
    assert "lm_head, model.visual" in caplog.text


def test_quantised_scores_are_near_and_not_the_same(opened: LocalBackend, checkpoint: Path) -> None:
    plain = scores(open_local(LocalSpec(str(checkpoint)), PLAIN))
    assert scores(opened) != plain
    assert scores(opened) == pytest.approx(plain, rel=0.2)


@pytest.mark.slow
def test_other_weights_under_the_same_path_are_another_revision(checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint, folder)
    first = open_local(LocalSpec(str(folder)), PLAIN).identity
    shutil.rmtree(folder)
    build(folder, shop_texts(), seed=5)
    second = open_local(LocalSpec(str(folder)), PLAIN).identity
    assert first["revision"] != second["revision"]
    assert {**first, "revision": ""} == {**second, "revision": ""}
    assert str(tmp_path) not in json.dumps(first)


def test_a_revision_asked_of_a_folder_is_held_to(checkpoint: Path, opened: LocalBackend) -> None:
    held = opened.identity["revision"].removeprefix("sha256:")
    same = open_local(LocalSpec(str(checkpoint), revision=held[:12]), PLAIN)
    assert same.identity["revision"] == opened.identity["revision"]
    with pytest.raises(BackendError, match="not 0123"):
        open_local(LocalSpec(str(checkpoint), revision="0123"), PLAIN)


def test_a_model_of_the_hub_is_known_by_its_commit(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it lies in the cache of the hub's own client, two commits of it."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    commits = {"main": "a" * 40, "v1": "b" * 40}
    for branch, commit in commits.items():
        shutil.copytree(checkpoint, tmp_path / "models--shop--tiny" / "snapshots" / commit)
        reference = tmp_path / "models--shop--tiny" / "refs" / branch
        reference.parent.mkdir(exist_ok=True)
        reference.write_text(commit)
    for asked, branch in ((None, "main"), ("v1", "v1"), ("b" * 40, "v1")):
        identity = open_local(LocalSpec("shop/tiny", asked), PLAIN).identity
        assert (identity["model"], identity["revision"]) == ("shop/tiny", commits[branch])


@pytest.mark.slow
@pytest.mark.parametrize("quant", ["none", "nf4"])
def test_an_adapter_changes_answers_and_identity(checkpoint: Path, tmp_path: Path, quant: str) -> None:
    adapter = adapter_of(checkpoint, tmp_path / "adapter", seed=1)
    options = BackendOptions(quant=quant, max_pixels=30_000)
    bare = open_local(LocalSpec(str(checkpoint)), options)
    tuned = open_local(LocalSpec(str(checkpoint), adapter=str(adapter)), options)
    assert scores(tuned) != pytest.approx(scores(bare), abs=1e-2)
    assert bare.identity["adapter"] == "none"
    assert tuned.identity == bare.identity | {"adapter": tuned.identity["adapter"]}
    other = adapter_of(checkpoint, tmp_path / "other", seed=2)
    again = open_local(LocalSpec(str(checkpoint), adapter=str(other)), options)
    assert again.identity["adapter"] != tuned.identity["adapter"]


def adapter_of(checkpoint: Path, folder: Path, seed: int) -> Path:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
        tuned = get_peft_model(AutoModelForImageTextToText.from_pretrained(checkpoint), config)
        tuned.save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("spec", "options", "told"),
    [
        (LocalSpec("/no/such/folder"), PLAIN, "kdsl tiny-model"),
        (LocalSpec("nobody/no-such-model"), PLAIN, "HF_HUB_OFFLINE"),
        (LocalSpec("nobody/no-such-model", "v9"), PLAIN, "nobody/no-such-model@v9"),
        (LocalSpec("CHECKPOINT"), BackendOptions(quant="none", device="abacus"), "cuda, cpu"),
        (LocalSpec("CHECKPOINT", adapter="/no/such/adapter"), PLAIN, "/no/such/adapter"),
    ],
)
def test_what_is_not_there_is_named_with_what_to_do(
    spec: LocalSpec, options: BackendOptions, told: str, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    path = str(checkpoint) if spec.path == "CHECKPOINT" else spec.path
    with pytest.raises(BackendError) as error:
        open_local(LocalSpec(path, spec.revision, spec.adapter), options)
    assert told in str(error.value)


@pytest.mark.parametrize(
    "missing", ["config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"]
)
def test_half_a_checkpoint_is_no_traceback(checkpoint: Path, tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint, folder)
    (folder / missing).unlink()
    with pytest.raises(BackendError, match="whole checkpoint"):
        open_local(LocalSpec(str(folder)), PLAIN)


def test_a_broken_file_of_weights_is_no_traceback(checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint, folder)
    (folder / "model.safetensors").write_bytes(b"half")
    with pytest.raises(BackendError, match="whole checkpoint"):
        open_local(LocalSpec(str(folder)), PLAIN)
