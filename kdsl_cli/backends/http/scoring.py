"""Scoring a closed set of answers by the best that a server offers, which is found out by trying.

1. `Likelihood`: log-probabilities of the prompt's tokens, of which the choice is made a part.
2. `Constrained`, telling: the model is held to the choices, and the tokens it might have written tell how
   likely it held the others.
3. `Constrained`, not telling, or `Plain`: the model answers, and the answer is all there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kdsl_cli.backends.backend import Scored
from kdsl_cli.backends.http.constrained import UNSAID, Plain, held
from kdsl_cli.backends.http.likelihood import Likelihood
from kdsl_cli.backends.http.refusals import NoAnswer
from kdsl_cli.backends.http.requests import Message
from kdsl_cli.backends.http.responses import Ask


class Way(Protocol):
    """How a server scores choices."""

    async def learn(self, ask: Ask, choices: Sequence[str]) -> None:
        """Ask what must be known of `choices` before prompts are scored side by side."""
        ...

    async def score(self, ask: Ask, messages: Sequence[Message], choices: Sequence[str]) -> Scored:
        """Return the scores of one prompt.

        Raises
        ------
        NoAnswer
            If there are none.
        """
        ...


async def find_way(ask: Ask) -> Way:
    """Return the best way that a server offers.

    Raises
    ------
    NoAnswer
        If the server does not answer for now: a lesser way must not be taken for that.
    """
    likelihood = Likelihood()
    try:
        await likelihood.learn(ask, UNSAID)
    except NoAnswer as error:
        if not error.refused:
            raise
        return await held(ask, tells=True) or await held(ask, tells=False) or Plain()
    return likelihood
