"""Pruning: of the rules that were found, the few that pay for themselves, with the weight each deserves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kdsl_cli.logic.conditions import condition_key
from kdsl_cli.mining.rules import CandidateRule
from kdsl_cli.mining.sample import Mask, Sample, as_bools
from kdsl_cli.mining.weights import Belief, Columns, Floats, Votes, fit_weights

NEGLIGIBLE: Final = 0.05
"""A rule whose weight, or an intent whose base rate, is smaller says nothing worth reading."""


@dataclass(frozen=True, slots=True)
class PruneSettings:
    """How hard to prune.

    Attributes
    ----------
    cap
        Mined rules kept for one intent, at most.
    ridge
        Firmness of the belief that a mined rule is worth 0, and that intents are equally common.
    seed_ridge
        Firmness of the belief in a seed rule's own weight.
    seed_scale
        What a seed's weight is multiplied by before it is believed: people give weights as if each rule were
        alone, but several fire together.
    lasso
        What a mined rule must add before it gets any weight.
    """

    cap: int = 30
    ridge: float = 1.0
    seed_ridge: float = 1.0
    seed_scale: float = 0.5
    lasso: float = 0.2


@dataclass(frozen=True, slots=True)
class Weighed:
    """A rule that was kept, with its weight."""

    rule: CandidateRule
    weight: float


@dataclass(frozen=True, slots=True)
class Pruned:
    """What is left of the rules.

    Attributes
    ----------
    kept
        Rules with their weights.
    base_rates
        Log-odds that intents start from, none above 0, by intent; 0 where an intent is not in it.
    steps
        How many rules were left after each step.
    """

    kept: tuple[Weighed, ...]
    base_rates: Mapping[str, float]
    steps: Mapping[str, int]


def prune(rules: Sequence[CandidateRule], sample: Sample, settings: PruneSettings) -> Pruned:
    """Drop duplicates, weigh, drop what gets no weight, cap, and weigh what is left again.

    Base rates are learnt along with the weights; without rules there are none.

    Parameters
    ----------
    rules
        Rules of one run of the miner, seeds included.
    sample
        The labels that run saw; dialogues outside `sample.seen` are not looked at.
    settings
        How hard.
    """
    steps = {"found": len(rules)}
    distinct = _distinct_firings(_distinct_meanings(rules), sample.seen)
    steps["distinct"] = len(distinct)
    first, _ = _weigh(distinct, sample, settings, settings.lasso)
    useful = [one for one in first if one.rule.seed or abs(one.weight) >= NEGLIGIBLE]
    steps["useful"] = len(useful)
    capped = _capped(useful, settings.cap)
    steps["capped"] = len(capped)
    final, rates = _weigh([one.rule for one in capped], sample, settings, 0.0)
    kept = tuple(one for one in final if abs(one.weight) >= NEGLIGIBLE)
    steps["kept"] = len(kept)
    return Pruned(kept, rates if kept else {}, steps)


def scores(pruned: Pruned, intents: Sequence[str], size: int) -> tuple[Floats, Floats]:
    """Return what is left of the rules says of every dialogue of the sample, seen or not.

    Returns
    -------
    scores, spoken
        (size, n_intents) sums of base rate and weights, and (size,) bool: whether a rule with positive
        weight fires.
    """
    columns = {name: column for column, name in enumerate(intents)}
    total = np.tile([pruned.base_rates.get(name, 0.0) for name in intents], (size, 1))
    spoken = np.zeros(size, dtype=bool)
    for one in pruned.kept:
        fires = as_bools(one.rule.fires, size)
        total[fires, columns[one.rule.intent]] += one.weight
        if one.weight > 0:
            spoken |= fires
    return total, spoken


def _distinct_meanings(rules: Iterable[CandidateRule]) -> list[CandidateRule]:
    """Keep one rule of each canonical condition and intent; a seed goes before a mined rule."""
    found: dict[tuple[str, str], CandidateRule] = {}
    for rule in sorted(rules, key=lambda rule: not rule.seed):
        found.setdefault((rule.intent, condition_key(rule.condition)), rule)
    return list(found.values())


def _distinct_firings(rules: Iterable[CandidateRule], seen: Mask) -> list[CandidateRule]:
    """Keep one mined rule of those that fire on the same dialogues: the shortest, then the worthiest."""
    kept: list[CandidateRule] = []
    found: dict[tuple[str, Mask], int] = {}
    for rule in rules:
        if rule.seed:
            kept.append(rule)
            continue
        key = (rule.intent, rule.fires & seen)
        place = found.get(key)
        if place is None:
            found[key] = len(kept)
            kept.append(rule)
        elif (rule.length, -rule.value) < (kept[place].length, -kept[place].value):
            kept[place] = rule
    return kept


def _weigh(
    rules: Sequence[CandidateRule], sample: Sample, settings: PruneSettings, lasso: float
) -> tuple[list[Weighed], dict[str, float]]:
    """Return the rules with their weights, and the base rates worth telling; nothing without rules."""
    if not rules:
        return [], {}
    votes, labels = _votes(rules, sample)
    seeds = np.array([rule.seed for rule in rules])
    prior = np.array([rule.weight * settings.seed_scale if rule.seed else 0.0 for rule in rules])
    belief = Belief(
        prior,
        np.where(seeds, settings.seed_ridge, settings.ridge),
        np.where(seeds, 0.0, lasso),
        settings.ridge,
    )
    weights, rates = fit_weights(votes, labels, belief)
    weighed = [Weighed(rule, float(weight)) for rule, weight in zip(rules, weights, strict=True)]
    named = zip(sample.intents, rates.tolist(), strict=True)
    return weighed, {intent: rate for intent, rate in named if abs(rate) >= NEGLIGIBLE}


def _votes(rules: Sequence[CandidateRule], sample: Sample) -> tuple[Votes, Columns]:
    """Return the out-of-fold firings on the dialogues that count, and their labels' columns."""
    size = len(sample.labels)
    columns = {name: column for column, name in enumerate(sample.intents)}
    seen = as_bools(sample.seen, size)
    firings = np.array([as_bools(rule.standing, size)[seen] for rule in rules]).T.astype(np.float64)
    own = np.array([columns[rule.intent] for rule in rules], dtype=np.int64)
    labels = np.array([columns[label] for label in sample.labels], dtype=np.int64)[seen]
    return Votes(firings, own, len(sample.intents)), labels


def _capped(rules: Sequence[Weighed], cap: int) -> list[Weighed]:
    """Keep the mined rules of each intent that say most: weight times the root of how often they fire."""
    ranked = sorted(
        (one for one in rules if not one.rule.seed),
        key=lambda one: -abs(one.weight) * one.rule.standing.bit_count() ** 0.5,
    )
    count: dict[str, int] = {}
    chosen: set[int] = set()
    for one in ranked:
        count[one.rule.intent] = count.get(one.rule.intent, 0) + 1
        if count[one.rule.intent] <= cap:
            chosen.add(id(one))
    return [one for one in rules if one.rule.seed or id(one) in chosen]
