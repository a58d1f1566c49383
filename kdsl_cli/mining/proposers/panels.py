"""Panels: wordings of one question, whose answer is what most of them say.

Wordings of one question show in their answers, which agree far more often than chance would have it. So
questions are grouped by agreement alone: no label is looked at, and a wording that the model takes for
something else stays out. "Most of these are yes" is an m-of-n concept (Murphy & Pazzani 1991): as easy to
read as it is hard to reach predicate by predicate. No wording of a panel is offered alone: with few
dialogues, one that errs by luck in none of them would look better than all together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from kdsl_cli.logic.conditions import AtLeast
from kdsl_cli.logic.predicates import Predicate
from kdsl_cli.mining.candidates import Candidate
from kdsl_cli.mining.sample import Mask, as_bools, mask_of

ALIKE: Final = 0.2
"""Mean correlation from which questions are one group. Two wordings that err in a tenth each, about what is
seen in a fourteenth of the dialogues, correlate at 0.3; of unrelated ones, with 100 dialogues, one pair in
fifty comes to 0.2, and hardly ever all pairs of three."""

SMALLEST: Final = 3
"""Wordings in a panel, at least: of two, neither can be outvoted."""

Pair = tuple[Candidate, Candidate]
"""Of one question: the answer is yes, the answer is no."""


class Questions:
    """The questions of one run that tell something, and what is offered of each: its panel, or itself.

    Parameters
    ----------
    seen
        Dialogues that count; by these it is judged which questions are alike.
    """

    def __init__(self, seen: Mask) -> None:
        self._seen = seen
        self._pairs: dict[str, Pair] = {}
        self._offered: dict[str, Pair] = {}

    def __contains__(self, words: str) -> bool:
        return words in self._pairs

    def __len__(self) -> int:
        return len(self._pairs)

    def add(self, pairs: Mapping[str, Pair]) -> None:
        """Add questions, and group all anew."""
        self._pairs |= pairs
        self._offered = panelled(self._pairs, self._seen)

    def pair(self, words: str) -> Pair:
        """Return what is offered of a question."""
        return self._offered[words]

    def offered(self) -> dict[str, Pair]:
        """Return everything that is offered, each panel once, under the wording that came first."""
        first: dict[Predicate | AtLeast, str] = {}
        for words, (yes, _) in self._offered.items():
            first.setdefault(yes.predicate, words)
        return {words: self._offered[words] for words in first.values()}


def panelled(pairs: Mapping[str, Pair], seen: Mask) -> dict[str, Pair]:
    """Return each question with its own answers, or with those of the panel that it is in.

    Parameters
    ----------
    pairs
        By question, in the order they came.
    seen
        Dialogues by which likeness is judged.
    """
    offered, names = dict(pairs), list(pairs)
    for group in _groups(tuple(pairs.values()), seen):
        members = [pairs[names[place]] for place in group]
        panel = _majority([yes for yes, _ in members]), _majority([no for _, no in members])
        offered |= {names[place]: panel for place in group}
    return offered


def _majority(candidates: Sequence[Candidate]) -> Candidate:
    most = len(candidates) // 2 + 1
    size = max((c.true | c.false).bit_length() for c in candidates)
    held = np.sum([as_bools(c.true, size) for c in candidates], axis=0)
    denied = np.sum([as_bools(c.false, size) for c in candidates], axis=0)
    condition = AtLeast(most, tuple(c.predicate for c in candidates))
    true, false = mask_of(held >= most), mask_of(denied > len(candidates) - most)
    return Candidate(condition, true, false, source="both")


def _groups(pairs: Sequence[Pair], seen: Mask) -> list[tuple[int, ...]]:
    """Return the places of questions that are alike, by average linkage, in the order they came."""
    if len(pairs) < SMALLEST:
        return []
    apart = squareform(1 - _likeness(pairs, seen), checks=False)
    numbers = fcluster(linkage(apart, "average"), 1 - ALIKE, "distance")
    groups = [tuple(np.flatnonzero(numbers == number).tolist()) for number in np.unique(numbers)]
    return sorted(group for group in groups if len(group) >= SMALLEST)


def _likeness(pairs: Sequence[Pair], seen: Mask) -> npt.NDArray[np.float64]:
    """Return (n, n) correlations of the answers: yes 1, no -1, unknown 0; a constant is like nothing."""
    size = seen.bit_length()
    inside = as_bools(seen, size)
    said = np.array(
        [
            as_bools(yes.true & seen, size)[inside] * 1.0 - as_bools(no.true & seen, size)[inside]
            for yes, no in pairs
        ]
    )
    said -= said.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(said, axis=1, keepdims=True)
    said = np.divide(said, norms, out=np.zeros_like(said), where=norms > 0)
    # Equal answers may come out a digit above one.
    return np.asarray(np.minimum(said @ said.T, 1.0))
