"""A small sample whose rules are known: five intents, a few words, and filler that means nothing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from kdsl_cli.logic.conditions import All, Condition, Not
from kdsl_cli.logic.facts import Facts, TurnFact
from kdsl_cli.logic.indexing import Indexed, index
from kdsl_cli.logic.predicates import TextPredicate
from kdsl_cli.mining.candidates import Candidate, candidates
from kdsl_cli.mining.sample import Mask, Sample, make_sample

FILLER = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉"
SIGNS = {
    "both": (("退款", "退货"),),
    "refund": (("退款",),),
    "return": (("退货",),),
    "invoice": (("发票",), ("税号",)),
    "other": ((),),
}


def has(*words: str) -> TextPredicate:
    return TextPredicate("last_customer", "contains" if len(words) == 1 else "contains_any", words)


RULES: dict[str, Condition] = {
    "both": All((has("退款"), has("退货"))),
    "refund": All((has("退款"), Not(has("退货")))),
    "return": All((has("退货"), Not(has("退款")))),
    "invoice": has("发票", "税号"),
}
"""The planted rules: a conjunction, two negations, an alternative."""


@dataclass(frozen=True)
class Planted:
    dialogues: tuple[Indexed, ...]
    sample: Sample
    pool: tuple[Candidate, ...]


def said(text: str) -> Indexed:
    return index(Facts("d", (TurnFact(0, "customer", text),)))


@cache
def planted(each: int = 16, seed: int = 0) -> Planted:
    """Return `each` dialogues of every intent, the intents in turn."""
    rng = random.Random(seed)

    def filler() -> str:
        return "".join(rng.choices(FILLER, k=3))

    labels, dialogues = [], []
    for round_ in range(each):
        for intent, ways in SIGNS.items():
            signs = ways[round_ % len(ways)]
            dialogues.append(said(filler().join(["", *signs, ""]) or filler()))
            labels.append(intent)
    sample = make_sample(labels, [None] * len(labels), list(SIGNS), n_folds=4, seed=0)
    return Planted(tuple(dialogues), sample, candidates(dialogues))


def shuffled(sample: Sample, seed: int) -> Sample:
    return sample.relabelled(random.Random(seed).sample(sample.labels, len(sample.labels)))


def bits(*places: int) -> Mask:
    return sum(1 << place for place in places)


def candidate(true: Sequence[int], false: Sequence[int], word: str = "词") -> Candidate:
    return Candidate(has(word), bits(*true), bits(*false))
