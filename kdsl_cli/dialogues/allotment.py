"""Which dialogues go to which split: components whole, intents in proportion, whatever the order of rows."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from kdsl_cli.dialogues.schema import Dialogue

Stratum = tuple[str, str]
"""Task and label ("" where unknown)."""

GUARANTEED = "train"
"""The split that gets at least one dialogue of every intent."""


def allot(
    dialogues: Iterable[Dialogue],
    components: Iterable[Sequence[str]],
    fractions: Mapping[str, float],
    seed: int,
) -> dict[str, str]:
    """Return the split of every id.

    Components of several dialogues come first, the largest foremost, each to the split that its intents miss
    most. Single dialogues then fill up, intent by intent; what rounding takes from a split in one intent it
    gets back in the next of the same task, so that 40 intents of 4 dialogues still give a tenth to ``val``.

    Parameters
    ----------
    dialogues
        With unique ids.
    components
        Ids that must stay together; every id stands in exactly one.
    fractions
        Of each split, summing to 1. A split of fraction 0 stays empty.
    seed
        Orders what is otherwise alike.
    """
    strata = {each.id: (each.task, each.label or "") for each in dialogues}
    totals = Counter(strata.values())
    shares = {split: fraction for split, fraction in fractions.items() if fraction > 0}
    have: Counter[tuple[Stratum, str]] = Counter()
    chosen: dict[str, str] = {}
    singles: dict[Stratum, list[str]] = defaultdict(list)
    shuffled = sorted(components, key=lambda ids: _order(seed, min(ids)))
    joined = []
    for ids in shuffled:
        if len(ids) == 1:
            singles[strata[ids[0]]].append(ids[0])
        else:
            joined.append(ids)
    for ids in sorted(joined, key=len, reverse=True):
        counts = Counter(strata[id] for id in ids)
        forced = GUARANTEED in shares and any(not (have[s, GUARANTEED] or singles[s]) for s in counts)
        split = GUARANTEED if forced else _neediest(counts, shares, totals, have)
        chosen.update(dict.fromkeys(ids, split))
        have.update({(stratum, split): count for stratum, count in counts.items()})
    owed: dict[tuple[str, str], float] = defaultdict(float)
    for stratum in sorted(totals):
        numbers = _shared_out(stratum, len(singles[stratum]), shares, totals, have, owed)
        waiting = iter(singles[stratum])
        for split, number in numbers.items():
            chosen.update({next(waiting): split for _ in range(number)})
    return chosen


def _order(seed: int, id: str) -> str:
    return hashlib.sha256(f"{seed}:{id}".encode()).hexdigest()


def _neediest(
    counts: Mapping[Stratum, int],
    shares: Mapping[str, float],
    totals: Mapping[Stratum, int],
    have: Mapping[tuple[Stratum, str], int],
) -> str:
    def need(split: str) -> float:
        return sum(n * (shares[split] * totals[s] - have[s, split]) / totals[s] for s, n in counts.items())

    return max(shares, key=need)  # the first of equals


def _shared_out(
    stratum: Stratum,
    number: int,
    shares: Mapping[str, float],
    totals: Mapping[Stratum, int],
    have: Mapping[tuple[Stratum, str], int],
    owed: dict[tuple[str, str], float],
) -> dict[str, int]:
    """Return how many of a stratum's single dialogues each split gets, and carry the rounding in `owed`."""
    task = stratum[0]
    due = {split: shares[split] * totals[stratum] - have[stratum, split] for split in shares}
    wanted = {split: due[split] + owed[task, split] for split in shares}
    given = dict.fromkeys(shares, 0)
    left = number
    if GUARANTEED in shares and number and not have[stratum, GUARANTEED]:
        given[GUARANTEED] = 1
        left -= 1
    for _ in range(left):
        given[max(shares, key=lambda split: wanted[split] - given[split])] += 1
    for split in shares:
        owed[task, split] = wanted[split] - given[split]
    return given
