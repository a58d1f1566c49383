"""Predicates: the leaves of a condition, each answered true, false or unknown by the facts of a dialogue."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, get_args

from kdsl_cli.logic.features import FEATURES, KINDS

TextField = Literal["last_customer", "first_customer", "customer", "service", "any"]
Region = Literal["all", "top", "middle", "bottom", "upper", "lower", "left", "right", "center"]
Verb = Literal[
    "contains",
    "contains_any",
    "contains_all",
    "equals",
    "equals_any",
    "startswith",
    "endswith",
    "regex",
]
Countable = Literal["customer_turns", "service_turns", "turns", "images", "links", "ocr_lines"]
Comparison = Literal["gte", "lte", "between"]

TEXT_FIELDS: Final[tuple[TextField, ...]] = get_args(TextField)
REGIONS: Final[tuple[Region, ...]] = get_args(Region)
VERBS: Final[tuple[Verb, ...]] = get_args(Verb)
LIST_VERBS: Final[frozenset[Verb]] = frozenset({"contains_any", "contains_all", "equals_any"})
COUNTABLES: Final[tuple[Countable, ...]] = get_args(Countable)


@dataclass(frozen=True, slots=True)
class TextPredicate:
    """A phrase in the written turns.

    Attributes
    ----------
    field
        Which turns are looked at. `last_customer` and `first_customer` are the last and the first turn in
        which the customer wrote something: a picture sent alone after a question does not hide the question.
    op
        `contains*` and `regex` look inside one turn; `equals*`, `startswith` and `endswith` are about a whole
        turn without outer blanks.
    values
        Phrases as a person wrote them, normalised for matching only. One, unless the verb takes a list.

    Examples
    --------
    >>> TextPredicate("last_customer", "contains", ("退货",)).values
    ('退货',)
    """

    field: TextField
    op: Verb
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_phrases(self.op, self.values)


@dataclass(frozen=True, slots=True)
class OcrPredicate:
    """A phrase in one line of text read in a picture, anywhere or in one region of the screen.

    `region` is told by the line's centre: top is the upper fifth, bottom the lower fifth, middle what is
    between; upper and lower are halves; left, center and right are thirds.
    """

    op: Verb
    values: tuple[str, ...]
    region: Region = "all"

    def __post_init__(self) -> None:
        _check_phrases(self.op, self.values)


@dataclass(frozen=True, slots=True)
class ImagePredicate:
    """A picture of this kind, or with a descriptor within bounds (bounds are included).

    Attributes
    ----------
    feature
        "kind", or a name of `features.FEATURES`.
    op
        "is" for the kind; "gte", "lte" or "between" for a descriptor.
    value
        A kind, a bound, or for "between" the two bounds. One picture must meet both.

    Examples
    --------
    >>> ImagePredicate("line_count", "between", (3, 20)).bounds
    (3, 20)
    >>> ImagePredicate("kind", "is", "photo").value
    'photo'
    """

    feature: str
    op: Literal["is", "gte", "lte", "between"]
    value: str | float | tuple[float, float]

    def __post_init__(self) -> None:
        if self.feature == "kind":
            if self.op != "is" or self.value not in KINDS:
                raise ValueError(f"kind is one of {', '.join(KINDS)}, not {self.op} {self.value!r}")
        elif self.feature not in FEATURES:
            raise ValueError(f"unknown descriptor {self.feature!r}; known: {', '.join(FEATURES)}")
        else:
            _check_bounds(self.op, self.value)

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest value that meet the predicate, infinite where it sets none."""
        return _bounds(self.op, self.value)


@dataclass(frozen=True, slots=True)
class CountPredicate:
    """How many turns, pictures, links or read lines a dialogue has; bounds are included.

    `value` is one bound, or for "between" two. Empty turns count.
    """

    of: Countable
    op: Comparison
    value: int | tuple[int, int]

    def __post_init__(self) -> None:
        _check_bounds(self.op, self.value)

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest count that meet the predicate, infinite where it sets none."""
        return _bounds(self.op, self.value)


@dataclass(frozen=True, slots=True)
class AnswerPredicate:
    """A model's answer to a question about the dialogue: `is_` True wants a yes, False a no.

    A question that was not asked, or not answered, leaves it unknown.
    """

    question: str
    is_: bool

    def __post_init__(self) -> None:
        if not self.question.strip():
            raise ValueError("a question must not be blank")


Predicate = TextPredicate | OcrPredicate | ImagePredicate | CountPredicate | AnswerPredicate


def _check_phrases(op: Verb, values: tuple[str, ...]) -> None:
    if not values or any(not value.strip() for value in values):
        raise ValueError(f"{op} needs at least one phrase, and none of them blank")
    if op not in LIST_VERBS and len(values) != 1:
        raise ValueError(f"{op} takes one phrase, not {len(values)}")
    # NUL parts one line from the next in the index; a phrase that held it could span lines.
    if any("\0" in value for value in values):
        raise ValueError("a phrase must not hold a NUL character")


def _check_bounds(op: str, value: object) -> None:
    numbers = value if isinstance(value, tuple) else (value,)
    wanted = {"gte": 1, "lte": 1, "between": 2}.get(op)
    if wanted is None:
        raise ValueError(f"unknown comparison {op!r}; known: gte, lte, between")
    if len(numbers) != wanted or (op == "between") != isinstance(value, tuple):
        raise ValueError(f"{op} takes {wanted} number(s), not {value!r}")
    if not all(isinstance(n, int | float) and not isinstance(n, bool) and math.isfinite(n) for n in numbers):
        raise ValueError(f"a bound must be a finite number, not {value!r}")
    if op == "between" and numbers[0] > numbers[1]:
        raise ValueError(f"the lower bound {numbers[0]} is above the upper bound {numbers[1]}")


def _bounds(op: str, value: str | float | tuple[float, float]) -> tuple[float, float]:
    if isinstance(value, tuple):
        return value
    if isinstance(value, str):
        raise ValueError("a kind has no bounds")
    return (value, math.inf) if op == "gte" else (-math.inf, value)
