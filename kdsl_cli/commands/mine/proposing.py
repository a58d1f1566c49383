"""The small model at the miner's side: opened once for all tasks, its answers counted and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.models.small import limits, open_small, shaping
from kdsl_cli.commands.workspace.layout import Workspace
from kdsl_cli.commands.workspace.splits import dialogues_in, picture_root
from kdsl_cli.errors import ConfigError

if TYPE_CHECKING:
    from kdsl_cli.backends.backend import Backend
    from kdsl_cli.backends.cache import CachedBackend, Tally
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.evidence.answers import Row
    from kdsl_cli.evidence.questions import Shown
    from kdsl_cli.mining.learning import Prepared
    from kdsl_cli.mining.proposers.asked import ModelProposers
    from kdsl_cli.mining.proposers.question_book import QuestionBook
    from kdsl_cli.runs.recording import StageRun

REASONS: Final = 5
"""Reasons of failed calls that a manifest names, a task."""


def uses_model(settings: Settings) -> bool:
    """Tell whether a model proposes rules.

    Raises
    ------
    ConfigError
        If one is wanted and none is named.
    """
    wanted, model = settings.mine.proposer, settings.small.model
    if wanted in ("model", "mixed") and model is None:
        fix = "Give --small SPEC, or set small.model in kdsl.yaml"
        raise ConfigError(f"the proposer '{wanted}' needs a small model", where="mine.proposer", fix=fix)
    return wanted != "statistical" and model is not None


def unasked(settings: Settings) -> str | None:
    """Say that a small model is named and is left out all the same; None if that is not so."""
    if settings.small.model is None or uses_model(settings):
        return None
    return (
        f"The small model {settings.small.model} is not asked, as mine.proposer is "
        f"'{settings.mine.proposer}'; with --proposer mixed it proposes too."
    )


def key_of(settings: Settings) -> dict[str, Any]:
    """Return what of the model's settings shapes the rules that are found, for the stage's key."""
    if not uses_model(settings):
        return {}
    return {"small": {**shaping(settings.small), **limits(settings.small)}}


@dataclass(frozen=True, slots=True)
class Asked:
    """Who proposes in a task, its questions, the ids of its dialogues, and how often the model was asked."""

    proposers: ModelProposers
    book: QuestionBook
    ids: Sequence[str]
    tally: Tally

    def calls(self) -> dict[str, Any]:
        """Return the tally for the manifest; `failures` are counted by reason, the commonest first."""
        told, failures = self.tally, self.tally.failures
        return {
            "asked": told.calls,
            "known": told.cached,
            "failed": failures.total(),
            "failures": dict(failures.most_common(REASONS)),
        }


@dataclass(slots=True)
class Asking:
    """Who proposes and answers while rules are mined.

    Attributes
    ----------
    backend
        The model with its memory.
    shown
        The training dialogues as it is shown them, by id.
    answers
        To what seed rules ask.
    tasks
        What there is of each task whose turn has come.
    """

    settings: Settings
    backend: CachedBackend
    shown: Mapping[str, Shown]
    answers: Sequence[Row] = ()
    tasks: dict[str, Asked] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.backend.close()

    def joined(self, one: Prepared, to_come: int) -> Prepared:
        """Return a task's campaign with the model among its proposers; `to_come`: tasks after this one.

        Of the budget it has an equal share of what the tasks before it left.
        """
        backend = self.backend.within_share(1 + to_come)
        proposers, book = proposers_of(one, self.settings, backend, self.shown)
        book.remember(one.labelled.ids, self.answers)
        self.tasks[one.labelled.task.name] = Asked(proposers, book, one.labelled.ids, backend.tally)
        leaves = self.settings.mine.leaves
        return replace(one, campaign=replace(one.campaign, proposers=proposers, leaves=leaves))

    def keep(self, run: StageRun, space: Workspace) -> None:
        """Write the answers to all questions, and remember what became of what the model said."""
        from kdsl_cli.evidence.answers import write_answers

        rows = [row for one in self.tasks.values() for row in one.book.rows(one.ids)]
        write_answers(run.output(space.mined_answers), rows, dict(self.backend.identity))
        run.extra["proposals"] = {task: asdict(one.proposers.counts) for task, one in self.tasks.items()}
        run.extra["questions"] = {
            task: len({question for _, question, _ in one.book.rows(one.ids)})
            for task, one in self.tasks.items()
        }
        run.extra["calls"] = {task: one.calls() for task, one in self.tasks.items()}
        run.extra["small"] = dict(self.backend.identity)
        if failed := _failed([self.backend.tally, *(one.tally for one in self.tasks.values())]):
            run.warn(failed)
        if spent := [task for task, one in self.tasks.items() if one.proposers.spent]:
            run.warn(
                "the small model's budget was spent before the searches were at their end "
                f"({', '.join(spent)}); with a larger one and --force only what was not asked yet is asked"
            )


def _failed(tallies: Sequence[Tally]) -> str | None:
    """Return why calls failed, the commonest reason alone; None if none did."""
    calls, failures = (
        sum(one.calls for one in tallies),
        sum((one.failures for one in tallies), Counter[str]()),
    )
    if not failures:
        return None
    ((reason, times),) = failures.most_common(1)
    often = f", most often ({times} times)" if times < failures.total() else ""
    return (
        f"{failures.total()} of {calls} calls of the small model failed{often}: {reason}; "
        f"each call with its error: kdsl calls --last {calls}"
    )


def opened(
    settings: Settings, space: Workspace, deadline: float | None
) -> AbstractContextManager[Asking | None]:
    """Open the small model if one is to propose; else there is None."""
    if not uses_model(settings):
        return nullcontext(None)
    backend = open_small(settings.small, space, "mine-rules", deadline=deadline)
    return Asking(settings, backend, training_shown(settings, space))


def training_shown(settings: Settings, space: Workspace) -> dict[str, Shown]:
    """Return the training dialogues as a model is shown them, by id."""
    from kdsl_cli.evidence.extract import find_pictures
    from kdsl_cli.evidence.showing import shown

    dialogues, root = dialogues_in(space.split_dialogues("train")), picture_root(space, settings)
    return shown(dialogues, root, find_pictures(dialogues, root))


def proposers_of(
    one: Prepared, settings: Settings, backend: Backend, shown: Mapping[str, Shown]
) -> tuple[ModelProposers, QuestionBook]:
    """Return who proposes in a task with a model, and the book of the questions that it asks."""
    from kdsl_cli.evidence.questions import Questioner
    from kdsl_cli.mining.proposers.asked import ModelProposers
    from kdsl_cli.mining.proposers.desk import Material
    from kdsl_cli.mining.proposers.model_settings import ModelSettings
    from kdsl_cli.mining.proposers.question_book import QuestionBook

    mine, labelled = settings.mine, one.labelled
    own = [shown[id] for id in labelled.ids]
    book = QuestionBook(Questioner(backend), own)
    proposers = ModelProposers(
        Material(labelled.task, labelled.dialogues, own),
        backend,
        book,
        ModelSettings(asked=mine.asked, max_length=mine.max_length, seed=mine.seed),
        mixed=mine.proposer != "model",
    )
    return proposers, book


def told(extra: Mapping[str, Any], task: str) -> list[str]:
    """Return what a manifest says of the model's proposals for a task, as lines."""
    counts = extra.get("proposals", {}).get(task)
    if counts is None:
        return []
    became = ", ".join(
        f"{counts[name]} {name}" for name in ("valid", "duplicate", "useless", "invalid", "failed", "untried")
    )
    questions = extra.get("questions", {}).get(task, 0)
    lines = [f"  the small model proposed {counts['asked']} times: {became}; {questions} questions asked"]
    for reason in counts["reasons"]:
        current_output().detail(f"    {reason}")
    return lines
