"""Questions of rules and the dialogues they are put to: what shapes the answers, and the asking itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.extract.rule_questions import Questions
from kdsl_cli.commands.models.small import limits, shaping

if TYPE_CHECKING:
    from kdsl_cli.commands.workspace.settings import SmallSettings
    from kdsl_cli.dialogues.schema import Dialogue
    from kdsl_cli.evidence.answers import Row
    from kdsl_cli.evidence.questions import Questioner, Shown


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Questions and dialogues; a question is asked of the dialogues of its task.

    Attributes
    ----------
    questions
        By task.
    ids
        Of the dialogues that something is asked of, by task.
    shown
        Each of them as a model is shown it, by id.
    pictures
        Hash of all pictures among it, with their names; "" where no stage is keyed by the answers.
    """

    questions: Questions
    ids: Mapping[str, tuple[str, ...]]
    shown: Mapping[str, Shown]
    pictures: str = ""

    def config(self, options: SmallSettings) -> dict[str, Any]:
        """Return what shapes the answers, the texts of the dialogues apart, for a stage's key."""
        from kdsl_cli.dialogues import prompting
        from kdsl_cli.evidence.questions import PROMPT_VERSION

        return {
            "questions": {task: list(asked) for task, asked in self.questions.items()},
            "small": shaping(options),
            "budget": limits(options),
            "prompts": [prompting.VERSION, PROMPT_VERSION],
            "shown": self.pictures,
        }


def inquire(questions: Questions, dialogues: Iterable[Dialogue], root: Path) -> Inquiry:
    """Return what is to be asked of dialogues, whose pictures are relative to `root`."""
    from kdsl_cli.dialogues.pictures import relative
    from kdsl_cli.evidence.extract import find_pictures
    from kdsl_cli.evidence.showing import shown
    from kdsl_cli.runs.hashing import sha256_json

    concerned = [one for one in dialogues if one.task in questions]
    pictures = find_pictures(concerned, root)
    contents = sorted([relative(path, root), digest] for path, digest in pictures.digests.items())
    return Inquiry(
        questions,
        {task: tuple(one.id for one in concerned if one.task == task) for task in questions},
        shown(concerned, root, pictures),
        sha256_json(contents),
    )


def ask(inquiry: Inquiry, questioner: Questioner) -> str | None:
    """Ask everything, with a progress bar; return why it ended early if the budget did not hold all of it.

    Raises
    ------
    BackendError
        If the model can answer nothing at all.
    KeyboardInterrupt
        If it was stopped; what was answered is remembered, and the same command goes on.
    """
    from kdsl_cli.backends.budget import BudgetSpent
    from kdsl_cli.runs.signals import stopping

    output = current_output()
    sets = [
        (asked, [inquiry.shown[id] for id in inquiry.ids[task]]) for task, asked in inquiry.questions.items()
    ]
    total = sum(len(questioner.missing(questions, shown)) for questions, shown in sets)
    note = "stopping after the questions in work; Ctrl-C again stops at once"
    with (
        stopping(on_request=lambda: output.note(note)) as stop,
        output.progress("Asking the small model", total, "answers") as bar,
    ):

        def tell(done: int) -> None:
            bar.advance(done)
            stop.raise_if_requested()

        try:
            for questions, shown in sets:
                questioner.ask_many(questions, shown, tell)
        except BudgetSpent as spent:
            return f"{spent.problems[0].what}: what was not asked stays unknown"
    return None


def rows(inquiry: Inquiry, questioner: Questioner) -> list[Row]:
    """Return every answer, those that failed or were not asked included."""
    return [
        (id, question, answer)
        for task, asked in inquiry.questions.items()
        for question, answers in zip(
            asked, questioner.told(asked, [inquiry.shown[id] for id in inquiry.ids[task]]), strict=True
        )
        for id, answer in zip(inquiry.ids[task], answers, strict=True)
    ]
