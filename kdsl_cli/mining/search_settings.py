"""How an intent is searched: plain numbers, resolved once by the caller."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """Settings of the rule search; the defaults are the ones `docs/experiments.md` argues for.

    Attributes
    ----------
    simulations
        Simulations for one intent, at most, over all its rounds.
    round_simulations
        Simulations of one round: the tree is then read, its best drafts are kept, and the next round
        searches for what they leave uncovered.
    rounds
        Rounds of one intent, at most.
    patience
        Simulations of a round without a better draft before it ends.
    keep_per_round
        Drafts kept from one tree, at most.
    max_rules
        Drafts kept for one intent, at most.
    gain
        What a draft must still be worth once the coverage of those kept before it is discounted.
    max_length
        Predicates in a draft, at most.
    branching
        Moves tried from a draft, at most (from the empty draft three times as many).
    exploration
        PUCT's constant.
    max_share
        Weight of the best reward against the mean one in what an edge is worth.
    seed
        Of ties and of the permutation test.
    """

    simulations: int = 3000
    round_simulations: int = 250
    rounds: int = 20
    patience: int = 150
    keep_per_round: int = 6
    max_rules: int = 40
    gain: float = 0.05
    max_length: int = 3
    branching: int = 20
    exploration: float = 0.6
    max_share: float = 0.5
    seed: int = 0
