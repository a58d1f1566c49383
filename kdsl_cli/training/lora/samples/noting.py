"""What rules know of a dialogue, as sentences that are shown behind it.

In training as in prediction a rule may speak only of dialogues that it was not learnt from. So rules come
from elsewhere (a shipped file, a person), or from the searches that did not see the dialogue's fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from kdsl_cli.logic.describing import describe
from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.firing import firing_matrix
from kdsl_cli.logic.indexing import Indexed
from kdsl_cli.logic.rule import Rule

MOST: Final = 5
"""Sentences about one dialogue; the rules that weigh most come first."""


def notes(rules: Sequence[Rule], dialogues: Sequence[Facts | Indexed]) -> list[tuple[str, ...]]:
    """Return a sentence for each active rule that fires, for each dialogue.

    Parameters
    ----------
    rules
        Of the dialogues' task, and not learnt from these dialogues.
    """
    active = sorted((rule for rule in rules if rule.active), key=lambda rule: -abs(rule.weight))
    fired = firing_matrix(active, dialogues) == 1
    return [tuple(sentence(active[place]) for place in row.nonzero()[0][:MOST]) for row in fired]


def notes_out_of_fold(
    by_fold: Mapping[int, Sequence[Rule]], folds: Sequence[int], dialogues: Sequence[Facts | Indexed]
) -> list[tuple[str, ...]]:
    """Return `notes` of each dialogue by the rules that were learnt without its fold.

    Parameters
    ----------
    by_fold
        Rules learnt without the dialogues of a fold, by its number.
    folds
        The fold of each dialogue.
    """
    found: list[tuple[str, ...]] = [()] * len(dialogues)
    for fold in sorted(set(folds)):
        places = [place for place, own in enumerate(folds) if own == fold]
        told = notes(by_fold[fold], [dialogues[place] for place in places])
        for place, sentences in zip(places, told, strict=True):
            found[place] = sentences
    return found


def sentence(rule: Rule) -> str:
    """Return what a rule that fires says, as a model is told it.

    Examples
    --------
    >>> from kdsl_cli.logic.predicates import OcrPredicate
    >>> sentence(Rule("a", "refund", OcrPredicate("contains", ("退款",), "top")))
    'a line at the top of the screen contains "退款", which speaks for refund'
    """
    verb = "for" if rule.weight >= 0 else "against"
    return f"{describe(rule.when)}, which speaks {verb} {rule.intent}"
