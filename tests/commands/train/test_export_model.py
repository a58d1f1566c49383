"""``kdsl export-model``: through the program, on the tiny checkpoint."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kdsl_cli.commands.app import run
from tests.commands.tuned_space import checkpoint, tuned, tuned_space, untuned_space

__all__ = ["checkpoint", "tuned_space", "untuned_space"]

pytestmark = [pytest.mark.local, pytest.mark.slow, pytest.mark.usefixtures("quiet_environment")]


LINEAR = [f"self_attn.{side}_proj" for side in "qkvo"] + [
    f"mlp.{part}_proj" for part in ("gate", "up", "down")
]


def test_merged_it_is_a_checkpoint_of_its_own_that_says_the_same(
    tuned_space: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where it was tuned beside NF4: it is merged into the base as published."""
    from safetensors import safe_open

    assert run(["export-model", "whole", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["agreeing"], told["rows"], told["trained_beside"]) == (5, 5, "nf4")
    assert told["largest"] < 0.5
    with (
        safe_open("whole/model.safetensors", "pt") as merged,
        safe_open(checkpoint / "model.safetensors", "pt") as base,
    ):
        assert set(merged.keys()) == set(base.keys())
        changed = {
            name for name in base.keys()  # noqa: SIM118
            if not base.get_tensor(name).bfloat16().equal(merged.get_tensor(name))
        }  # fmt: skip
        assert str(merged.get_tensor("model.norm.weight").dtype) == "torch.bfloat16"
    layers = [f"model.layers.{n}." for n in (0, 1)]
    assert changed == {f"{layer}{name}.weight" for layer in layers for name in LINEAR}
    for name in ("chat_template.jinja", "tokenizer.json", "processor_config.json"):
        assert (Path("whole") / name).is_file()
    generation = json.loads(Path("whole/generation_config.json").read_text())
    assert (
        generation["eos_token_id"]
        == json.loads((checkpoint / "generation_config.json").read_text())["eos_token_id"]
    )
    assert not list(Path().glob(".whole*"))


def test_the_merged_model_agrees_with_the_tuned_one(
    untuned_space: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tuned(untuned_space, checkpoint, quant="none")
    assert run(["export-model", "whole"]) == 0
    capsys.readouterr()
    assert run(["doctor", "parity", "large", "local:whole", "--quant", "none", "--json"]) == 0
    merged = json.loads(capsys.readouterr().out)
    run(["doctor", "parity", "large", f"local:{checkpoint}", "--quant", "none", "--json"])
    bare = json.loads(capsys.readouterr().out)
    assert merged["largest"] < 0.1 < bare["largest"]


def test_an_adapter_that_merging_would_change_is_not_written(
    tuned_space: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from kdsl_cli.training.lora.leaving import merging

    load = merging.load

    def spoilt(source, device=None):  # type: ignore[no-untyped-def]
        import torch

        loaded = load(source, device)
        if source.revision == "merged":
            torch.nn.init.zeros_(loaded.model.get_output_embeddings().weight)
        return loaded

    monkeypatch.setattr(merging, "load", spoilt)
    assert run(["export-model", "whole", "--min-agreement", "1"]) == 1
    assert "nothing was written" in capsys.readouterr().err
    assert not Path("whole").exists() and not list(Path().glob(".whole*"))


def test_a_base_that_is_not_the_one_trained_on_is_refused(
    tuned_space: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(checkpoint, "other")
    config = json.loads(Path("other/generation_config.json").read_text())
    Path("other/generation_config.json").write_text(json.dumps(config))
    assert run(["export-model", "whole", "--through", "local:other"]) == 2
    assert "was trained on" in capsys.readouterr().err


def test_merging_into_quantised_weights_is_refused(
    untuned_space: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from kdsl_cli.backends.local.finding import find

    shutil.copytree(checkpoint, "packed")
    config = json.loads(Path("packed/config.json").read_text())
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    Path("packed/config.json").write_text(json.dumps(config))
    tuned(untuned_space, checkpoint, base="local:packed", revision=find("packed", None).revision)
    assert run(["export-model", "whole"]) == 2
    err = capsys.readouterr().err
    assert "quantised" in err and "--adapter-only" in err
    assert not Path("whole").exists()


def test_an_adapter_for_servers_is_plain_and_of_the_language_model_alone(
    tuned_space: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from safetensors import safe_open

    assert run(["export-model", "served", "--adapter-only", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sorted(path.name for path in Path("served").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    config = json.loads(Path("served/adapter_config.json").read_text())
    assert config["r"] == told["rank"] == 4
    assert config["base_model_name_or_path"] == checkpoint.name
    assert (config["bias"], config["modules_to_save"], config["use_dora"]) == ("none", None, False)
    modules = {f"model.language_model.layers.{n}.{name}" for n in (0, 1) for name in LINEAR}
    assert set(config["target_modules"]) == set(told["modules"]) == modules
    with safe_open("served/adapter_model.safetensors", "np") as tensors:
        assert set(tensors.keys()) == {
            f"base_model.model.{module}.lora_{side}.weight" for module in modules for side in "AB"
        }
    assert "--max-lora-rank 8" in told["serve"][0] and "--through http:" in told["serve"][1]


def test_the_adapter_for_servers_says_the_same_as_the_one_that_was_trained(
    tuned_space: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export-model", "served", "--adapter-only"]) == 0
    capsys.readouterr()
    assert run(["doctor", "parity", "large", f"local:{checkpoint}+served", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["largest"] == 0.0
    assert told["differs"] == {}  # training leaves the same bytes


def test_what_servers_would_pass_over_is_refused(
    untuned_space: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText

    from kdsl_cli.training.lora.answers.record import adapter_hash

    base = AutoModelForImageTextToText.from_pretrained(checkpoint)
    folder = untuned_space / "runs/large/adapter"
    record = tuned(untuned_space, checkpoint)
    both = LoraConfig(r=2, target_modules=["q_proj", "qkv"], modules_to_save=["lm_head"])
    get_peft_model(base, both).save_pretrained(folder)
    text = (folder.parent / "model.json").read_text(encoding="utf-8")
    (folder.parent / "model.json").write_text(text.replace(record.adapter, adapter_hash(folder)))
    assert run(["export-model", "served", "--adapter-only"]) == 2
    err = capsys.readouterr().err
    assert "model.visual.blocks.0.attn.qkv lies outside the language model" in err
    assert "modules_to_save" in err
    assert not Path("served").exists()


@pytest.mark.parametrize(
    ("kind", "told"),
    [("head", "no server knows"), ("prompt", "no server knows"), ("full", "is a checkpoint already")],
)
def test_what_cannot_be_merged_or_served_is_refused(
    untuned_space: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str], kind: str, told: str
) -> None:
    tuned(untuned_space, checkpoint, kind=kind)
    assert run(["export-model", "out"]) == 2
    assert told in capsys.readouterr().err


def test_a_folder_that_is_there_is_left_alone(tuned_space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export-model", "data"]) == 2
    assert "is there already" in capsys.readouterr().err
