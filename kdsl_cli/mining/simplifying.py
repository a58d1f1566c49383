"""Simplifying: predicates and phrases of a rule that do not pay for themselves are dropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from kdsl_cli.logic.conditions import All, Any, Condition, condition_key
from kdsl_cli.logic.firing import condition_matrix
from kdsl_cli.logic.indexing import Indexed
from kdsl_cli.logic.predicates import OcrPredicate, TextPredicate, Verb
from kdsl_cli.mining.rules import CandidateRule
from kdsl_cli.mining.sample import Mask, mask_of


@dataclass(frozen=True, slots=True)
class Simplifier:
    """Drops parts of conditions that change nothing in the sample.

    A part pays if the rule without it fires on other dialogues. What changes no firing is left out, the last
    part first. Whether a rule as a whole pays is for the weights to say.

    Attributes
    ----------
    dialogues
        The sample, in the order of the masks.
    seen
        Dialogues that count.
    """

    dialogues: Sequence[Indexed]
    seen: Mask
    _known: dict[str, Mask] = field(default_factory=dict)

    def simplest(self, rule: CandidateRule) -> CandidateRule:
        """Return the rule without idle parts; a seed rule stays as its author wrote it."""
        if rule.seed:
            return rule
        condition = rule.condition
        wanted = rule.fires & self.seen
        while True:
            shorter = next(
                (other for other in shortened(condition) if self._fires(other) & self.seen == wanted), None
            )
            if shorter is None:
                return replace(rule, condition=condition, fires=self._fires(condition))
            condition = shorter

    def _fires(self, condition: Condition) -> Mask:
        key = condition_key(condition)
        if key not in self._known:
            column: npt.NDArray[np.int8] = condition_matrix([condition], self.dialogues)[:, 0]
            self._known[key] = mask_of(column == 1)
        return self._known[key]


def shortened(condition: Condition) -> Iterator[Condition]:
    """Yield the condition with one part less, in every way there is, the last part first.

    Examples
    --------
    >>> two = OcrPredicate("contains_any", ("a", "b"))
    >>> [one.values for one in shortened(two)]
    [('a',), ('b',)]
    """
    match condition:
        case All(children) | Any(children):
            kind = type(condition)
            for place in reversed(range(len(children))):
                rest = (*children[:place], *children[place + 1 :])
                yield rest[0] if len(rest) == 1 else kind(rest)
                for part in shortened(children[place]):
                    yield kind((*children[:place], part, *children[place + 1 :]))
        case TextPredicate(_, "contains_any", values) | OcrPredicate("contains_any", values, _):
            for place in reversed(range(len(values))) if len(values) > 1 else ():
                rest_values = (*values[:place], *values[place + 1 :])
                yield _with_phrases(condition, rest_values)


def _with_phrases(predicate: TextPredicate | OcrPredicate, values: tuple[str, ...]) -> Condition:
    op: Verb = "contains_any" if len(values) > 1 else "contains"
    return replace(predicate, op=op, values=values)
