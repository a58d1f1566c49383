"""Dialogues as numbers: the part that is learnt from the sample. `knowledge` has the part that is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kdsl_cli.evidence.descriptors import LAYOUT_FEATURES, RULE_FEATURES
from kdsl_cli.logic.indexing import Indexed
from kdsl_cli.training.linear.heard import ANSWER_WEIGHT, answers
from kdsl_cli.training.linear.looks import Scale
from kdsl_cli.training.linear.ngrams import Ngrams, Sparse
from kdsl_cli.training.linear.places import PLACES, text_at

LOOKS_WEIGHT, LAYOUT_WEIGHT = 0.1, 0.02
"""Of a standardised descriptor. An n-gram block has rows of length 1; 18 descriptors at 1 would drown it, and
the 128 numbers of the layout resemble each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """The n-grams of each of `PLACES` and the scales of descriptors and layout, as a sample showed them.

    `questions` are those whose answers count; they are given, not learnt.
    """

    ngrams: tuple[Ngrams, ...]
    looks: Scale
    layout: Scale
    questions: tuple[str, ...] = ()

    @classmethod
    def fit(cls, dialogues: Sequence[Indexed], questions: tuple[str, ...] = ()) -> Features:
        """Learn from the dialogues of a sample; labels have no part in it."""
        facts = [dialogue.facts for dialogue in dialogues]
        return cls(
            tuple(Ngrams.fit([text_at(p, each) for each in dialogues], p.min_df) for p in PLACES),
            Scale.fit(facts, RULE_FEATURES),
            Scale.fit(facts, LAYOUT_FEATURES),
            questions,
        )

    @property
    def size(self) -> int:
        """The number of columns of `matrix`."""
        terms = sum(len(ngrams.terms) for ngrams in self.ngrams)
        return terms + len(self.looks.names) + len(self.layout.names) + len(self.questions)

    def matrix(self, dialogues: Sequence[Indexed]) -> Sparse:
        """Return (n_dialogues, size) features, weighted."""
        facts = [dialogue.facts for dialogue in dialogues]
        blocks = [
            place.ngrams * ngrams.matrix([text_at(place, dialogue) for dialogue in dialogues])
            for place, ngrams in zip(PLACES, self.ngrams, strict=True)
        ]
        blocks.append(scipy.sparse.csr_matrix(LOOKS_WEIGHT * self.looks.matrix(facts)))
        blocks.append(scipy.sparse.csr_matrix(LAYOUT_WEIGHT * self.layout.matrix(facts)))
        blocks.append(scipy.sparse.csr_matrix(ANSWER_WEIGHT * answers(facts, self.questions)))
        return scipy.sparse.hstack(blocks).tocsr()


def observed(dialogues: Sequence[Indexed]) -> npt.NDArray[np.bool_]:
    """Return (n_dialogues,) whether anything is known of each: a text, a picture that was read, an answer."""
    return np.array([_is_observed(each) for each in dialogues], dtype=np.bool_)


def _is_observed(dialogue: Indexed) -> bool:
    facts = dialogue.facts
    return bool(dialogue.texts["any"] or facts.answers) or any(image.error is None for image in facts.images)
