"""Everything that is known of the decision on one dialogue, to be shown in a terminal or given as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from kdsl_cli.dialogues.schema import Dialogue
from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.rule import RuleBase
from kdsl_cli.prediction.why import Judged, judge, reasons
from kdsl_cli.reporting.page.verdicts import Marks, marks
from kdsl_cli.reporting.systems import COLUMNS_OF, SYSTEMS, System

BEST: Final = 3
"""Intents of each side that are shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """How common an intent is: `count` of `of` labelled training dialogues of its task."""

    intent: str
    count: int
    of: int


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """The decision on one dialogue.

    Attributes
    ----------
    dialogue, facts
        What was said and seen.
    where
        Split or file that it is of.
    judged
        The active rules with their verdicts (`prediction.why.judge`).
    base
        The rules of its task. None: there are none.
    prediction
        Its row of `predictions.parquet`. None: nothing was predicted.
    scores
        By system, the probability of each intent, highest first; a side that took no part is not in it.
    decided
        How its task is decided: its record in `arbiter.json`. None: nothing was predicted.
    shares
        Of the intents that play a part here, as far as training dialogues have labels.
    """

    dialogue: Dialogue
    facts: Facts
    where: str
    judged: tuple[Judged, ...]
    base: RuleBase | None
    prediction: Mapping[str, Any] | None
    scores: Mapping[System, Mapping[str, float]]
    decided: Mapping[str, Any] | None
    shares: tuple[Share, ...]

    @property
    def fired(self) -> tuple[Judged, ...]:
        """The rules that fire, the heaviest first."""
        return tuple(one for one in self.judged if one.verdict.value)

    @property
    def unknown(self) -> tuple[Judged, ...]:
        """The rules that ask for a fact that is not known."""
        return tuple(one for one in self.judged if one.verdict.value is None)

    @property
    def marks(self) -> Marks:
        """The places that made rules fire."""
        return marks(self.fired)

    def plain(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        row = self.prediction or {}
        told = {name: row.get(name) for name in _TOLD} if row else None
        why = reasons(self.base, self.facts) if self.base else {"fired": [], "unknown": []}
        return {
            "id": self.dialogue.id,
            "task": self.dialogue.task,
            "where": self.where,
            "label": self.dialogue.label,
            "turns": [asdict(turn) for turn in self.facts.turns],
            "marked_turns": {
                str(turn): [list(span) for span, _ in spans] for turn, spans in self.marks.spans.items()
            },
            "marked_lines": [
                asdict(line) for line in self.facts.ocr if self._is_marked(line.image, line.seq)
            ],
            "answers": dict(sorted(self.facts.answers.items())),
            "prediction": told,
            "scores": {system: dict(scores) for system, scores in self.scores.items()},
            "rules": why,
            "decided": self.decided,
            "base_rates": [asdict(share) for share in self.shares],
        }

    def _is_marked(self, image: int, line: int) -> bool:
        return (image, line) in self.marks.lines


_TOLD: Final = ("prediction", "strategy", "decided_by", "rules_prediction", "large_prediction", "error")


def explanation(
    dialogue: Dialogue,
    facts: Facts,
    where: str,
    *,
    base: RuleBase | None,
    prediction: Mapping[str, Any] | None,
    intents: tuple[str, ...],
    decided: Mapping[str, Any] | None,
    labels: Mapping[str, int],
) -> Explanation:
    """Put an explanation together.

    Parameters
    ----------
    intents
        Of the task, in the order of the prediction's scores.
    labels
        How often training dialogues of the task have each label.
    """
    scores = _scores(prediction, intents) if prediction else {}
    named = {dialogue.label, *(name for each in scores.values() for name in list(each)[:1])} - {None}
    total = sum(labels.values())
    shares = tuple(Share(name, labels.get(name, 0), total) for name in intents if name in named and total)
    judged = judge(base.rules, facts) if base else ()
    return Explanation(dialogue, facts, where, judged, base, prediction, scores, decided, shares)


def _scores(row: Mapping[str, Any], intents: tuple[str, ...]) -> dict[System, dict[str, float]]:
    found: dict[System, dict[str, float]] = {}
    for system in SYSTEMS:
        scores = row[COLUMNS_OF[system][1]]
        if scores is not None:
            ranked = sorted(zip(intents, scores, strict=True), key=lambda pair: -pair[1])
            found[system] = dict(ranked)
    return found
