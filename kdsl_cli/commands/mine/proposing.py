"""The small model at the miner's side: opened once for all tasks, its answers counted and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.models.small import limits, open_small, shaping
from kdsl_cli.commands.workspace.layout import Workspace
from kdsl_cli.commands.workspace.splits import dialogues_in, picture_root
from kdsl_cli.errors import ConfigError

if TYPE_CHECKING:
    from kdsl_cli.backends.backend import Backend
    from kdsl_cli.backends.cache import CachedBackend
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.evidence.questions import Shown
    from kdsl_cli.mining.learning import Prepared
    from kdsl_cli.mining.proposers.asked import ModelProposers
    from kdsl_cli.mining.proposers.question_book import QuestionBook
    from kdsl_cli.runs.recording import StageRun


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


def key_of(settings: Settings) -> dict[str, Any]:
    """Return what of the model's settings shapes the rules that are found, for the stage's key."""
    if not uses_model(settings):
        return {}
    return {"small": {**shaping(settings.small), **limits(settings.small)}}


@dataclass(slots=True)
class Asking:
    """Who proposes and answers while rules are mined.

    Attributes
    ----------
    backend
        The model with its memory.
    shown
        The training dialogues as it is shown them, by id.
    tasks
        The proposers and questions of each task that was prepared.
    """

    settings: Settings
    backend: CachedBackend
    shown: Mapping[str, Shown]
    tasks: dict[str, tuple[ModelProposers, QuestionBook, Sequence[str]]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.backend.close()

    def joined(self, one: Prepared) -> Prepared:
        """Return a task's campaign with the model among its proposers."""
        proposers, book = proposers_of(one, self.settings, self.backend, self.shown)
        self.tasks[one.labelled.task.name] = proposers, book, one.labelled.ids
        leaves = self.settings.mine.leaves
        return replace(one, campaign=replace(one.campaign, proposers=proposers, leaves=leaves))

    def keep(self, run: StageRun, space: Workspace) -> None:
        """Write the answers to all questions, and remember what became of what the model said."""
        from kdsl_cli.evidence.answers import write_answers

        rows = [row for _, book, ids in self.tasks.values() for row in book.rows(ids)]
        write_answers(run.output(space.mined_answers), rows, dict(self.backend.identity))
        run.extra["proposals"] = {
            task: asdict(proposers.counts) for task, (proposers, _, _) in self.tasks.items()
        }
        run.extra["questions"] = {
            task: len({question for _, question, _ in book.rows(ids)})
            for task, (_, book, ids) in self.tasks.items()
        }
        run.extra["small"] = dict(self.backend.identity)
        if any(proposers.spent for proposers, _, _ in self.tasks.values()):
            run.warn(
                "the small model's budget was spent before the searches were at their end; "
                "with a larger one and --force only what was not asked yet is asked"
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
        f"{counts[name]} {name}" for name in ("valid", "duplicate", "useless", "invalid", "failed")
    )
    questions = extra.get("questions", {}).get(task, 0)
    lines = [f"  the small model proposed {counts['asked']} times: {became}; {questions} questions asked"]
    for reason in counts["reasons"]:
        current_output().detail(f"    {reason}")
    return lines
