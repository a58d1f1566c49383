"""What a model is shown: the bytes of a prompt, the same wherever a dialogue is put before a model.

Pictures stand first where the order is ours to choose, and what changes from question to question stands
last, so that prompts about one dialogue share their beginning: prefix caches live on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kdsl_cli.dialogues.schema import IMAGE_MARK, Dialogue

VERSION: Final = "1"
"""Of everything in this module that shapes a prompt; part of every cache key."""


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
