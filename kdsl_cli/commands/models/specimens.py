"""A few dialogues of a split as prompts for their intents, for checks that compare answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl_cli.errors import StageError

if TYPE_CHECKING:
    from kdsl_cli.backends.agreement import Pair
    from kdsl_cli.backends.backend import Backend, Failed, Scored
    from kdsl_cli.commands.workspace.layout import Workspace
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.dialogues.prompting import Choice, Prompt
    from kdsl_cli.dialogues.schema import Dialogue
    from kdsl_cli.training.lora.answers.record import TunedRecord


@dataclass(frozen=True, slots=True)
class Specimens:
    """Dialogues of one task: `names` are the intents that each of the `prompts` is scored by."""

    task: str
    names: tuple[str, ...]
    ids: tuple[str, ...]
    prompts: tuple[Prompt, ...]


Answers = dict[str, "list[Scored | Failed]"]
"""By task, one a prompt."""


def specimens(
    space: Workspace, settings: Settings, split: str, n: int, record: TunedRecord | None
) -> list[Specimens]:
    """Return about `n` dialogues of a split, spread over it, as prompts.

    Parameters
    ----------
    record
        Of the model whose prompts they are. None: prompts as the catalogue gives them, with descriptions.

    Raises
    ------
    StageError
        If the split was not drawn, or has no dialogue of a known task.
    """
    from kdsl_cli.commands.workspace.splits import dialogues_in, picture_root

    path = space.split_dialogues(split)
    if not path.is_file():
        raise StageError("no such file", where=str(path), fix="Run: kdsl data split")
    choices = _choices(space.path(settings.data.catalogue), record)
    known = [one for one in dialogues_in(path) if one.task in choices]
    if not known:
        raise StageError("no dialogue of a task that is known", where=str(path), allowed=", ".join(choices))
    spread = [known[place * len(known) // min(n, len(known))] for place in range(min(n, len(known)))]
    found = [
        _of_task(
            task, offered, [one for one in spread if one.task == task], picture_root(space, settings), record
        )
        for task, offered in choices.items()
    ]
    return [one for one in found if one.ids]


def answers(
    backend: Backend, asked: Sequence[Specimens], tell: Callable[[float], None] = lambda done: None
) -> Answers:
    """Return what a model says to all of them, asked together."""
    told: Answers = {}
    for one in asked:
        told[one.task] = backend.score(one.prompts, one.names)
        tell(len(one.ids))
    return told


def one_by_one(
    backend: Backend, asked: Sequence[Specimens], tell: Callable[[float], None] = lambda done: None
) -> Answers:
    """Return what a model says to each of them, asked alone."""
    told: Answers = {}
    for one in asked:
        told[one.task] = []
        for prompt in one.prompts:
            told[one.task] += backend.score([prompt], one.names)
            tell(1)
    return told


def compared(asked: Sequence[Specimens], first: Answers, second: Answers) -> list[Pair]:
    """Return both answers to each of them, side by side."""
    from kdsl_cli.backends.agreement import pairs

    return [pair for one in asked for pair in pairs(one.ids, one.names, first[one.task], second[one.task])]


def _choices(catalogue: Path, record: TunedRecord | None) -> dict[str, tuple[Choice, ...]]:
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.training.lora.samples.samples import choices_of

    if record is not None:
        return {task.name: task.choices for task in record.tasks}
    return {task.name: choices_of(task) for task in Catalogue.load(catalogue).tasks}


def _of_task(
    task: str,
    choices: Sequence[Choice],
    dialogues: Sequence[Dialogue],
    root: Path,
    record: TunedRecord | None,
) -> Specimens:
    from kdsl_cli.dialogues.prompting import intent_prompt
    from kdsl_cli.training.lora.samples.samples import view_of

    described = record is None or record.described
    pictures = view_of(dialogues, root, described=described).pictures
    prompts = tuple(
        intent_prompt(one, choices, pictures.__getitem__, described=described) for one in dialogues
    )
    return Specimens(task, tuple(one.name for one in choices), tuple(one.id for one in dialogues), prompts)
