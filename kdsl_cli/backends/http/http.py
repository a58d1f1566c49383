"""A model behind a server: many requests under way at once, answers in the order of the prompts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from kdsl_cli.backends.backend import Backend, Failed, Generated, Sampling, Scored
from kdsl_cli.backends.http.connection import Connection, Patience
from kdsl_cli.backends.http.refusals import NoAnswer
from kdsl_cli.backends.http.requests import Message, messages, settings
from kdsl_cli.backends.http.responses import Card, Completion, Models
from kdsl_cli.backends.http.scoring import Way, find_way
from kdsl_cli.backends.spec import BackendOptions, HttpSpec
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.errors import BackendError, KdslError, did_you_mean

Row = TypeVar("Row", Generated, Scored)

VERSION: Final = "1"
"""Of how a server is asked and understood; part of the identity, and so of every cache key."""

_STABLE: Final = ("owned_by", "root", "parent", "max_model_len")
"""What a card says of its model; the rest is of this start of the server (``created``) or of who asks."""

_OPTIONAL: Final = ("response_format", "logprobs", "seed")
"""Fields of a request that may be left away where a server refuses them, in this order."""


def open_http(spec: HttpSpec, options: BackendOptions, patience: Patience = Patience()) -> Backend:  # noqa: B008
    """Open a model behind a server, and check that it is there.

    A server cannot be asked for the revision of a model: its identity here is what its address, its name and
    its card say. Who serves new weights under an old name keeps the answers apart with ``@REVISION`` in the
    spec.

    Parameters
    ----------
    spec
        Which model; the key is read from ``KDSL_API_KEY`` or ``OPENAI_API_KEY``.
    options
        `max_pixels`, `concurrency` and `timeout_s` count.
    patience
        How requests are asked again.

    Raises
    ------
    BackendError
        If the server cannot be reached, refuses the key, or serves no such model.
    MissingExtra
        Without httpx and stamina.
    """
    connection = Connection(
        spec.url, concurrency=options.concurrency, timeout_s=options.timeout_s, patience=patience
    )
    runner = asyncio.Runner()
    try:
        card = runner.run(_card(connection, spec.model))
    except BaseException:
        runner.run(connection.close())
        runner.close()
        raise
    return HttpBackend(spec, card, connection, runner, options)


class HttpBackend:
    """A model behind a server; made by `open_http`."""

    def __init__(
        self,
        spec: HttpSpec,
        card: Card,
        connection: Connection,
        runner: asyncio.Runner,
        options: BackendOptions,
    ) -> None:
        self._spec = spec
        self._connection = connection
        self._runner = runner
        self._max_pixels = options.max_pixels
        self._gate = asyncio.Semaphore(options.concurrency)
        self._refused: set[str] = set()
        self._way: Way | None = None
        self._open = True
        extra = card.model_extra or {}
        told = {name: str(extra[name]) for name in _STABLE if extra.get(name) is not None}
        revision = {"revision": spec.revision} if spec.revision else {}
        self._identity = {
            **told,
            "kind": "http",
            "version": VERSION,
            "url": spec.url,
            "model": spec.model,
            "max_pixels": str(options.max_pixels),
            **revision,
        }

    @property
    def spec(self) -> str:
        """What the user named it."""
        return str(self._spec)

    @property
    def identity(self) -> Mapping[str, str]:
        """Address, name, revision as the user says it, image budget, and what the model's card says."""
        return self._identity

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int] | None = None
    ) -> list[Generated | Failed]:
        """Return one text a prompt, in order; the rest is as in `Backend.generate`."""
        samplings = sampling.seeded(seeds, len(prompts))

        async def one(place: int, shown: Sequence[Message]) -> Generated:
            answer = await self._ask_leaving(
                {"messages": shown, **settings(prompts[place], samplings[place])}
            )
            return _generated(answer)

        return self._runner.run(self._each(prompts, one))

    def score(self, prompts: Sequence[Prompt], choices: Sequence[str]) -> list[Scored | Failed]:
        """Return how likely each choice is, for each prompt, in order; the rest is as in `Backend.score`."""
        if not prompts:
            return []
        try:
            way = self._runner.run(self._learnt(choices))
        except NoAnswer as error:
            return [Failed(error.reason, error.retryable) for _ in prompts]

        async def one(_: int, shown: Sequence[Message]) -> Scored:
            return await way.score(self._ask, shown, choices)

        return self._runner.run(self._each(prompts, one))

    def close(self) -> None:
        """Close all connections."""
        if self._open:
            self._open = False
            self._runner.run(self._ended())
            self._runner.close()

    async def _ended(self) -> None:
        # A Ctrl-C may have left requests under way.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._connection.close()

    async def _learnt(self, choices: Sequence[str]) -> Way:
        if self._way is None:
            self._way = await find_way(self._ask)
        await self._way.learn(self._ask, choices)
        return self._way

    async def _each(
        self, prompts: Sequence[Prompt], one: Callable[[int, Sequence[Message]], Awaitable[Row]]
    ) -> list[Row | Failed]:
        """Return a row a prompt, in order; what none can survive ends them all. `one` is told its place."""
        started = time.perf_counter()
        tasks = [
            asyncio.ensure_future(self._row(prompt, partial(one, place)))
            for place, prompt in enumerate(prompts)
        ]
        try:
            rows = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        share = (time.perf_counter() - started) / max(1, len(rows))
        return [replace(row, usage=replace(row.usage, seconds=share)) for row in rows]

    async def _row(self, prompt: Prompt, one: Callable[[Sequence[Message]], Awaitable[Row]]) -> Row | Failed:
        async with self._gate:
            try:
                # Pictures are read and made smaller beside the loop, so that answers are not kept waiting.
                shown = await asyncio.to_thread(messages, prompt, self._max_pixels)
            except KdslError as error:
                return Failed(str(error))
            try:
                return await one(shown)
            except NoAnswer as error:
                return Failed(error.reason, error.retryable)

    async def _ask(self, request: Mapping[str, Any]) -> Completion:
        body = {"model": self._spec.model, **request}
        return await self._connection.post("chat/completions", body, Completion.model_validate_json)

    async def _ask_leaving(self, request: Mapping[str, Any]) -> Completion:
        """Ask, leaving away what the server refuses; what an answer was got without is not sent again."""
        left = set(self._refused)
        while True:
            kept = {name: value for name, value in request.items() if name not in left}
            try:
                answer = await self._ask(kept)
            except NoAnswer as error:
                here = [name for name in _OPTIONAL if name in kept]
                if not error.refused or not here:
                    raise
                left.add(next((name for name in here if name in error.reason), here[0]))
            else:
                self._refused |= left
                return answer


async def _card(connection: Connection, model: str) -> Card:
    """Return what the server says of `model`."""
    try:
        served = await connection.get("models", Models.model_validate_json)
    except NoAnswer as error:
        raise BackendError(
            f"does not say which models it serves: {error.reason}",
            where=connection.url,
            fix="Check that the address ends where the protocol begins, mostly in /v1",
            retryable=error.retryable,
        ) from None
    cards = {card.id: card for card in served.data}
    if model not in cards:
        raise BackendError(
            f"serves no model '{model}'",
            where=connection.url,
            allowed=", ".join(sorted(cards)) or "nothing, for it serves none",
            fix=did_you_mean(model, cards),
        )
    return cards[model]


def _generated(answer: Completion) -> Generated:
    finish = answer.choices[0].finish_reason
    if finish == "content_filter":
        raise NoAnswer("the server's filter withheld the answer", retryable=False)
    logprob = sum(step.logprob for step in answer.steps) if answer.steps else None
    return Generated(answer.text, logprob, "length" if finish == "length" else "stop", answer.cost)
