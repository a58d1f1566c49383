"""What a server's errors mean: this request again, another request, or none at all."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from kdsl_cli.errors import BackendError

if TYPE_CHECKING:
    import httpx

KEYS: Final = ("KDSL_API_KEY", "OPENAI_API_KEY")
"""Variables of the environment that may hold the key; the first that is set counts."""

_AGAIN: Final = frozenset({408, 429, 500, 502, 503, 504})
_TOO_LONG: Final = re.compile(r"context[ _](length|window)|maximum model length|prompt is too long", re.I)


class NoAnswer(Exception):
    """A request that was not answered.

    Attributes
    ----------
    reason
        Why; holds no key.
    retryable
        Whether the same request may be answered later.
    refused
        Whether the server does not do what the request asks for; another request may be answered.
    after
        Seconds for which the server asks to be left alone. None: it does not say.
    """

    def __init__(
        self, reason: str, *, retryable: bool, refused: bool = False, after: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable
        self.refused = refused
        self.after = after


class Unreachable(NoAnswer):
    """Nobody listens at the address."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, retryable=True)


def refusal(
    response: httpx.Response, *, where: str, asked: str, safe: Callable[[str], str], keyed: bool
) -> NoAnswer | BackendError:
    """Return the error that a server's answer is: of this request, or of all.

    Parameters
    ----------
    where
        Address of the server.
    asked
        What it was asked for.
    safe
        Makes a text of the server's fit to be shown.
    keyed
        Whether a key was sent.
    """
    status = response.status_code
    if status in (401, 403):
        # The server's own words may quote the key in part.
        what = "refuses the key" if keyed else "asks for a key"
        return BackendError(f"{what} (HTTP {status})", where=where, fix=f"Set {KEYS[0]} in the environment")
    said = safe(_message(response))
    if status == 404:
        fix = "The address ends where the protocol begins, mostly in /v1, and names a model it serves"
        return BackendError(f"knows no {asked}, or not this model: {said}", where=where, fix=fix)
    if status in _AGAIN:
        return NoAnswer(f"HTTP {status}: {said}", retryable=True, after=_retry_after(response))
    if status < 500 and _TOO_LONG.search(said):
        said += " Lower max_pixels, or show fewer or shorter dialogues in a prompt."
        return NoAnswer(f"longer than the model reads: {said}", retryable=False)
    return NoAnswer(f"HTTP {status}: {said}", retryable=False, refused=True)


def _message(response: httpx.Response) -> str:
    """Return what a server says of its error, in whichever of the usual places."""
    try:
        body = response.json()
    except ValueError:
        return response.text
    said = body.get("error") or body.get("detail") or body.get("message") if isinstance(body, dict) else body
    if isinstance(said, dict):
        said = said.get("message") or said
    return str(said)


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that ``Retry-After`` asks for: a number or a date (RFC 9110, 10.2.3)."""
    value = response.headers.get("Retry-After", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds)
