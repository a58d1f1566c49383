"""What is known of the intents before any sample: how they are called and described, and rules of an expert.

Nothing here is learnt from the sample. With a handful of samples an intent this is worth more than all their
n-grams: a word that no sample holds still points to the intent whose description holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from kdsl_cli.dialogues.catalogue import Intent, Task
from kdsl_cli.dialogues.normalise import normalise
from kdsl_cli.logic.firing import firing_matrix
from kdsl_cli.logic.indexing import Indexed
from kdsl_cli.logic.rule import Rule
from kdsl_cli.training.calibration import Floats
from kdsl_cli.training.linear.ngrams import Ngrams, Sparse
from kdsl_cli.training.linear.places import PLACES, text_at

RULE_WEIGHT = 0.2
"""Of a firing. Some 150 rules fire 3 to 10 at a time; at 0.3 they begin to drown what the sample says."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A task as its catalogue describes it, and the rules (none of them disabled) given for it."""

    task: Task
    rules: tuple[Rule, ...] = ()

    @property
    def size(self) -> int:
        """The number of columns of `matrix`."""
        asked = sum((place.synonyms != 0) + (place.likeness != 0) for place in PLACES)
        return asked * len(self.task.intents) + len(self.rules)

    def matrix(self, dialogues: Sequence[Indexed]) -> Sparse:
        """Return (n_dialogues, n) features, weighted: synonyms and likeness by place, then firings.

        A rule whose truth is unknown counts as not fired: nobody saw it fire.
        """
        words = [tuple(normalise(word) for word in intent.synonyms) for intent in self.task.intents]
        described = [_description(intent) for intent in self.task.intents]
        ngrams = Ngrams.fit(described)
        documents = ngrams.matrix(described)
        blocks = []
        for place in PLACES:
            texts = [text_at(place, dialogue) for dialogue in dialogues]
            if place.synonyms:
                blocks.append(place.synonyms * synonym_counts(texts, words))
            if place.likeness:
                blocks.append(place.likeness * (ngrams.matrix(texts) @ documents.T).toarray())
        blocks.append(RULE_WEIGHT * (firing_matrix(self.rules, dialogues) == 1))
        return scipy.sparse.csr_matrix(np.hstack(blocks))


def synonym_counts(texts: Sequence[str], words: Sequence[Sequence[str]]) -> Floats:
    """Return (n_texts, n_intents): ``ln(1 + n)`` for n different words of the intent found in the text.

    Examples
    --------
    >>> synonym_counts(["退款成功"], [["退款", "成功"], ["退货"]]).round(2).tolist()
    [[1.1, 0.0]]
    """
    counts = [[sum(word in text for word in own) for own in words] for text in texts]
    return np.log1p(np.array(counts, dtype=np.float64).reshape(len(texts), len(words)))


def _description(intent: Intent) -> str:
    return "\n".join(normalise(text) for text in (intent.name, intent.description or "", *intent.synonyms))
