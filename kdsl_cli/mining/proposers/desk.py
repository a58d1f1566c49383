"""What all searches of a task share when a model is asked: what it may see, who answers, the accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kdsl_cli.backends.backend import Backend
from kdsl_cli.dialogues.catalogue import Task
from kdsl_cli.evidence.questions import Shown
from kdsl_cli.logic.indexing import Indexed
from kdsl_cli.mining.proposers.counts import Outcome, ProposalCounts
from kdsl_cli.mining.proposers.model_settings import ModelSettings
from kdsl_cli.mining.proposers.question_book import QuestionBook
from kdsl_cli.mining.proposers.rewording import Rewordings


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """A task as a model may see it: catalogue, facts and dialogues, the latter in the sample's bit order."""

    task: Task
    dialogues: Sequence[Indexed]
    shown: Sequence[Shown]

    @property
    def pictures(self) -> bool:
        """Whether any dialogue has a picture."""
        return any(dialogue.facts.images for dialogue in self.dialogues)

    def can_show(self, place: int) -> bool:
        """Tell whether a dialogue can be shown."""
        return self.shown[place] is not None


class Ledger:
    """What became of the model's answers, and whether the budget for them is spent."""

    def __init__(self) -> None:
        self.counts = ProposalCounts()
        self.spent = False

    def note(self, became: Outcome, reason: str = "") -> None:
        """Count one answer."""
        self.counts = self.counts.plus(became, reason)


@dataclass(frozen=True, slots=True, eq=False)
class Desk:
    """One task's material, who proposes (`backend`), answers questions and rewords them, and the ledger."""

    material: Material
    backend: Backend
    book: QuestionBook
    rewordings: Rewordings
    settings: ModelSettings
    ledger: Ledger = field(default_factory=Ledger)
