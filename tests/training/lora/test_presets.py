"""Presets: what a person gave wins, every preset is whole, and one can be had from all four."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kdsl_cli.commands.settings import Settings
from kdsl_cli.commands.train_settings import TrainSettings
from kdsl_cli.training.lora.memory import lower
from kdsl_cli.training.lora.presets import LEARNING_RATES, PRESETS, resolve
from kdsl_cli.training.lora.settings import LoraSettings


@pytest.mark.parametrize("preset", PRESETS)
def test_what_was_given_wins_over_the_preset_and_none_was_not_given(preset):
    settings = resolve(preset, {"micro_batch": 7, "quant": None, "learning_rate": 0.5})
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
    options = TrainSettings().tuning()
    assert set(options) | {"augmentation"} == set(LoraSettings().resolved())
    resolved = resolve(Settings().train.preset, options).resolved()
    own = {name: value for name, value in options.items() if value is not None}
    assert {name: resolved[name] for name in own} == own


def test_what_can_be_lowered_begins_with_what_costs_time_alone_and_never_is_nothing():
    ways = lower(LoraSettings(micro_batch=2, checkpointing=False, quant="int8"))
    assert [way.split()[0] for way in ways] == ["--micro-batch", "memory", "the", "--max-pixels"]
    least = LoraSettings(micro_batch=1, checkpointing=True, quant="nf4", max_pixels=50_000)
    assert lower(least) == ["the model: a smaller one"]
