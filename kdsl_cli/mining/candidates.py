"""Candidate predicates: what a rule about this sample could be made of, with where each one holds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from kdsl_cli.dialogues.catalogue import Intent
from kdsl_cli.dialogues.normalise import normalise
from kdsl_cli.logic.conditions import AtLeast
from kdsl_cli.logic.features import FEATURES, KINDS
from kdsl_cli.logic.firing import leaf_column
from kdsl_cli.logic.indexing import Indexed
from kdsl_cli.logic.leaves import haystack_lines
from kdsl_cli.logic.predicates import (
    CountPredicate,
    ImagePredicate,
    OcrPredicate,
    Predicate,
    Region,
    TextField,
    TextPredicate,
)
from kdsl_cli.mining.phrases import closed_phrases
from kdsl_cli.mining.sample import Mask, mask_of

TEXT_FIELDS: Final[tuple[TextField, ...]] = ("last_customer", "customer", "service")
REGIONS: Final[tuple[Region, ...]] = ("all", "top", "bottom", "middle")
"""Where phrases are looked for. Of places in which a phrase holds for the same dialogues, the first is kept:
it promises least about the layout."""

QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)


Source = Literal["statistical", "model", "both"]
"""Who thought of a move or a draft: counting, the small model, or each of them."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A predicate and the dialogues in which it is true and in which it is false; the rest is unknown.

    In place of a predicate there may be a panel: at least so many of some answers (`proposers.panels`).
    `named` are the intents whose catalogue entry has the predicate's phrase: knowledge older than the sample.
    `source` is whose thought a move is that counting makes of it: an answer's is the model's too.
    """

    predicate: Predicate | AtLeast
    true: Mask
    false: Mask
    named: frozenset[str] = frozenset()
    source: Source = "statistical"


def candidates(
    dialogues: Sequence[Indexed], intents: Iterable[Intent] = (), *, min_support: int = 2
) -> tuple[Candidate, ...]:
    """Return all candidates of a sample: phrases by place, the catalogue's words, descriptors and counts.

    What holds everywhere or in fewer than `min_support` dialogues is left out, and of candidates that hold
    in the same dialogues only the first stays.

    Parameters
    ----------
    dialogues
        The sample's facts; bit i of the masks is ``dialogues[i]``.
    intents
        The catalogue's entries. Their names and synonyms are candidates even where they are not closed.
    min_support
        Fewest dialogues in which a candidate must hold.
    """
    everyone = (1 << len(dialogues)) - 1
    pictures = mask_of(bool(dialogue.facts.images) for dialogue in dialogues)
    entries = tuple(intents)
    found: dict[Mask, Candidate] = {}
    for candidate in [
        *_catalogue_words(dialogues, entries),
        *_text_phrases(dialogues, everyone, min_support),
        *(_ocr_phrases(dialogues, everyone, min_support) if pictures else ()),
        *(_descriptors(dialogues) if pictures else ()),
        *_counts(dialogues),
    ]:
        if candidate.true.bit_count() >= min_support and candidate.true != everyone:
            found.setdefault(candidate.true, candidate)
    return tuple(found.values())


def judged(predicate: Predicate, dialogues: Sequence[Indexed]) -> Candidate:
    """Return a predicate with the masks that matching itself gives."""
    column = leaf_column(predicate, dialogues)
    return Candidate(predicate, mask_of(column == 1), mask_of(column == 0))


def _text_phrases(dialogues: Sequence[Indexed], everyone: Mask, min_support: int) -> Iterator[Candidate]:
    for field in TEXT_FIELDS:
        lines = [haystack_lines(dialogue.texts[field]) for dialogue in dialogues]
        for phrase, true in closed_phrases(lines, min_support=min_support).items():
            yield Candidate(TextPredicate(field, "contains", (phrase,)), true, everyone & ~true)


def _ocr_phrases(dialogues: Sequence[Indexed], everyone: Mask, min_support: int) -> Iterator[Candidate]:
    unread = mask_of(dialogue.unread for dialogue in dialogues)
    for region in REGIONS:
        lines = [haystack_lines(dialogue.screens[region]) for dialogue in dialogues]
        for phrase, true in closed_phrases(lines, min_support=min_support).items():
            yield Candidate(OcrPredicate("contains", (phrase,), region), true, everyone & ~true & ~unread)


def _catalogue_words(dialogues: Sequence[Indexed], intents: Sequence[Intent]) -> Iterator[Candidate]:
    """Yield the words by which the catalogue calls its intents, one by one and all of an intent together."""
    named: dict[str, set[str]] = {}
    groups: list[tuple[str, ...]] = []
    for intent in intents:
        words = tuple(dict.fromkeys(w for w in map(normalise, (intent.name, *intent.synonyms)) if w.strip()))
        groups.append(words)
        for word in words:
            named.setdefault(word, set()).add(intent.name)
    for intent, words in zip(intents, groups, strict=True):
        for predicate in _places("contains_any", words) if len(words) > 1 else ():
            yield _with_names(judged(predicate, dialogues), {intent.name})
    for word, names in named.items():
        for predicate in _places("contains", (word,)):
            yield _with_names(judged(predicate, dialogues), names)


def _places(verb: str, words: tuple[str, ...]) -> Iterator[Predicate]:
    for field in TEXT_FIELDS[:2]:
        yield TextPredicate(field, verb, words)  # type: ignore[arg-type]
    for region in REGIONS[:2]:
        yield OcrPredicate(verb, words, region)  # type: ignore[arg-type]


def _with_names(candidate: Candidate, names: Iterable[str]) -> Candidate:
    return Candidate(candidate.predicate, candidate.true, candidate.false, frozenset(names))


def _descriptors(dialogues: Sequence[Indexed]) -> Iterator[Candidate]:
    for kind in KINDS:
        yield judged(ImagePredicate("kind", "is", kind), dialogues)
    for name in FEATURES:
        values = [
            value
            for dialogue in dialogues
            for image in dialogue.facts.images
            if math.isfinite(value := image.features.get(name, math.nan))
        ]
        if name == "line_count":
            values = [float(count) for dialogue in dialogues for count in dialogue.line_counts.values()]
        for bound in _bounds(values):
            yield judged(ImagePredicate(name, "gte", bound), dialogues)
            yield judged(ImagePredicate(name, "lte", bound), dialogues)


def _bounds(values: Sequence[float]) -> list[float]:
    """Return the quantiles of what was measured, to three digits: a person has to read them."""
    if len(set(values)) < 2:
        return []
    return sorted({float(f"{bound:.3g}") for bound in np.quantile(np.array(values), QUANTILES)})


def _counts(dialogues: Sequence[Indexed]) -> Iterator[Candidate]:
    for n in (2, 3, 4):
        yield judged(CountPredicate("customer_turns", "gte", n), dialogues)
    yield judged(CountPredicate("images", "gte", 2), dialogues)
    yield judged(CountPredicate("links", "gte", 1), dialogues)
