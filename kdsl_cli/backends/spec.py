"""How a user names a model: one word that says what kind it is, where it is, and which of its versions.

| spec | model |
|---|---|
| ``local:PATH_OR_ID[@REVISION][+ADAPTER]`` | weights on this machine, or on the Hugging Face hub |
| ``http:URL#MODEL[@REVISION]`` | a server that speaks the OpenAI chat protocol |
| ``scripted:FILE`` | answers written down beforehand (`scripted`) |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from kdsl_cli.errors import BackendError, did_you_mean

FORMS: Final = "local:PATH_OR_ID[@REVISION][+ADAPTER], http:URL#MODEL[@REVISION], scripted:FILE"
"""Every form of a spec, for messages."""

_SCHEMES: Final = ("local", "http", "https", "scripted")
_MARKS: Final = re.compile("[@+]")


@dataclass(frozen=True, slots=True)
class LocalSpec:
    """A model on this machine.

    Attributes
    ----------
    path
        Folder of the weights, or the model's id on the hub if there is no such folder.
    revision
        Branch, tag or commit on the hub; None: the newest.
    adapter
        Folder or hub id of a LoRA adapter; None: the model as it is.
    """

    path: str
    revision: str | None = None
    adapter: str | None = None

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision else ""
        return f"local:{self.path}{revision}" + (f"+{self.adapter}" if self.adapter else "")


@dataclass(frozen=True, slots=True)
class HttpSpec:
    """A model behind a server.

    Attributes
    ----------
    url
        Base of the protocol, without a slash at its end ("http://localhost:8000/v1").
    model
        As the server calls it.
    revision
        What the user says of its version, since no server tells; another revision shares no cached answer.
    """

    url: str
    model: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"http:{self.url}#{self.model}" + (f"@{self.revision}" if self.revision else "")


@dataclass(frozen=True, slots=True)
class ScriptedSpec:
    """Answers that stand in a file."""

    path: Path

    def __str__(self) -> str:
        return f"scripted:{self.path}"


Spec = LocalSpec | HttpSpec | ScriptedSpec


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """How a model is run, whichever it is; a kind of backend passes over what does not concern it.

    Attributes
    ----------
    quant
        How a local model's weights are kept.
    max_pixels
        Pixels of a picture that the model is shown, at most; larger pictures are made smaller.
    batch_size
        Prompts that a local model answers at once.
    concurrency
        Requests under way to a server at once.
    timeout_s
        Seconds that a server has for one answer.
    device
        A local model's device as torch names it ("cuda", "cpu"); None: the best there is.
    section
        Of the settings, where these options stand: for messages that say what to change.
    """

    quant: Literal["nf4", "int8", "none"] = "nf4"
    max_pixels: int = 401_408
    batch_size: int = 8
    concurrency: int = 8
    timeout_s: float = 120.0
    device: str | None = None
    section: Literal["small", "train"] = "small"


def parse_spec(text: str, base: Path = Path()) -> Spec:
    """Read what a user calls a model.

    In a local spec the longest beginning that is a path on this machine is the model, so a folder's name may
    hold '@' and '+'. If none is, it is a hub id, where both always end the id.

    Parameters
    ----------
    text
        The spec. ``http://...#MODEL`` without a second "http:" in front is understood too.
    base
        The folder that relative paths start from.

    Raises
    ------
    BackendError
        If it has none of the forms.

    Examples
    --------
    >>> parse_spec("local:Qwen/Qwen2-VL-2B-Instruct@main+no/such/folder")
    LocalSpec(path='Qwen/Qwen2-VL-2B-Instruct', revision='main', adapter='no/such/folder')
    >>> parse_spec("http:http://localhost:8000/v1#qwen2-vl@2025-01")
    HttpSpec(url='http://localhost:8000/v1', model='qwen2-vl', revision='2025-01')
    """
    scheme, colon, rest = text.strip().partition(":")
    scheme = scheme.lower()
    if not colon or scheme not in _SCHEMES:
        fix = did_you_mean(scheme, _SCHEMES) if colon else "Say what kind of model it is in front of a colon"
        raise BackendError(f"'{text}' names no model", allowed=FORMS, fix=fix)
    if not rest:
        raise BackendError(f"'{text}' names a kind of model, but not which", allowed=FORMS)
    if scheme == "scripted":
        return ScriptedSpec(_located(rest, base))
    if scheme == "local":
        return _local(text, rest, base)
    # "http://host" is its own URL; after "http:http://host" the URL begins behind the first colon.
    return _http(text, f"{scheme}:{rest}" if rest.startswith("//") else rest)


def _local(text: str, rest: str, base: Path) -> LocalSpec:
    ends = [len(rest), *(mark.start() for mark in reversed(list(_MARKS.finditer(rest))))]
    end = next((end for end in ends if end and _located(rest[:end], base).exists()), None)
    if end is None:
        end, path = min(ends), rest[: min(ends)]
    else:
        path = str(_located(rest[:end], base))
    before, plus, adapter = rest[end:].partition("+")
    revision = before.removeprefix("@")
    if not path or (before and not revision) or (plus and not adapter):
        missing = "revision after '@'" if before and not revision else "adapter after '+'"
        raise BackendError(f"'{text}' leaves out the {missing if path else 'model'}", allowed=FORMS)
    return LocalSpec(path, revision or None, _adapter(adapter, base) if adapter else None)


def _adapter(name: str, base: Path) -> str:
    place = _located(name, base)
    return str(place) if place.exists() else name


def _http(text: str, address: str) -> HttpSpec:
    url, _, name = address.partition("#")
    model, at, revision = name.rpartition("@") if "@" in name else (name, "", "")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BackendError(f"'{url}' is not an address: {error}", allowed="http:URL#MODEL") from None
    if parts.username or parts.password or parts.query:
        raise BackendError(
            f"the address of the server {host} holds more than host, port and path",
            allowed="http:URL#MODEL",
            fix="Leave out what stands before '@' and behind '?': keys never belong into a spec",
        )
    if parts.scheme not in ("http", "https") or not host:
        example = "http:http://localhost:8000/v1#MODEL"
        raise BackendError(f"'{text}' holds no address of a server", allowed=f"a URL as in {example}")
    if not model or (at and not revision):
        left_out = "the revision after '@'" if model else "the model after '#'"
        raise BackendError(f"'{text}' leaves out {left_out}", allowed="http:URL#MODEL[@REVISION]")
    return HttpSpec(url.rstrip("/"), model, revision or None)


def _located(name: str, base: Path) -> Path:
    return base / Path(name).expanduser()
