"""Whether two ways of asking give the same answers: two models, two servers, or one model in two batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log

from kdsl_cli.backends.backend import Failed, Scored


@dataclass(frozen=True, slots=True)
class Pair:
    """What both sides said of one prompt.

    Attributes
    ----------
    id
        Of what the prompt was about.
    choices
        The likeliest choice of either side. None: it failed, or told nothing.
    probabilities
        That choice's share among all choices, on either side; None as above.
    apart
        The largest difference of a choice's log-likelihoods, in nats; of the choices that both sides tell.
        None: there is none.
    apart_within
        The same once either side's likelihoods sum to 1 over the choices.
    error
        Why one side failed. None: neither did.
    """

    id: str
    choices: tuple[str | None, str | None]
    probabilities: tuple[float | None, float | None]
    apart: float | None
    apart_within: float | None
    error: str | None = None

    @property
    def agree(self) -> bool:
        """Whether both sides hold the same choice to be the likeliest."""
        first, second = self.choices
        return first is not None and first == second


def pairs(
    ids: Sequence[str],
    names: Sequence[str],
    first: Sequence[Scored | Failed],
    second: Sequence[Scored | Failed],
) -> list[Pair]:
    """Return what both sides said, prompt by prompt.

    Parameters
    ----------
    ids
        One a prompt.
    names
        The choices, in the order in which they were scored.
    first, second
        Answers of either side, one a prompt.
    """
    return [_pair(*row, names) for row in zip(ids, first, second, strict=True)]


def worst_first(found: Sequence[Pair]) -> list[Pair]:
    """Return pairs sorted: failed ones, then those that disagree, then by how far they are apart."""
    return sorted(
        found,
        key=lambda pair: (
            pair.error is None,
            pair.agree,
            -(inf if pair.apart_within is None else pair.apart_within),
            pair.id,
        ),
    )


def _pair(id: str, first: Scored | Failed, second: Scored | Failed, names: Sequence[str]) -> Pair:
    sides = (first, second)
    told = [{} if isinstance(side, Failed) else _told(side, names) for side in sides]
    best = [max(side, key=lambda name: side[name], default=None) for side in told]
    within = [_within(side) for side in told]
    shares = [None if name is None else exp(side[name]) for name, side in zip(best, within, strict=True)]
    errors = [side.reason for side in sides if isinstance(side, Failed)]
    return Pair(
        id,
        (best[0], best[1]),
        (shares[0], shares[1]),
        _apart(*told),
        _apart(*within),
        errors[0] if errors else None,
    )


def _told(scored: Scored, names: Sequence[str]) -> dict[str, float]:
    known = zip(names, scored.logprobs, strict=True)
    return {name: value for name, value in known if value is not None}


def _within(told: dict[str, float]) -> dict[str, float]:
    if not told:
        return {}
    top = max(told.values())
    total = top + log(sum(exp(value - top) for value in told.values()))
    return {name: value - total for name, value in told.items()}


def _apart(first: dict[str, float], second: dict[str, float]) -> float | None:
    return max((abs(first[name] - second[name]) for name in first.keys() & second.keys()), default=None)
