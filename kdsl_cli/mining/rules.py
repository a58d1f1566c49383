"""A candidate rule: a condition for an intent, with what the sample says of it and where it came from."""

from __future__ import annotations

from dataclasses import dataclass

from kdsl_cli.logic.conditions import Condition, leaves
from kdsl_cli.logic.rule import Rule
from kdsl_cli.mining.candidates import Source
from kdsl_cli.mining.drafts import phrases
from kdsl_cli.mining.miner import Found
from kdsl_cli.mining.sample import Mask


@dataclass(frozen=True, slots=True)
class CandidateRule:
    """A rule before it is kept or dropped.

    Attributes
    ----------
    intent, condition
        What it says.
    fires, standing
        Dialogues in which it is true, and those that count out of fold. A seed rule was not made from the
        sample, so all its firings stand.
    value
        Its worth when it was found, 0 to 1. None: a seed, not searched for.
    weight
        What a seed's author gave it; 0 for a mined rule.
    seed
        Whether it was there before the sample.
    id, why
        A seed's own. A mined rule has no id, and words only if a model proposed it.
    node, visits, round
        Where in the search it stood; None for a seed.
    proposer
        Who thought of it; means nothing for a seed.
    """

    intent: str
    condition: Condition
    fires: Mask
    standing: Mask
    value: float = 0.0
    weight: float = 0.0
    seed: bool = False
    id: str = ""
    why: str = ""
    node: int | None = None
    visits: int | None = None
    round: int | None = None
    proposer: Source = "statistical"

    @property
    def length(self) -> int:
        """Number of phrases and other predicates."""
        return sum(phrases(leaf) for leaf in leaves(self.condition))


def from_found(found: Found) -> CandidateRule:
    """Return what the search found as a candidate rule."""
    return CandidateRule(
        found.intent,
        found.condition,
        found.fires,
        found.standing,
        value=found.value,
        why=found.why,
        node=found.node,
        visits=found.visits,
        round=found.round,
        proposer=found.source,
    )


def from_seed(rule: Rule, fires: Mask) -> CandidateRule:
    """Return a rule that was there before the sample as a candidate."""
    return CandidateRule(
        rule.intent, rule.when, fires, fires, weight=rule.weight, seed=True, id=rule.id, why=rule.why
    )
