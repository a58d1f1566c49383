"""What is amiss with rules, seen on dialogues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from kdsl_cli.logic.conditions import leaves
from kdsl_cli.logic.describing import describe
from kdsl_cli.logic.firing import firing_matrix, leaf_column
from kdsl_cli.logic.indexing import Indexed
from kdsl_cli.logic.linting import finding as f
from kdsl_cli.logic.predicates import ImagePredicate, OcrPredicate, Predicate
from kdsl_cli.logic.rule import Rule
from kdsl_cli.metrics import precision_low

FEW: Final = 3
"""Right firings, at least, on which a rule may stand."""

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Dialogues of one task to hold rules against; every list has one entry a dialogue.

    Attributes
    ----------
    dialogues
        Their facts.
    labels
        Their intents; None where it is not known.
    groups
        Of whom they are; None: of nobody else.
    known_ids
        Every id that an example may name: those of the whole data set.
    """

    dialogues: tuple[Indexed, ...]
    labels: tuple[str | None, ...]
    groups: tuple[str | None, ...]
    known_ids: frozenset[str]


def found_on(sample: Sample, rules: Sequence[Rule]) -> Iterator[f.Finding]:
    """Yield what is amiss with rules on a sample."""
    fired = firing_matrix(rules, sample.dialogues) == 1
    columns: dict[Predicate, npt.NDArray[np.int8]] = {}
    for place, rule in enumerate(rules):
        if not rule.active:
            continue
        blind = list(_unanswered(rule, sample, columns))
        yield from (f.Finding(f.UNANSWERED, place, "when", what) for what in blind)
        yield from _firings(place, rule, fired[:, place], sample, blind=bool(blind))
        yield from _examples(place, rule, sample)
    yield from _alike(rules, fired)


def _unanswered(rule: Rule, sample: Sample, columns: dict[Predicate, npt.NDArray[np.int8]]) -> Iterator[str]:
    pictures = any(dialogue.facts.images for dialogue in sample.dialogues)
    for leaf in dict.fromkeys(leaves(rule.when)):
        if isinstance(leaf, OcrPredicate | ImagePredicate) and not pictures:
            yield f"no dialogue of the task has a picture: {describe(leaf)}"
            continue
        if leaf not in columns:
            columns[leaf] = leaf_column(leaf, sample.dialogues)
        column = columns[leaf]
        seen = [
            bool(dialogue.facts.images) or not isinstance(leaf, ImagePredicate)
            for dialogue in sample.dialogues
        ]
        if column.size and (column[np.array(seen)] == -1).all():
            yield f"no evidence tells, of any dialogue: {describe(leaf)}"


def _firings(place: int, rule: Rule, fired: Bools, sample: Sample, *, blind: bool) -> Iterator[f.Finding]:
    n = int(fired.sum())
    if n == 0:
        if not blind and rule.evidence is None and len(fired):
            yield f.Finding(f.NEVER_FIRES, place, "when", f"it fires on none of {len(fired)} dialogues")
        return
    labels = [label for label, fires in zip(sample.labels, fired, strict=True) if fires and label is not None]
    right = sum(label == rule.intent for label in labels)
    if rule.weight > 0 and right < FEW and (rule.evidence is None or rule.evidence.correct < FEW):
        what = f"it is right on {right} of the {len(labels)} labelled dialogues on which it fires"
        yield f.Finding(f.TOO_NARROW, place, "when", what)
    groups = {group for group, fires in zip(sample.groups, fired, strict=True) if fires}
    if n >= FEW and len(groups) == 1 and None not in groups:
        yield f.Finding(f.TOO_NARROW, place, "when", f"all {n} dialogues on which it fires are of one group")
    if wrong := _wrong_sign(rule, right, len(labels), sample):
        yield f.Finding(f.WRONG_SIGN, place, "weight", wrong)


def _wrong_sign(rule: Rule, right: int, labelled: int, sample: Sample) -> str | None:
    """Say that a rule speaks for an intent that is rarer where it fires, or against one that is not rarer."""
    known = [label for label in sample.labels if label is not None]
    low, wrong_low = precision_low(right, labelled), precision_low(labelled - right, labelled)
    if not known or low is None or wrong_low is None:
        return None
    share = known.count(rule.intent) / len(known)
    told = f"{right} of the {labelled} dialogues on which it fires are {rule.intent}, of all {share:.0%}"
    if rule.weight > 0 and right < labelled and 1 - wrong_low < share:
        return f"it speaks for the intent, but {told}"
    if rule.weight < 0 and low > share:
        return f"it speaks against the intent, but {told}"
    return None


def _examples(place: int, rule: Rule, sample: Sample) -> Iterator[f.Finding]:
    named = (*rule.examples.match, *rule.examples.no_match) if rule.examples else ()
    if strange := [name for name in named if name not in sample.known_ids]:
        what = f"no dialogue has the id {', '.join(strange)}"
        yield f.Finding(f.UNKNOWN_EXAMPLE, place, "examples", what)


def _alike(rules: Sequence[Rule], fired: Bools) -> Iterator[f.Finding]:
    """Yield the later of two rules that say the same and fire on the same dialogues."""
    first: dict[tuple[str, bool, bytes], str] = {}
    for place, rule in enumerate(rules):
        column = fired[:, place]
        if not rule.active or column.sum() < FEW:
            continue
        key = (rule.intent, rule.weight > 0, column.tobytes())
        if key in first:
            what = f"it fires on the same {int(column.sum())} dialogues as {first[key]}, for the same intent"
            yield f.Finding(f.FIRES_ALIKE, place, "when", what)
        first.setdefault(key, rule.id)
