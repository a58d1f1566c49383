"""Which rule fires on which dialogue, for many of both at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kdsl_cli.logic.conditions import All, Any, AtLeast, Condition, Not, leaves
from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.indexing import Indexed, index
from kdsl_cli.logic.leaves import haystack_lines, leaf_test
from kdsl_cli.logic.patterns import matches
from kdsl_cli.logic.predicates import OcrPredicate, Predicate, TextPredicate
from kdsl_cli.logic.rule import Rule

Column = npt.NDArray[np.int8]
"""One value a dialogue: 1 true, 0 false, -1 unknown."""


def firing_matrix(rules: Sequence[Rule], dialogues: Sequence[Facts | Indexed]) -> Column:
    """Judge every rule, whatever its status, on every dialogue.

    Returns
    -------
    array
        (n_dialogues, n_rules) int8: 1 the rule fires, 0 it does not, -1 unknown.
    """
    return condition_matrix([rule.when for rule in rules], dialogues)


def condition_matrix(conditions: Sequence[Condition], dialogues: Sequence[Facts | Indexed]) -> Column:
    """Judge every condition on every dialogue; shape and values as in `firing_matrix`."""
    indexed = [index(dialogue) for dialogue in dialogues]
    known: dict[Predicate, Column] = {}
    for condition in conditions:
        for leaf in leaves(condition):
            if leaf not in known:
                known[leaf] = leaf_column(leaf, indexed)
    matrix = np.empty((len(indexed), len(conditions)), dtype=np.int8)
    for place, condition in enumerate(conditions):
        matrix[:, place] = _column(condition, known)
    return matrix


def leaf_column(predicate: Predicate, dialogues: Sequence[Indexed]) -> Column:
    """Judge one predicate on every dialogue: (n_dialogues,) int8 as in `Column`."""
    if isinstance(predicate, TextPredicate | OcrPredicate) and predicate.op == "regex":
        return _regex_column(predicate, dialogues)
    test = leaf_test(predicate)
    truths = (test(dialogue) for dialogue in dialogues)
    return np.fromiter((-1 if t is None else t for t in truths), dtype=np.int8, count=len(dialogues))


def _regex_column(predicate: TextPredicate | OcrPredicate, dialogues: Sequence[Indexed]) -> Column:
    """Run the pattern over all lines of all dialogues in one call: a call costs more than a line."""
    lines: list[str] = []
    owners: list[int] = []
    for place, dialogue in enumerate(dialogues):
        found = haystack_lines(
            dialogue.texts[predicate.field]
            if isinstance(predicate, TextPredicate)
            else dialogue.screens[predicate.region]
        )
        lines += found
        owners += [place] * len(found)
    column = np.zeros(len(dialogues), dtype=np.int8)
    if isinstance(predicate, OcrPredicate):
        column[[dialogue.unread for dialogue in dialogues]] = -1
    if lines:
        hits = np.array(matches(predicate.values[0], lines), dtype=bool)
        column[np.array(owners)[hits]] = 1
    return column


def _column(condition: Condition, known: dict[Predicate, Column]) -> Column:
    match condition:
        case All(children):
            return _at_least(len(children), [_column(child, known) for child in children])
        case Any(children):
            return _at_least(1, [_column(child, known) for child in children])
        case AtLeast(n, children):
            return _at_least(n, [_column(child, known) for child in children])
        case Not(child):
            column = _column(child, known)
            return np.where(column == -1, column, 1 - column).astype(np.int8)
        case _:
            return known[condition]


def _at_least(n: int, columns: list[Column]) -> Column:
    stacked = np.stack(columns)
    true = (stacked == 1).sum(axis=0)
    possible = (stacked != 0).sum(axis=0)
    return np.where(true >= n, 1, np.where(possible >= n, -1, 0)).astype(np.int8)
