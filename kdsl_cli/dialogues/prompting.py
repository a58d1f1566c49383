"""What a model is shown: the bytes of a prompt, the same wherever a dialogue is put before a model.

Pictures stand first where the order is ours to choose, and what many prompts share stands first: before
questions about one dialogue stands the dialogue, before dialogues of one task stand the intents of the task.
Prefix caches live on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kdsl_cli.dialogues.schema import IMAGE_MARK, Dialogue

VERSION: Final = "1"
"""Of everything in this module that shapes a prompt; part of every cache key."""

INTENT_VERSION: Final = "1"
"""Of `intent_prompt` alone: a model tuned on one version is asked in no other."""

_ASKED: Final = "Answer with the name of one intent."
_REASONED: Final = "Say why in one sentence. Then, on a line of its own, answer with the name of one intent."


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in a prompt: where its file is, and the SHA-256 of the file's bytes, which is what it is."""

    path: Path
    sha256: str


Part = str | Picture


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request to a model.

    Attributes
    ----------
    system
        Instruction that stands before the conversation; empty: none.
    parts
        The user's turn: text and pictures in order.
    """

    system: str
    parts: tuple[Part, ...]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures in order."""
        return tuple(part for part in self.parts if isinstance(part, Picture))

    def content(self) -> list[str]:
        """Return everything that shapes the prompt as plain strings, for a cache key; paths do not matter."""
        shown = [
            f"picture {part.sha256}" if isinstance(part, Picture) else f"text {part}" for part in self.parts
        ]
        return [VERSION, self.system, *shown]

    def preview(self) -> str:
        """Return the prompt as a person reads it, pictures by name."""
        shown = [f"[picture {part.path.name}]" if isinstance(part, Picture) else part for part in self.parts]
        return "\n".join([*([f"SYSTEM: {self.system}"] if self.system else []), *shown])


@dataclass(frozen=True, slots=True)
class Choice:
    """An intent as it is offered to a model. `description` is None when nobody wrote one."""

    name: str
    description: str | None = None


def intent_prompt(
    dialogue: Dialogue,
    choices: Sequence[Choice],
    picture: Callable[[str], Picture],
    *,
    described: bool,
    notes: Sequence[str] = (),
    reasoned: bool = False,
) -> Prompt:
    """Return what a model is asked for a dialogue's intent; the answer is the name of a choice and no more.

    Parameters
    ----------
    dialogue
        The sample; its label is never shown.
    choices
        All intents of the task, in the order in which they are listed.
    picture
        Finds a picture by the name the dialogue calls it.
    described
        Whether descriptions stand behind the names.
    notes
        Sentences about this dialogue that are shown behind it.
    reasoned
        Whether a sentence with the reason is to stand before the name, on a line of its own.

    Examples
    --------
    >>> from kdsl_cli.dialogues.schema import Turn
    >>> dialogue = Dialogue("a", "pages", (Turn("customer", "这是？", ("1.png",)),))
    >>> offered = (Choice("home", "The first  page"), Choice("refund"))
    >>> prompt = intent_prompt(dialogue, offered, lambda name: Picture(Path(name), "ab12"), described=True)
    >>> print(prompt.preview())
    SYSTEM: You are shown a dialogue between a customer and a service, or one picture that was sent.
    The intents of the task "pages" are:
    - home: The first page
    - refund
    Exactly one of them fits.
    customer:
    [picture 1.png]
    这是？
    Answer with the name of one intent.
    """
    # Each line of the list ends alike, so that the same list in another order has as many tokens.
    listed = "".join(f"- {_offered(choice, described)}\n" for choice in choices)
    system = (
        "You are shown a dialogue between a customer and a service, or one picture that was sent.\n"
        f'The intents of the task "{dialogue.task}" are:\n{listed}Exactly one of them fits.'
    )
    known = ("\n".join(["Known about it:", *(f"- {note}" for note in notes)]),) if notes else ()
    return Prompt(system, (*dialogue_parts(dialogue, picture), *known, _REASONED if reasoned else _ASKED))


def _offered(choice: Choice, described: bool) -> str:
    text = " ".join((choice.description or "").split())
    return f"{choice.name}: {text}" if described and text else choice.name


def dialogue_parts(dialogue: Dialogue, picture: Callable[[str], Picture]) -> tuple[Part, ...]:
    """Return a dialogue as a model is shown it: each turn after its role, each picture where it stood.

    Parameters
    ----------
    dialogue
        The sample; its label is never shown.
    picture
        Finds a picture by the name the dialogue calls it.

    Examples
    --------
    >>> from kdsl_cli.dialogues.schema import Turn
    >>> turns = Turn("customer", "看<image>这个", ("1.png",)), Turn("service", "好的", ())
    >>> parts = dialogue_parts(Dialogue("a", "t", turns), lambda name: Picture(Path(name), "ab12"))
    >>> print(Prompt("", parts).preview())
    customer:
    看
    [picture 1.png]
    这个
    service:
    好的
    """
    parts: list[Part] = []
    for turn in dialogue.turns:
        pictures = [picture(name) for name in turn.images]
        # Without marks in the text, pictures precede it (`schema.Turn`).
        marked = IMAGE_MARK in turn.text
        pieces = turn.text.split(IMAGE_MARK) if marked else [*([""] * len(pictures)), turn.text]
        parts.append(f"{turn.role}:")
        for place, piece in enumerate(pieces):
            if piece.strip():
                parts.append(piece.strip())
            if place < len(pictures):
                parts.append(pictures[place])
    return tuple(parts)
