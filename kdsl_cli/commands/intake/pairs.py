"""Options that name several values at once: ``NAME=VALUE,...``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kdsl_cli.dialogues.readers.options import Columns


def pairs(option: str, words: Sequence[str]) -> dict[str, str]:
    """Read ``NAME=VALUE`` words of an option.

    Raises
    ------
    ConfigError
        If a word is none, or a name stands twice.

    Examples
    --------
    >>> pairs("--given", ["train=a.jsonl", "test = b.jsonl"])
    {'train': 'a.jsonl', 'test': 'b.jsonl'}
    """
    from kdsl_cli.errors import ConfigError

    found: dict[str, str] = {}
    for word in words:
        name, sign, value = (part.strip() for part in word.partition("="))
        if not sign or not name or name in found:
            fault = "stands twice" if name in found else "is no NAME=VALUE"
            raise ConfigError(f"{option}: '{word}' {fault}", allowed="each NAME=VALUE once")
        found[name] = value
    return found


def fractions_of(text: str | None) -> dict[str, float]:
    """Read what ``--fractions`` says; nothing said, nothing read.

    Raises
    ------
    ConfigError
        If a share is no number, or as in `pairs`.
    """
    from kdsl_cli.errors import ConfigError

    shares = {}
    for name, value in pairs("--fractions", text.split(",") if text else []).items():
        try:
            shares[name] = float(value)
        except ValueError as error:
            raise ConfigError(f"--fractions: '{value}' is no number", allowed="0 to 1") from error
    return shares


def columns_of(text: str | None) -> Columns:
    """Read what ``--columns`` says; a column without a name is one that the table does not have.

    Raises
    ------
    ConfigError
        If no such column is known, or as in `pairs`.
    """
    from dataclasses import fields

    from kdsl_cli.dialogues.readers.options import Columns
    from kdsl_cli.errors import ConfigError, did_you_mean

    named = pairs("--columns", text.split(",") if text else [])
    known = [field.name for field in fields(Columns)]
    for name in named:
        if name not in known:
            fix = did_you_mean(name, known)
            raise ConfigError(f"--columns: unknown '{name}'", allowed=", ".join(known), fix=fix)
    return Columns(**{name: column or None for name, column in named.items()})
