"""What firing rules say together: the one place where a rule base's verdicts become scores of intents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kdsl_cli.logic.rule import RuleBase

Firing = npt.NDArray[np.int8]
"""(n_dialogues, n_rules) of `firing.firing_matrix` on the active rules: 1 fires, 0 does not, -1 unknown."""


def rule_scores(base: RuleBase, intents: Sequence[str], firing: Firing) -> npt.NDArray[np.float64]:
    """Add up, for each intent, its base rate and the weights of the active rules that fire.

    A rule that is unknown of a dialogue says nothing there. A sum is log-odds, not a probability: the softmax
    over all intents of the task makes it one.

    Parameters
    ----------
    base
        The rules of the task; disabled ones are passed over.
    intents
        Names of the task's intents, in the catalogue's order.
    firing
        See `Firing`.

    Returns
    -------
    array
        (n_dialogues, n_intents) sums, the base rate (0 without one) where no rule of the intent fires.

    Raises
    ------
    ValueError
        If the matrix does not have one column a rule, or an intent of the base is not among `intents`.

    Examples
    --------
    >>> from kdsl_cli.logic.predicates import CountPredicate
    >>> from kdsl_cli.logic.rule import BaseRate, Rule
    >>> when = CountPredicate("turns", "gte", 1)
    >>> rules = (Rule("r1", "refund", when, weight=2.0), Rule("r2", "parcel", when, weight=-0.5))
    >>> base = RuleBase("scene", rules, base_rates=(BaseRate("parcel", -1.0),))
    >>> firing = np.array([[1, 1], [-1, 0]], dtype=np.int8)
    >>> rule_scores(base, ["refund", "parcel"], firing).tolist()
    [[2.0, -1.5], [0.0, -1.0]]
    """
    _check(base, firing)
    places = {name: place for place, name in enumerate(intents)}
    starts = base.starts
    named = {rule.intent for rule in base.active} | starts.keys()
    if strange := sorted(named - places.keys()):
        raise ValueError(f"not among the intents: {', '.join(strange)}")
    weights = np.zeros((len(base.active), len(intents)))
    for row, rule in enumerate(base.active):
        weights[row, places[rule.intent]] = rule.weight
    before = np.array([starts.get(name, 0.0) for name in intents])
    return np.asarray(before + (firing == 1).astype(np.float64) @ weights)


def abstains(base: RuleBase, firing: Firing) -> npt.NDArray[np.bool_]:
    """Tell on which dialogues the rules name no intent: no active rule with a positive weight fires.

    Evidence against an intent alone is no word for another one, and a base rate is a word for none.

    Parameters
    ----------
    base, firing
        As in `rule_scores`.

    Returns
    -------
    array
        (n_dialogues,) bool.

    Examples
    --------
    >>> from kdsl_cli.logic.predicates import CountPredicate
    >>> from kdsl_cli.logic.rule import Rule
    >>> base = RuleBase("scene", (Rule("r1", "refund", CountPredicate("turns", "gte", 1)),))
    >>> abstains(base, np.array([[1], [0], [-1]], dtype=np.int8)).tolist()
    [False, True, True]
    """
    _check(base, firing)
    speaks = np.array([rule.weight > 0 for rule in base.active], dtype=bool)
    spoken: npt.NDArray[np.bool_] = (firing[:, speaks] == 1).any(axis=1)
    return ~spoken


def _check(base: RuleBase, firing: Firing) -> None:
    if firing.ndim != 2 or firing.shape[1] != len(base.active):
        raise ValueError(f"the matrix is {firing.shape}, but there are {len(base.active)} rules in use")
