"""A rule among dialogues and among the other rules: what it catches, gets wrong, and just misses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kdsl_cli.dialogues.schema import Dialogue
from kdsl_cli.logic.conditions import All
from kdsl_cli.logic.describing import describe
from kdsl_cli.logic.firing import firing_matrix
from kdsl_cli.logic.indexing import Indexed
from kdsl_cli.logic.matching import match
from kdsl_cli.logic.rule import Rule
from kdsl_cli.logic.verdict import Verdict
from kdsl_cli.prediction.why import decisive


@dataclass(frozen=True, slots=True)
class Case:
    """A dialogue with what the rule says of it.

    Attributes
    ----------
    id, label
        Of the dialogue; `label` None where it is not known.
    because
        What decided, or what it fails by, one line a reason.
    """

    id: str
    label: str | None
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another rule that fires on some of the same dialogues.

    Attributes
    ----------
    rule
        It.
    together
        Dialogues on which both fire.
    its, ours
        Those of them with its intent as label, and with the intent of the rule that is portrayed.
    """

    rule: Rule
    together: int
    its: int
    ours: int


@dataclass(frozen=True, slots=True)
class Portrait:
    """What is seen of a rule.

    Attributes
    ----------
    right, wrong, unlabelled
        Dialogues on which it fires. A rule with a negative weight is right where the label is another one.
    unknown
        Dialogues of which a fact is missing that it asks for.
    near
        Dialogues that it should fire on and does not, by one part of its condition alone.
    missed
        Ids of the others that it should fire on and does not; of a rule against its intent, none.
    competitors
        Rules for other intents, by how often they fire on the same dialogues.
    allies
        Rules for the same intent, likewise.
    """

    right: tuple[Case, ...]
    wrong: tuple[Case, ...]
    unlabelled: tuple[Case, ...]
    unknown: tuple[Case, ...]
    near: tuple[Case, ...]
    missed: tuple[str, ...]
    competitors: tuple[Neighbour, ...]
    allies: tuple[Neighbour, ...]


def portray(
    rule: Rule, rules: Sequence[Rule], dialogues: Sequence[Dialogue], facts: Sequence[Indexed]
) -> Portrait:
    """Return what is seen of a rule.

    Parameters
    ----------
    rule
        One of `rules`.
    rules
        All rules of the task; disabled ones are nobody's neighbours.
    dialogues, facts
        Of the same dialogues of the task, in the same order.
    """
    verdicts = [match(rule.when, one) for one in facts]
    cases: dict[str, list[Case]] = {name: [] for name in ("right", "wrong", "unlabelled", "unknown")}
    near: list[Case] = []
    missed: list[str] = []
    for dialogue, verdict in zip(dialogues, verdicts, strict=True):
        if verdict.value is not False:
            cases[_kind(rule, dialogue, verdict)].append(_case(dialogue, _reasons(verdict)))
        elif rule.weight > 0 and dialogue.label == rule.intent:
            failing = _single_failure(verdict)
            if failing:
                near.append(_case(dialogue, (f"but for: {failing}",)))
            else:
                missed.append(dialogue.id)
    fires = np.array([verdict.value is True for verdict in verdicts], dtype=bool)
    neighbours = list(_neighbours(rule, rules, fires, dialogues, facts))
    return Portrait(
        **{name: tuple(found) for name, found in cases.items()},
        near=tuple(near),
        missed=tuple(missed),
        competitors=tuple(one for one in neighbours if one.rule.intent != rule.intent),
        allies=tuple(one for one in neighbours if one.rule.intent == rule.intent),
    )


def _kind(rule: Rule, dialogue: Dialogue, verdict: Verdict) -> str:
    if verdict.value is None:
        return "unknown"
    if dialogue.label is None:
        return "unlabelled"
    return "right" if (dialogue.label == rule.intent) == (rule.weight > 0) else "wrong"


def _case(dialogue: Dialogue, because: tuple[str, ...]) -> Case:
    return Case(dialogue.id, dialogue.label, because)


def _reasons(verdict: Verdict) -> tuple[str, ...]:
    """Return what settled it: the facts, and of what is nowhere, the predicate in words."""
    lines = []
    for leaf in decisive(verdict):
        lines += [reason.what for reason in leaf.reasons] or [f"nowhere: {describe(leaf.node)}"]
    return tuple(dict.fromkeys(lines))


def _single_failure(verdict: Verdict) -> str | None:
    """Return the part of a condition by which alone it is not true; None if there are more, or no parts."""
    if not isinstance(verdict.node, All):
        return None
    failing = [child for child in verdict.children if child.value is not True]
    return describe(failing[0].node) if len(failing) == 1 else None


def _neighbours(
    rule: Rule,
    rules: Sequence[Rule],
    fires: npt.NDArray[np.bool_],
    dialogues: Sequence[Dialogue],
    facts: Sequence[Indexed],
) -> Iterator[Neighbour]:
    others = [one for one in rules if one.active and one.weight > 0 and one.id != rule.id]
    matrix = firing_matrix(others, facts) == 1
    labels = [one.label for one in dialogues]
    found = []
    for place, other in enumerate(others):
        both = np.flatnonzero(matrix[:, place] & fires)
        if len(both):
            its = sum(labels[row] == other.intent for row in both)
            ours = sum(labels[row] == rule.intent for row in both)
            found.append(Neighbour(other, len(both), its, ours))
    yield from sorted(found, key=lambda one: (-one.together, one.rule.id))
