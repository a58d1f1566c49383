"""Why the rules say what they say of one dialogue: who fired, for how much, and what decided it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kdsl_cli.logic.conditions import Not
from kdsl_cli.logic.describing import describe
from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.indexing import index
from kdsl_cli.logic.matching import match
from kdsl_cli.logic.rule import Rule, RuleBase
from kdsl_cli.logic.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule and its verdict on the dialogue. A rule that fires adds its weight to its intent."""

    rule: Rule
    verdict: Verdict


def judge(rules: Sequence[Rule], facts: Facts) -> tuple[Judged, ...]:
    """Return the active rules with their verdicts: the firing ones by weight, then the others in order."""
    dialogue = index(facts)
    judged = [Judged(rule, match(rule.when, dialogue)) for rule in rules if rule.active]
    return tuple(sorted(judged, key=lambda one: (0, -one.rule.weight) if one.verdict.value else (1, 0.0)))


def decisive(verdict: Verdict) -> Iterator[Verdict]:
    """Yield the verdicts on the predicates that settled it: of a group, the parts that agree with it.

    Examples
    --------
    >>> from kdsl_cli.logic.conditions import Any
    >>> from kdsl_cli.logic.predicates import CountPredicate
    >>> condition = Any((CountPredicate("turns", "gte", 1), CountPredicate("images", "gte", 1)))
    >>> [reason.what for leaf in decisive(match(condition, Facts("a"))) for reason in leaf.reasons]
    ['turns: 0', 'images: 0']
    """
    if not verdict.children:
        yield verdict
    for child in verdict.children:
        if isinstance(verdict.node, Not) or child.value is verdict.value:
            yield from decisive(child)


def reasons(base: RuleBase, facts: Facts) -> dict[str, Any]:
    """Return why the rules say what they say of a dialogue, as plain JSON values.

    Returns
    -------
    dict
        `id`; `scores`, log-odds of each intent that a rule fires for, its base rate included (other intents
        have their base rate alone); `base_rates`, what those intents start from, if they have a base rate;
        `fired`, the rules that fire, the heaviest first, with rule, intent, weight, precision_low (null: not
        known), why, and `because`: each decisive predicate in words, its value, and where (`at`: the fields
        of `logic.verdict.Reason`); `unknown`, the rules that cannot be judged, with rule, intent and because.
    """
    judged = judge(base.rules, facts)
    fired = [one for one in judged if one.verdict.value]
    starts = base.starts
    scores: dict[str, float] = {}
    for one in fired:
        intent = one.rule.intent
        scores[intent] = scores.get(intent, starts.get(intent, 0.0)) + one.rule.weight
    return {
        "id": facts.id,
        "scores": scores,
        "base_rates": {name: starts[name] for name in scores if name in starts},
        "fired": [
            {
                "rule": one.rule.id,
                "intent": one.rule.intent,
                "weight": one.rule.weight,
                "precision_low": one.rule.evidence.precision_low if one.rule.evidence else None,
                "why": one.rule.why,
                "because": _because(one.verdict),
            }
            for one in fired
        ],
        "unknown": [
            {"rule": one.rule.id, "intent": one.rule.intent, "because": _because(one.verdict)}
            for one in judged
            if one.verdict.value is None
        ],
    }


def _because(verdict: Verdict) -> list[dict[str, Any]]:
    return [
        {
            "predicate": describe(leaf.node),
            "value": leaf.value,
            "at": [_plain(asdict(reason)) for reason in leaf.reasons],
        }
        for leaf in decisive(verdict)
    ]


def _plain(reason: dict[str, Any]) -> dict[str, Any]:
    """Leave out what does not apply, and make the span what JSON makes of it."""
    kept = {name: value for name, value in reason.items() if value is not None}
    return {name: list(value) if name == "span" else value for name, value in kept.items()}
