"""How a tuned model is asked, whoever answers for it. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kdsl_cli.backends.scripted import ScriptedBackend
from kdsl_cli.dialogues.prompting import Picture, intent_prompt
from kdsl_cli.dialogues.schema import Dialogue, Turn
from kdsl_cli.training.lora.answers.model import BATCH, TunedModel
from kdsl_cli.training.lora.answers.record import TunedRecord
from tests.training.lora.answers.test_record import record

SCRIPT = """\
answers:
- {match: broken, fail: "no answer today"}
- {match: [slow], logprobs: {"hurry": -1.0, "return": -3.0}}
- {match: [some], logprobs: {"hurry": -1.0}}
- {match: [back], choose: "return"}
"""


def wish(text: str) -> Dialogue:
    return Dialogue(text, "wish", (Turn("customer", text),), label="return")


def picture(name: str) -> Picture:
    return Picture(Path(name), "ab")


def tuned(folder: Path, **changes: Any) -> tuple[TunedModel, ScriptedBackend, TunedRecord]:
    (folder / "answers.yaml").write_text(SCRIPT, encoding="utf-8")
    backend, kept = ScriptedBackend(folder / "answers.yaml"), record().model_copy(update=changes)
    return TunedModel(kept, backend, picture), backend, kept


def test_scores_are_probabilities_in_the_records_order(tmp_path: Path) -> None:
    model, _, _ = tuned(tmp_path)
    scores = model.scores("wish", [wish("slow"), wish("back")])
    assert scores.shape == (2, 2)
    assert np.allclose(scores.sum(axis=1), 1)
    assert scores[0, 0] == pytest.approx(0.99 / (1 + np.exp(-2)) + 0.005)
    assert scores[1].argmax() == 1 and scores[1, 0] == pytest.approx(0.005)  # never quite impossible


def test_the_temperature_is_that_of_the_task(tmp_path: Path) -> None:
    model, _, kept = tuned(tmp_path)
    hot = TunedModel(kept.at({"wish": 2.0, "scene": 9.0}), model._backend, picture)
    scores = hot.scores("wish", [wish("slow")])
    assert scores[0, 0] == pytest.approx(0.99 / (1 + np.exp(-1)) + 0.005)


def test_a_dialogue_that_failed_fails_alone_and_is_no_answer(tmp_path: Path) -> None:
    model, _, _ = tuned(tmp_path)
    good, bad = model.told("wish", [wish("slow"), wish("broken")])
    assert good.error is None and good.method == "likelihood"
    assert (bad.error, bad.probabilities, bad.method) == ("no answer today", None, None)
    assert np.isnan(model.scores("wish", [wish("broken")])).all()


def test_how_it_was_asked_is_told(tmp_path: Path) -> None:
    model, _, _ = tuned(tmp_path)
    methods = [told.method for told in model.told("wish", [wish("slow"), wish("some"), wish("back")])]
    assert methods == ["likelihood", "choice-logprobs", "choice"]


def test_the_prompt_is_that_of_training_and_never_the_label(tmp_path: Path) -> None:
    model, backend, kept = tuned(tmp_path)
    model.told("wish", [wish("slow")], {"slow": ["a rule says so"]})
    [asked] = backend.asked
    choices = kept.task("wish").choices
    expected = intent_prompt(wish("slow"), choices, picture, described=True, notes=["a rule says so"])
    assert asked.prompt == expected
    assert asked.choices == ("hurry", "return")
    assert "a rule says so" in asked.prompt.preview()


def test_progress_is_told_batch_by_batch(tmp_path: Path) -> None:
    model, _, _ = tuned(tmp_path)
    done: list[float] = []
    many: Sequence[Dialogue] = [wish(f"slow {n}") for n in range(BATCH + 3)]
    assert len(model.told("wish", many, tell=done.append)) == BATCH + 3
    assert done == [BATCH, 3]
    assert model.told("wish", []) == []
