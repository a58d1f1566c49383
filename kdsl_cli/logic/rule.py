"""The rule: a condition that speaks for an intent, with what is known of how well it does."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

from kdsl_cli.dialogues.normalise import normalise
from kdsl_cli.logic.conditions import Condition, condition_key

Status = Literal["draft", "mined", "reviewed", "disabled"]
STATUSES: Final[tuple[Status, ...]] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Evidence:
    """How the rule did on dialogues that it was not made from.

    Attributes
    ----------
    fired
        Labelled dialogues in which the rule was true.
    correct
        Those of `fired` whose label is the rule's intent.
    precision_low
        Lower bound of the share of right firings, 0 to 1. None: not computed.
    recall
        Share of the intent's dialogues in which the rule fired, 0 to 1. None: not computed.
    folds
        Folds the counts were gathered over. None: counted on all dialogues at once.
    """

    fired: int
    correct: int
    precision_low: float | None = None
    recall: float | None = None
    folds: int | None = None


@dataclass(frozen=True, slots=True)
class Examples:
    """Ids of dialogues the rule must match and must not match."""

    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the rule came from. None: does not apply (a person wrote it) or is not known.

    Attributes
    ----------
    run
        The mining run.
    node, visits, value
        The search node, how often it was visited, and its mean value, 0 to 1.
    proposer
        Who proposed it.
    seed
        The seed of the search.
    """

    run: str | None = None
    node: int | None = None
    visits: int | None = None
    value: float | None = None
    proposer: str | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """When the condition is true, the intent is likelier (or, with a negative weight, less likely).

    Attributes
    ----------
    id
        Unique in a rule base.
    intent
        Name of the intent in the catalogue.
    when
        The condition.
    status
        draft: written, not yet measured. mined: kept by the miner. reviewed: a person vouches for it, and no
        stage changes it. disabled: stays in the file and is not used.
    weight
        Log-odds added to the intent when the rule fires; negative is evidence against.
    why, note
        A sentence for readers, and a person's remark.
    """

    id: str
    intent: str
    when: Condition
    status: Status = "draft"
    weight: float = 1.0
    why: str = ""
    evidence: Evidence | None = None
    examples: Examples | None = None
    provenance: Provenance | None = None
    note: str = ""

    @property
    def active(self) -> bool:
        """Whether the rule is used at all."""
        return self.status != "disabled"

    @property
    def against(self) -> bool:
        """Whether it speaks against its intent, so that it is right where the label is another one."""
        return self.weight < 0


@dataclass(frozen=True, slots=True)
class BaseRate:
    """What an intent starts from before any rule fires. Only the differences between intents count.

    Attributes
    ----------
    intent
        Name of the intent in the catalogue.
    weight
        Log-odds; an intent without a base rate starts from 0.
    status
        As of a rule.
    """

    intent: str
    weight: float
    status: Status = "mined"

    @property
    def active(self) -> bool:
        """Whether the base rate is used; else its intent starts from 0."""
        return self.status != "disabled"


@dataclass(frozen=True, slots=True)
class RuleBase:
    """The rules of one task.

    Attributes
    ----------
    task
        Name of the task in the catalogue.
    rules
        In file order; their ids differ.
    header
        The comment at the top of the file, without marks.
    base_rates
        In file order, one an intent at most.
    """

    task: str
    rules: tuple[Rule, ...] = ()
    header: str = ""
    base_rates: tuple[BaseRate, ...] = ()

    @property
    def active(self) -> tuple[Rule, ...]:
        """The rules that are used."""
        return tuple(rule for rule in self.rules if rule.active)

    @property
    def starts(self) -> dict[str, float]:
        """What intents start from, by name; 0 where an intent is not in it."""
        return {rate.intent: rate.weight for rate in self.base_rates if rate.active}


def rule_id(intent: str, condition: Condition) -> str:
    """Return the id of a rule: readable by its intent, stable by its condition's canonical form.

    Examples
    --------
    >>> from kdsl_cli.logic.predicates import OcrPredicate
    >>> rule_id("退款 页面/Refund", OcrPredicate("contains", ("退款",)))
    '退款-页面-refund-9bbce9'
    """
    slug = re.sub(r"[\W_]+", "-", normalise(intent)).strip("-") or "rule"
    return f"{slug}-{hashlib.sha256(condition_key(condition).encode()).hexdigest()[:6]}"
