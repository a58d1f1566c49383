"""The linear models as they are asked: facts in, probabilities out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import scipy.sparse

from kdsl_cli.errors import StageError, did_you_mean
from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.indexing import Indexed, index
from kdsl_cli.training.calibration import Floats
from kdsl_cli.training.linear.classifier import Linear
from kdsl_cli.training.linear.features import Features, observed
from kdsl_cli.training.linear.heard import hearing
from kdsl_cli.training.linear.knowledge import Knowledge


@dataclass(frozen=True, slots=True, eq=False)
class LinearModel:
    """The model of one task: what it knew, what it learnt to look at, and what it makes of both."""

    knowledge: Knowledge
    features: Features
    classifier: Linear

    @property
    def intents(self) -> tuple[str, ...]:
        """The task's intents, in the order of the scores."""
        return self.knowledge.task.names

    def scores(self, dialogues: Sequence[Facts | Indexed]) -> Floats:
        """Return (n, n_intents) calibrated probabilities; each row sums to 1.

        Of a dialogue of which nothing is known (no text, no picture that could be read, no answer) the scores
        are the intents' shares of the sample. Answers to other questions than its own are not heard.
        """
        indexed = [hearing(index(dialogue), self.features.questions) for dialogue in dialogues]
        blocks = [self.features.matrix(indexed), self.knowledge.matrix(indexed)]
        return self.classifier.probabilities(scipy.sparse.hstack(blocks).tocsr(), observed(indexed))


@dataclass(frozen=True, slots=True, eq=False)
class LinearModels:
    """One model a task, by the task's name."""

    models: Mapping[str, LinearModel]
    seed: int

    @property
    def intents(self) -> dict[str, tuple[str, ...]]:
        """The intents of each task, in the order of the scores."""
        return {task: model.intents for task, model in self.models.items()}

    @property
    def questions(self) -> dict[str, tuple[str, ...]]:
        """The questions whose answers a task's model learnt from; a task without any is not in it."""
        return {task: asked for task, model in self.models.items() if (asked := model.features.questions)}

    def scores(self, task: str, dialogues: Sequence[Facts | Indexed]) -> Floats:
        """Return what the task's model says; see `LinearModel.scores`.

        Raises
        ------
        StageError
            If no model was trained for the task.
        """
        if task not in self.models:
            raise StageError(
                f"no model was trained for the task '{task}'",
                allowed=", ".join(self.models),
                fix=did_you_mean(task, self.models) or "Run: kdsl train-large --force",
            )
        return self.models[task].scores(dialogues)
