"""The dialogue: what a customer and a service said and sent, and what it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["customer", "service", "system"]

IMAGE_MARK = "<image>"
"""Stands in a turn's text where a picture was sent; as many marks as pictures, or none at all."""

LINK_MARK = "<http>"
"""Stands in a turn's text where a link was sent."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message.

    Attributes
    ----------
    role
        Who sent it.
    text
        What was written, with `IMAGE_MARK` where a picture stood and `LINK_MARK` for a link.
        Empty when only pictures were sent.
    images
        Paths of the pictures, relative to the folder of the data file, in the order sent.
    """

    role: Role
    text: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One sample. A picture sent alone is a dialogue of one turn.

    Attributes
    ----------
    id
        Unique in a data set.
    task
        Name of the closed set of intents that this dialogue is judged by.
    turns
        In the order they were sent; at least one.
    group
        Dialogues of one group (a customer, a shop) never part between splits. None: a group of its own.
    label
        Name of the intent. None: unknown, which is not an intent of its own.
    """

    id: str
    task: str
    turns: tuple[Turn, ...]
    group: str | None = None
    label: str | None = None

    @property
    def images(self) -> tuple[str, ...]:
        """All pictures, in the order sent.

        Examples
        --------
        >>> Dialogue("a", "t", (Turn("customer", "<image>这是什么", ("1.png",)), Turn("service", ""))).images
        ('1.png',)
        """
        return tuple(image for turn in self.turns for image in turn.images)
