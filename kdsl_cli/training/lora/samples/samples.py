"""Samples to tune on: a dialogue, the intents it is judged by, and which of them is right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kdsl_cli.dialogues.catalogue import Task
from kdsl_cli.dialogues.prompting import Choice, Picture, Prompt, intent_prompt
from kdsl_cli.dialogues.schema import Dialogue
from kdsl_cli.evidence.extract import find_pictures
from kdsl_cli.training.lora.samples.retouching import Retouch


@dataclass(frozen=True, slots=True)
class View:
    """How samples are shown.

    Attributes
    ----------
    pictures
        By the names that dialogues call them.
    described
        Whether descriptions stand behind the intents' names.
    """

    pictures: Mapping[str, Picture]
    described: bool = True


@dataclass(frozen=True, slots=True)
class Sample:
    """One dialogue as a model is tuned on it, or asked for its scores.

    Attributes
    ----------
    dialogue
        Its own label is not looked at.
    choices
        All intents of its task, in the order in which they are listed in the prompt.
    label
        The place of the right one in `choices`. None: unknown.
    notes
        Sentences about the dialogue that are shown with it.
    reason
        What the model is to say before the intent's name, in one line; empty: the name alone.
    retouch
        What is done to its pictures. None: they are shown as they are.
    """

    dialogue: Dialogue
    choices: tuple[Choice, ...]
    label: int | None = None
    notes: tuple[str, ...] = ()
    reason: str = ""
    retouch: Retouch | None = None

    @property
    def id(self) -> str:
        """The dialogue's."""
        return self.dialogue.id

    @property
    def task(self) -> str:
        """The dialogue's."""
        return self.dialogue.task

    def prompt(self, view: View) -> Prompt:
        """Return what the model is asked: in training to the byte what it is asked in prediction."""
        return intent_prompt(
            self.dialogue,
            self.choices,
            view.pictures.__getitem__,
            described=view.described,
            notes=self.notes,
            reasoned=bool(self.reason),
        )

    @property
    def right(self) -> Choice:
        """The right intent.

        Raises
        ------
        ValueError
            If it is not known.
        """
        if self.label is None:
            raise ValueError(f"{self.id} has no label")
        return self.choices[self.label]

    @property
    def completion(self) -> str:
        """What the model is to answer: the right intent's name, behind the reason where there is one.

        Raises
        ------
        ValueError
            If the right intent is not known.
        """
        return f"{self.reason}\n{self.right.name}" if self.reason else self.right.name


def sample_of(dialogue: Dialogue, task: Task, notes: tuple[str, ...] = ()) -> Sample:
    """Return a dialogue of `task` as a sample, intents in the catalogue's order.

    Raises
    ------
    DatasetError
        If the task has no intent of the dialogue's label.

    Examples
    --------
    >>> from kdsl_cli.dialogues.catalogue import Intent
    >>> pages = Task("pages", (Intent("home"), Intent("refund")))
    >>> sample_of(Dialogue("a", "pages", (), label="refund"), pages).completion
    'refund'
    """
    label = None if dialogue.label is None else task.intents.index(task.intent(dialogue.label))
    return Sample(dialogue, choices_of(task), label, notes)


def choices_of(task: Task) -> tuple[Choice, ...]:
    """Return the intents of a task as they are offered, in the catalogue's order."""
    return tuple(Choice(intent.name, intent.description) for intent in task.intents)


def view_of(dialogues: Iterable[Dialogue], root: Path, *, described: bool) -> View:
    """Return how dialogues are shown whose pictures lie under `root`.

    Pictures are hashed and not opened. A missing file is found out where it is shown, and is a
    `kdsl_cli.backends.pictures.PictureError` there.
    """
    known = list(dialogues)
    digests = find_pictures(known, root).digests
    names = {name for dialogue in known for name in dialogue.images}
    pictures = {name: Picture(root / name, digests.get(root / name, "")) for name in sorted(names)}
    return View(pictures, described)
