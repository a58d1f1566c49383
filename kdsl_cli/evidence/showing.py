"""Dialogues as a model is shown them, their pictures named by content."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kdsl_cli.dialogues.prompting import Picture, dialogue_parts
from kdsl_cli.dialogues.schema import Dialogue
from kdsl_cli.evidence.extract import Pictures
from kdsl_cli.evidence.questions import Shown


def shown(dialogues: Iterable[Dialogue], root: Path, pictures: Pictures) -> dict[str, Shown]:
    """Return each dialogue as a model is shown it, by id; None if one of its pictures cannot be opened.

    A dialogue without a picture that it speaks of is another dialogue, so none is shown in part.

    Parameters
    ----------
    root
        What the names of pictures are relative to.
    pictures
        Of these dialogues at least, from `evidence.extract.find_pictures`.
    """

    def picture(name: str) -> Picture:
        return Picture(root / name, pictures.digests[root / name])

    return {
        dialogue.id: None
        if any(root / name in pictures.missing for name in dialogue.images)
        else dialogue_parts(dialogue, picture)
        for dialogue in dialogues
    }
