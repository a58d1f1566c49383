"""The examples of rules played again: what a rule must match, and must not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.indexing import Indexed
from kdsl_cli.logic.matching import match
from kdsl_cli.logic.rule import Examples, Rule
from kdsl_cli.logic.verdict import Verdict

Outcome = Literal["passed", "failed", "unknown", "missing"]


@dataclass(frozen=True, slots=True)
class Replay:
    """One example of one rule.

    Attributes
    ----------
    rule
        The rule's id.
    id
        Of the dialogue.
    must
        Whether the rule must match it, or must not.
    verdict
        What it says of the dialogue. None: there are no facts of it.
    """

    rule: str
    id: str
    must: bool
    verdict: Verdict | None

    @property
    def outcome(self) -> Outcome:
        """`unknown`: a fact is missing that would decide. `missing`: the dialogue itself is.

        A rule that is unknown does not fire: where it must not match, that is no failure.
        """
        if self.verdict is None:
            return "missing"
        if self.verdict.value is None:
            return "unknown" if self.must else "passed"
        return "passed" if self.verdict.value == self.must else "failed"


def replay(rules: Sequence[Rule], facts: Mapping[str, Facts | Indexed]) -> Iterator[Replay]:
    """Yield every example of the active rules, in the order of the file.

    Examples
    --------
    >>> from kdsl_cli.logic.facts import TurnFact
    >>> from kdsl_cli.logic.predicates import TextPredicate
    >>> when = TextPredicate("any", "contains", ("退款",))
    >>> rule = Rule("r", "refund", when, examples=Examples(match=("a", "b"), no_match=("c",)))
    >>> said = (TurnFact(0, "customer", "退款"),)
    >>> known = {"a": Facts("a", said), "c": Facts("c", said)}
    >>> [(one.id, one.outcome) for one in replay([rule], known)]
    [('a', 'passed'), ('b', 'missing'), ('c', 'failed')]
    """
    for rule in rules:
        examples = rule.examples if rule.active and rule.examples else Examples()
        for must, ids in ((True, examples.match), (False, examples.no_match)):
            for name in ids:
                known = facts.get(name)
                yield Replay(rule.id, name, must, None if known is None else match(rule.when, known))
