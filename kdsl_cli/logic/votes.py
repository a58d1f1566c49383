"""What firing rules say together: the one place where a rule base's verdicts become scores of intents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kdsl_cli.logic.rule import Rule

Firing = npt.NDArray[np.int8]
"""(n_dialogues, n_rules) of `firing.firing_matrix`: 1 fires, 0 does not, -1 unknown."""


def rule_scores(rules: Sequence[Rule], intents: Sequence[str], firing: Firing) -> npt.NDArray[np.float64]:
    """Add up, for each intent, the weights of the active rules that fire.

    A rule that is unknown of a dialogue says nothing there. A sum is log-odds, not a probability: the softmax
    over all intents of the task makes it one.

    Parameters
    ----------
    rules
        The rules, as given to `firing_matrix`; disabled ones are passed over.
    intents
        Names of the task's intents, in the catalogue's order.
    firing
        See `Firing`.

    Returns
    -------
    array
        (n_dialogues, n_intents) sums of weights, 0 where no rule of the intent fires.

    Raises
    ------
    ValueError
        If the matrix does not have one column a rule, or a rule's intent is not among `intents`.

    Examples
    --------
    >>> from kdsl_cli.logic.predicates import CountPredicate
    >>> when = CountPredicate("turns", "gte", 1)
    >>> rules = [Rule("r1", "refund", when, weight=2.0), Rule("r2", "parcel", when, weight=-0.5)]
    >>> firing = np.array([[1, 1], [-1, 0]], dtype=np.int8)
    >>> rule_scores(rules, ["refund", "parcel"], firing).tolist()
    [[2.0, -0.5], [0.0, 0.0]]
    """
    _check(rules, firing)
    places = {name: place for place, name in enumerate(intents)}
    if strange := sorted({rule.intent for rule in rules} - places.keys()):
        raise ValueError(f"not among the intents: {', '.join(strange)}")
    weights = np.zeros((len(rules), len(intents)))
    for row, rule in enumerate(rules):
        if rule.active:
            weights[row, places[rule.intent]] = rule.weight
    return np.asarray((firing == 1).astype(np.float64) @ weights)


def abstains(rules: Sequence[Rule], firing: Firing) -> npt.NDArray[np.bool_]:
    """Tell on which dialogues the rules name no intent: no active rule with a positive weight fires.

    Evidence against an intent alone is no word for another one.

    Parameters
    ----------
    rules, firing
        As in `rule_scores`.

    Returns
    -------
    array
        (n_dialogues,) bool.

    Examples
    --------
    >>> from kdsl_cli.logic.predicates import CountPredicate
    >>> rules = [Rule("r1", "refund", CountPredicate("turns", "gte", 1))]
    >>> abstains(rules, np.array([[1], [0], [-1]], dtype=np.int8)).tolist()
    [False, True, True]
    """
    _check(rules, firing)
    speaks = np.array([rule.active and rule.weight > 0 for rule in rules], dtype=bool)
    spoken: npt.NDArray[np.bool_] = (firing[:, speaks] == 1).any(axis=1)
    return ~spoken


def _check(rules: Sequence[Rule], firing: Firing) -> None:
    if firing.ndim != 2 or firing.shape[1] != len(rules):
        raise ValueError(f"the matrix is {firing.shape}, but there are {len(rules)} rules")
