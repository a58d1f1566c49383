"""What the small model answered about a dialogue, as numbers: what is seen and never written.

A yes and a no weigh alike on either side of nought; a question that was not asked, not answered or not
decided stands at nought, halfway: what is missing is not false.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.indexing import Indexed

Floats = npt.NDArray[np.float64]

ANSWER_WEIGHT = 0.2
"""Of a yes. Some fifteen wordings are answered at a time: all together are then worth a block of n-grams, and
no single one outweighs it; from 0.15 to 0.3 the shop's scores are the same."""


def answers(dialogues: Sequence[Facts], questions: Sequence[str]) -> Floats:
    """Return (n_dialogues, n_questions): 1 yes, -1 no, 0 not known.

    Examples
    --------
    >>> told = Facts("a", answers={"Is it red?": True, "Is it torn?": False})
    >>> answers([told, Facts("b")], ["Is it red?", "Is it torn?", "Is it new?"]).tolist()
    [[1.0, -1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    values = {True: 1.0, False: -1.0, None: 0.0}
    told = [[values[one.answers.get(question)] for question in questions] for one in dialogues]
    return np.array(told, dtype=np.float64).reshape(len(dialogues), len(questions))


def hearing(dialogue: Indexed, questions: Collection[str]) -> Indexed:
    """Return a dialogue with the answers to some questions alone.

    A model that learnt without an answer must not meet it later in what rules of an expert ask.
    """
    known = dialogue.facts.answers
    if known.keys() <= set(questions):
        return dialogue
    heard = {question: answer for question, answer in known.items() if question in questions}
    return replace(dialogue, facts=replace(dialogue.facts, answers=heard))
