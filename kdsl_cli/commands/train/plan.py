"""``kdsl train-large --dry-run``: what would be learnt, and what it takes; nothing is written."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kdsl_cli.commands.console import current_output

if TYPE_CHECKING:
    from kdsl_cli.commands.train.setup import Setup
    from kdsl_cli.commands.workspace.settings import Settings

STEPS: Final = 4
"""Steps that are tried; the first one is not counted, it takes longer than the others."""


def show_plan(settings: Settings) -> None:
    """Print settings, lengths, the trained span, memory and time of a tuning, as far as a few steps tell.

    Raises
    ------
    KdslError
        If it could not be begun.
    """
    from kdsl_cli.commands.train.preflight import record as measured
    from kdsl_cli.commands.train.prepare import prepare
    from kdsl_cli.commands.train.tune import tuning_data
    from kdsl_cli.runs.signals import Stop
    from kdsl_cli.training.lora.adapters.memory import peak_gib
    from kdsl_cli.training.lora.steps.processes import World

    data = tuning_data(settings)
    with tempfile.TemporaryDirectory() as folder:
        setup = prepare(settings, data, Path(folder) / "metrics.jsonl", World(), Stop())
        setup.announce(settings.train.preset)
        first = setup.checked.kept[0]
        steps = {
            training.name: len(training.steps(setup.loop.settings, setup.loop.seed))
            for training, _ in setup.work.trainings(setup.loop.seed)
        }
        seconds = _tried(setup)
    minutes = seconds * sum(steps.values()) / 60
    told: dict[str, Any] = {
        "settings": setup.loop.settings.resolved(),
        **measured(setup.checked),
        "trained_span": {"id": first.id, "text": first.completion},
        "steps": steps,
        "seconds_a_step": round(seconds, 3),
        "minutes": round(minutes, 1),
        "estimated_gib": round(setup.estimate.total, 2),
        "peak_gib": round(peak_gib(setup.loop.adapted.model.device.type), 2),
    }
    human = (
        f"{sum(steps.values())} steps of {setup.loop.settings.batch} samples "
        f"({', '.join(f'{name} {count}' for name, count in steps.items())}), {seconds:.2f} s each: about "
        f"{minutes:.0f} min and what scoring takes; at most {told['peak_gib']} GiB so far. "
        "Nothing was written"
    )
    current_output().result(human, told, str(told["minutes"]))


def _tried(setup: Setup) -> float:
    """Return the seconds that a step takes, by taking a few on samples from all over."""
    times: list[float] = []
    loop = replace(
        setup.loop,
        settings=replace(setup.loop.settings, epochs=1),
        tell=lambda told: times.append(time.perf_counter()),
    )
    *_, (training, _) = setup.work.trainings(loop.seed)
    apart = max(1, len(training.samples) // (STEPS * loop.settings.batch))
    few = slice(None, STEPS * loop.settings.batch * apart, apart)
    loop.fit(replace(training, samples=training.samples[few], lengths=training.lengths[few]), None)
    return (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 0.0
