"""Presets: what a person gave wins, every preset is whole, and one can be had from all four."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kdsl_cli.commands.workspace.train_settings import TrainSettings
from kdsl_cli.training.lora.adapters.memory import lower
from kdsl_cli.training.lora.adapters.presets import LEARNING_RATES, PRESETS, resolve
from kdsl_cli.training.lora.adapters.settings import LoraSettings


@pytest.mark.parametrize("preset", PRESETS)
def test_what_was_given_wins_over_the_preset(preset):
    settings = resolve(preset, {"micro_batch": 7, "learning_rate": 0.5})
    assert (settings.micro_batch, settings.learning_rate) == (7, 0.5)
    assert settings.quant == PRESETS[preset]["quant"]


@pytest.mark.parametrize("method", LEARNING_RATES)
def test_each_method_has_its_learning_rate(method):
    assert resolve("24g", {"method": method}).learning_rate == LEARNING_RATES[method]


def test_all_weights_are_learnt_unquantised_unless_somebody_insists():
    assert resolve("12g", {"method": "full"}).quant == "none"
    assert resolve("12g", {"method": "full", "quant": "nf4"}).quant == "nf4"


def test_larger_presets_show_no_less_and_lower_ones_work_on_no_more_at_once():
    sizes = [resolve(preset, {}) for preset in PRESETS]
    for small, large in pairwise(sizes):
        assert small.max_pixels <= large.max_pixels and small.max_length <= large.max_length
        assert small.micro_batch <= large.micro_batch


def test_every_option_of_the_settings_file_reaches_the_tuning():
    changed = {"quant": "int8", "max_pixels": 999, "max_length": 99, "micro_batch": 9, "checkpointing": False}
    options = TrainSettings(**changed, learning_rate=0.5, rank=3, patience=None).tuning()
    assert set(options) | {"augmentation"} == set(LoraSettings().resolved())
    resolved = resolve("12g", options).resolved()
    assert {name: resolved[name] for name in options} == options


def test_null_leaves_to_the_preset_what_it_settles_and_turns_off_what_can_be_off():
    options = TrainSettings(patience=None, quant=None).tuning()
    assert "quant" not in options and options["patience"] is None
    assert resolve("48g", options).patience is None


def test_what_can_be_lowered_begins_with_what_costs_time_alone_and_never_is_nothing():
    ways = lower(LoraSettings(micro_batch=2, checkpointing=False, quant="int8"))
    assert [way.split()[0] for way in ways] == ["--micro-batch", "memory", "the", "--max-pixels"]
    least = LoraSettings(micro_batch=1, checkpointing=True, quant="nf4", max_pixels=50_000)
    assert lower(least) == ["the model: a smaller one"]
