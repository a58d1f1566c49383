"""One server: how it is asked, and how often.

The key comes from the environment alone. It is kept in the client's headers and for one more purpose: to
strike it from whatever a server says, before that reaches a message or a log.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from kdsl_cli import extras
from kdsl_cli.backends.http.refusals import KEYS, NoAnswer, Unreachable, refusal
from kdsl_cli.errors import BackendError

if TYPE_CHECKING:
    import httpx

# Each wait is logged as a warning, which Python would print in the midst of a progress bar.
logging.getLogger("stamina").addHandler(logging.NullHandler())

Read = TypeVar("Read")

_SENDABLE: Final = re.compile("[!-~]+")
_MOST_SAID: Final = 300  # characters of a server's message that are passed on


@dataclass(frozen=True, slots=True)
class Patience:
    """How a request is asked again.

    Attributes
    ----------
    attempts
        How often it is asked, at most.
    first_s, longest_s, jitter_s
        Seconds before the second attempt, doubled each time up to `longest_s`; up to `jitter_s` are added by
        chance, so that requests that failed together do not come back together. A server that asks for
        a longer wait than `longest_s` is not waited for.
    """

    attempts: int = 6
    first_s: float = 0.5
    longest_s: float = 60.0
    jitter_s: float = 0.5


class Connection:
    """Requests to one server, each asked again while that makes sense.

    Parameters
    ----------
    url
        Base of the protocol, without a slash at its end.
    concurrency
        Connections open at once.
    timeout_s
        Seconds from a request to the end of its answer.
    patience
        How a request is asked again.

    Raises
    ------
    BackendError
        If the address is none, or the key in the environment cannot be one.
    MissingExtra
        Without httpx and stamina.
    """

    def __init__(self, url: str, *, concurrency: int, timeout_s: float, patience: Patience) -> None:
        client = extras.require("httpx", extra="http", feature="a model behind a server")
        extras.require("stamina", extra="http", feature="a model behind a server")
        parts = urlsplit(url)
        if parts.username or parts.password or parts.query:
            raise BackendError(
                f"the address of the server {parts.hostname} holds more than host, port and path",
                fix=f"Leave out what stands before '@' and behind '?'; a key belongs into {KEYS[0]}",
            )
        self.url = url
        self._timeout_s = timeout_s
        self._patience = patience
        self._key = _key()
        limits = client.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        try:
            self._client: httpx.AsyncClient = client.AsyncClient(
                base_url=url, limits=limits, timeout=client.Timeout(timeout_s, pool=None)
            )
        except client.InvalidURL as error:
            raise BackendError(f"'{url}' is not an address: {error}") from None
        if self._key:
            self._client.headers["Authorization"] = f"Bearer {self._key}"

    async def get(self, path: str, read: Callable[[bytes], Read]) -> Read:
        """Return what `read` makes of the answer's body; the rest is as in `post`."""
        return await self._patiently("GET", path, None, read)

    async def post(self, path: str, body: Mapping[str, Any], read: Callable[[bytes], Read]) -> Read:
        """Send `body` as JSON and return what `read` makes of the answer's body.

        Parameters
        ----------
        read
            Raises ValueError if the body is not what it should be; then the request is asked again.

        Raises
        ------
        NoAnswer
            If this request is not answered, after all attempts.
        BackendError
            If none would be: nobody listens, the key is refused, there is no such model or path.
        """
        return await self._patiently("POST", path, body, read)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _patiently(
        self, method: str, path: str, body: Mapping[str, Any] | None, read: Callable[[bytes], Read]
    ) -> Read:
        import stamina

        # As a context and not around a function, so that no hook of stamina's sees the body.
        again = stamina.retry_context(
            on=self._again,
            attempts=self._patience.attempts,
            timeout=None,
            wait_initial=self._patience.first_s,
            wait_max=self._patience.longest_s,
            wait_jitter=self._patience.jitter_s,
        )
        try:
            async for attempt in again:
                with attempt:
                    return await self._once(method, path, body, read)
        except Unreachable as error:
            raise BackendError(
                f"cannot be reached: {error.reason}",
                where=self.url,
                fix="Start the server, or correct the address in the spec",
                retryable=True,
            ) from None
        raise AssertionError("unreachable: every attempt returns or raises")

    def _again(self, error: Exception) -> bool | float:
        if not isinstance(error, NoAnswer) or not error.retryable:
            return False
        if error.after is None:
            return True
        return error.after if error.after <= self._patience.longest_s else False

    async def _once(
        self, method: str, path: str, body: Mapping[str, Any] | None, read: Callable[[bytes], Read]
    ) -> Read:
        import httpx

        # What httpx raises is never chained or quoted: it holds the request, and the request the key.
        try:
            async with asyncio.timeout(self._timeout_s):  # httpx counts between two reads only
                response = await self._client.request(method, path, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unreachable(self._safe(str(error)) or "no connection") from None
        except (TimeoutError, httpx.TimeoutException):
            raise NoAnswer(f"no answer within {self._timeout_s:g} s", retryable=True) from None
        except httpx.HTTPError as error:
            raise NoAnswer(f"the connection was lost ({type(error).__name__})", retryable=True) from None
        if response.status_code != httpx.codes.OK:
            raise refusal(response, where=self.url, asked=path, safe=self._safe, keyed=bool(self._key))
        try:
            return read(response.content)
        except ValueError:
            raise NoAnswer("the answer is malformed", retryable=True) from None

    def _safe(self, text: str) -> str:
        """Return `text` on one line, not too long, and without the key."""
        if self._key:
            text = text.replace(self._key, "***")
        return " ".join(text.split())[:_MOST_SAID]


def _key() -> str | None:
    # The key itself never becomes a local variable of a function that raises.
    name = next((name for name in KEYS if os.environ.get(name, "").strip()), None)
    if name is None:
        return None
    if not _SENDABLE.fullmatch(os.environ[name].strip()):
        raise BackendError(
            f"the environment's {name} holds characters that no key has", fix=f"Set {name} again"
        )
    return os.environ[name].strip()
