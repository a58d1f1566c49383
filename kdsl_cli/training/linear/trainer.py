"""Training: a model of all samples, and scores of each sample by a model that had not seen it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kdsl_cli.dialogues.folds import fold_numbers
from kdsl_cli.evidence.labelled import Labelled
from kdsl_cli.logic.indexing import Indexed
from kdsl_cli.logic.rule import Rule
from kdsl_cli.runs.outoffold import Row
from kdsl_cli.training.calibration import Floats, best_temperature, probabilities
from kdsl_cli.training.linear.classifier import Linear, fit
from kdsl_cli.training.linear.features import Features, observed
from kdsl_cli.training.linear.heard import hearing
from kdsl_cli.training.linear.knowledge import Knowledge
from kdsl_cli.training.linear.model import LinearModel
from kdsl_cli.training.linear.ngrams import Sparse
from kdsl_cli.training.quality import Quality, quality

FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """The model of a task and what is known of it.

    Attributes
    ----------
    sample
        What it was trained on.
    folds
        (n,) the fold of each sample.
    scores
        (n, n_intents) calibrated probabilities by a model trained on the other folds.
    """

    model: LinearModel
    sample: Labelled
    folds: npt.NDArray[np.int64]
    scores: Floats

    @property
    def quality(self) -> Quality:
        """Out of fold."""
        return quality(self.sample, self.scores)

    def rows(self) -> list[Row]:
        """Return the rows of `oof.parquet`."""
        name = self.sample.task.name
        rows = zip(self.sample.ids, self.folds.tolist(), self.scores.tolist(), strict=True)
        return [(id, name, fold, scores) for id, fold, scores in rows]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the scores should know."""
        task, absent = self.sample.task.name, self.sample.without_sample
        if not self.sample.labels:
            return (f"{task}: no labelled dialogue, so every intent is as probable as any other",)
        if not absent:
            return ()
        named = ", ".join(f"'{name}'" for name in absent)
        return (f"{task}: no training sample of {named}: scored at the floor, never predicted",)


def train(
    sample: Labelled,
    rules: Sequence[Rule] = (),
    *,
    questions: tuple[str, ...] = (),
    seed: int,
    tell: Callable[[], None] = lambda: None,
) -> Trained:
    """Train the model of a task. Dialogues of which nothing is known are scored, but not learnt from.

    Parameters
    ----------
    rules
        Rules that were not learnt from this sample; else the out-of-fold scores are too good.
    questions
        Those whose answers are looked at. Answers hang on no label; which questions there are may.
    seed
        Of the folds.
    tell
        Called after each of the ``FOLDS + 1`` fits.
    """
    sample = replace(sample, dialogues=tuple(hearing(each, questions) for each in sample.dialogues))
    knowledge = Knowledge(sample.task, tuple(rule for rule in rules if rule.active))
    known, truth = knowledge.matrix(sample.dialogues), sample.truth
    seen = observed(sample.dialogues)
    folds = fold_numbers(sample.labels, sample.groups, FOLDS, seed)
    logits = np.full((len(truth), len(sample.task.names)), -np.inf)
    for fold in range(FOLDS):
        held = folds == fold
        if held.any():
            features, classifier = _fit(sample, known, questions, ~held & seen)
            matrix = scipy.sparse.hstack([features.matrix(_chosen(sample, held)), known[held]]).tocsr()
            logits[held] = classifier.logits(matrix, seen[held])
        tell()
    temperature = best_temperature(logits, truth)
    features, classifier = _fit(sample, known, questions, seen)
    tell()
    model = LinearModel(knowledge, features, classifier.at(temperature))
    return Trained(model, sample, folds, probabilities(logits, temperature))


def _fit(
    sample: Labelled, known: Sparse, questions: tuple[str, ...], rows: npt.NDArray[np.bool_]
) -> tuple[Features, Linear]:
    dialogues = _chosen(sample, rows)
    features = Features.fit(dialogues, questions)
    matrix = scipy.sparse.hstack([features.matrix(dialogues), known[rows]]).tocsr()
    return features, fit(matrix, sample.truth[rows], len(sample.task.names))


def _chosen(sample: Labelled, rows: npt.NDArray[np.bool_]) -> list[Indexed]:
    return [sample.dialogues[place] for place in np.flatnonzero(rows)]
