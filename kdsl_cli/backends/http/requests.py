"""What is sent: a prompt as messages of the chat protocol, its pictures as ``data:`` URLs."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from kdsl_cli.backends.backend import Sampling
from kdsl_cli.backends.pictures import encoded
from kdsl_cli.dialogues.prompting import Part, Picture, Prompt

Message = Mapping[str, Any]

TRIAL: Final[Message] = {"role": "user", "content": "Say a word."}
"""What a server is tried with."""


def messages(prompt: Prompt, max_pixels: int) -> list[Message]:
    r"""Return a prompt as messages; reads its pictures.

    Raises
    ------
    PictureError
        If a picture cannot be shown.

    Examples
    --------
    >>> messages(Prompt("Be brief.", ("customer:", "hello")), 0)[1]
    {'role': 'user', 'content': [{'type': 'text', 'text': 'customer:\nhello'}]}
    """
    user = {"role": "user", "content": _content(prompt.parts, max_pixels)}
    return [{"role": "system", "content": _plain(prompt.system)}, user] if prompt.system else [user]


def settings(prompt: Prompt, sampling: Sampling) -> dict[str, Any]:
    """Return how an answer to `prompt` is to be written.

    The seed is the prompt's own (`Sampling.row_seed`), wherever in a call the prompt stands.
    """
    wanted: dict[str, Any] = {
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        # Half of 32 bits: some servers read the seed as a signed number.
        "seed": sampling.row_seed(prompt) // 2,
        "logprobs": True,
    }
    if sampling.schema is not None:
        schema = json.loads(sampling.schema)
        wanted["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": schema},
        }
    return wanted


def _content(parts: Sequence[Part], max_pixels: int) -> list[dict[str, Any]]:
    """Return parts as the protocol's, each on lines of its own.

    Servers differ in what they put between two texts that follow one another, so these are made one.
    """
    content: list[dict[str, Any]] = []
    text = ""
    for place, part in enumerate(parts):
        text += "\n" if place else ""
        if isinstance(part, Picture):
            content += _text(text)
            content.append({"type": "image_url", "image_url": {"url": _data_url(part, max_pixels)}})
            text = ""
        else:
            text += part
    return [*content, *_text(text)]


def _text(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": _plain(text)}] if text else []


def _plain(text: str) -> str:
    """Return a text in which no mark of a chat template is spelt out, so that it can end no turn."""
    return text.replace("<|", "< |")


@lru_cache(maxsize=512)  # each is asked about many times; 512 screenshots are some 150 MB
def _data_url(picture: Picture, max_pixels: int) -> str:
    media, data = encoded(picture, max_pixels)
    return f"data:{media};base64,{b64encode(data).decode()}"
