from __future__ import annotations

import numpy as np

from kdsl_cli.metrics import log_loss
from kdsl_cli.training.calibration import probabilities
from kdsl_cli.training.lora.answers.calibrating import Held, out_of_fold, temperatures


def overconfident(task: str, n: int = 60) -> list[Held]:
    """Return rows that are sure of themselves, and wrong in a fifth."""
    rows = []
    for place in range(n):
        label = place % 3
        said = (label + 1) % 3 if place % 5 == 0 else label
        rows.append(
            Held(f"{task}{place}", task, place % 4, tuple(8.0 * (k == said) for k in range(3)), label)
        )
    return rows


def test_what_is_too_sure_is_cooled_down_and_each_task_by_its_own() -> None:
    careful = [Held(f"c{n}", "careful", 0, (0.3 * (n % 2 == 0), 0.3 * (n % 2)), n % 2) for n in range(20)]
    found = temperatures([*overconfident("sure"), *careful])
    assert found["sure"] > 2 > 1 > found["careful"]


def test_the_rows_of_the_file_have_the_least_log_loss() -> None:
    held = overconfident("sure")
    rows = out_of_fold(held)
    assert [row[:3] for row in rows] == [(one.id, "sure", one.fold) for one in held]
    scores = np.array([row[3] for row in rows])
    truth = [one.label for one in held]
    assert np.allclose(scores.sum(axis=1), 1)
    plain = probabilities(np.array([one.logprobs for one in held]), 1.0)
    cooler, as_it_came = log_loss(scores, truth), log_loss(plain, truth)
    assert cooler is not None and as_it_came is not None
    assert cooler < as_it_came


def test_nothing_held_out_is_no_temperature() -> None:
    assert temperatures([]) == {}
    assert out_of_fold([]) == []
