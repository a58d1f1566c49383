"""A rule file held against everything in `finding.LINTS`."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from kdsl_cli.errors import ConfigError, did_you_mean
from kdsl_cli.logic.linting.alone import found_in, unknown_intent
from kdsl_cli.logic.linting.finding import LINTS, UNKNOWN_INTENT, Finding
from kdsl_cli.logic.linting.on_dialogues import Sample, found_on
from kdsl_cli.logic.linting.places import Places
from kdsl_cli.logic.linting.together import found_among
from kdsl_cli.logic.rule import RuleBase


def lint(
    base: RuleBase, places: Places, *, intents: Collection[str] | None, sample: Sample | None
) -> tuple[Finding, ...]:
    """Return what is found and no comment lets pass, in the order of the file.

    Parameters
    ----------
    places
        Where everything stands in it (`places.places`).
    intents
        Of the catalogue. None: there is none to hold it against.
    sample
        Dialogues to hold it against. None: only the file is looked at.
    """
    found = (one for one in _all(base, intents, sample) if not places.passes(one))
    return tuple(sorted(found, key=lambda one: (places.line(one), one.lint.code)))


def chosen(words: Collection[str]) -> frozenset[str]:
    """Return the codes that words name, each a code (`R202`), a name (`subsumed`) or a start of codes (`R2`).

    Raises
    ------
    ConfigError
        If a word names none.

    Examples
    --------
    >>> sorted(chosen(["subsumed", "R10"]))[-2:]
    ['R109', 'R202']
    """
    found: set[str] = set()
    for word in words:
        codes = {code for code, lint in LINTS.items() if word == lint.name or code.startswith(word)}
        if not codes:
            known = [*LINTS, *(lint.name for lint in LINTS.values())]
            raise ConfigError(
                f"no lint is called '{word}'",
                allowed=", ".join(f"{code} {one.name}" for code, one in LINTS.items()),
                fix=did_you_mean(word, known),
            )
        found |= codes
    return frozenset(found)


def _all(base: RuleBase, intents: Collection[str] | None, sample: Sample | None) -> Iterator[Finding]:
    for rate in base.base_rates:
        if what := unknown_intent(rate.intent, intents):
            yield Finding(UNKNOWN_INTENT, None, rate.intent, what)
    for place, rule in enumerate(base.rules):
        yield from (Finding(one, place, key, what) for one, key, what in found_in(rule, intents))
    yield from found_among(base.rules)
    if sample is not None:
        yield from found_on(sample, base.rules)
