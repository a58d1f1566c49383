"""Where text is looked for, and how much each place counts.

The features of a linear model share one penalty, so a weight says how readily the model leans on a place.
The weights were chosen by a few tries in cross-validation on some hundreds of shop dialogues and screens, one
set for both; values near them score alike. They belong to the schema of a saved model (`storage.SCHEMA`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kdsl_cli.logic.indexing import Indexed
from kdsl_cli.logic.leaves import haystack_lines
from kdsl_cli.logic.predicates import Region, TextField


@dataclass(frozen=True, slots=True)
class Place:
    """A text field or a screen region.

    Attributes
    ----------
    name
        Unique; names its arrays in a saved model.
    field
        A text field; None: the place is a `region`.
    region
        A region of the pictures.
    ngrams
        Weight of the n-grams found there.
    min_df
        Dialogues that an n-gram must occur in: misread characters are many and each of them is rare.
    synonyms, likeness
        Weight of counted synonyms, and of the likeness to the description of each intent. 0: not asked here.
    """

    name: str
    field: TextField | None = None
    region: Region = "all"
    ngrams: float = 1.0
    min_df: int = 1
    synonyms: float = 0.0
    likeness: float = 0.0


PLACES: Final = (
    Place("last_customer", "last_customer", synonyms=1.0, likeness=3.0),
    Place("customer", "customer", synonyms=1.0, likeness=3.0),
    Place("service", "service", ngrams=0.3),
    # A screen is full of words that name other intents: its counted synonyms say less than a customer's.
    Place("screen", min_df=2, synonyms=0.2, likeness=3.0),
    Place("screen-top", region="top", ngrams=0.5, min_df=2),
    Place("screen-bottom", region="bottom", ngrams=0.5, min_df=2),
)
"""Every place that is looked at, whatever the task: one that is empty in a task says nothing there."""


def text_at(place: Place, dialogue: Indexed) -> str:
    """Return the normalised text of a place, lines parted by line ends; empty if there is none."""
    found = dialogue.screens[place.region] if place.field is None else dialogue.texts[place.field]
    return "\n".join(haystack_lines(found))
