"""The file of a scripted backend, read whole or refused with all that is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from kdsl_cli.errors import BackendError, Problem, did_you_mean

_SHAPE: Final = "'answers:' with a list of answers below it"


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_Name = Annotated[StrictStr, Field(min_length=1)]
_Names = Annotated[tuple[_Name, ...], BeforeValidator(_several)]
_Texts = Annotated[tuple[StrictStr, ...], BeforeValidator(_several)]
_Logprob = Annotated[float, Field(strict=True, le=0, allow_inf_nan=False)]


class Entry(BaseModel):
    """One scripted answer, as it stands in the file; see `scripted`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: _Names = ()
    """All of them stand in the prompt's text."""
    picture: _Name | None = None
    """None: any pictures, or none."""
    text: _Texts = ()
    """Empty: it answers no wish for a text."""
    logprob: _Logprob | None = None
    choose: StrictStr | None = None
    logprobs: dict[StrictStr, _Logprob] = Field(default_factory=dict)
    """By choice. Empty, and `choose` None: it answers no choice."""
    fail: _Name | None = None
    """The reason; None: it is an answer."""
    retryable: StrictBool = False
    times: Annotated[StrictInt, Field(ge=1)] | None = None
    """None: without end."""

    @model_validator(mode="after")
    def _one_answer(self) -> Self:
        answers = [
            name for name in ("text", "choose", "logprobs") if getattr(self, name) not in (None, (), {})
        ]
        if not answers and not self.fail:
            raise ValueError("it answers nothing: give text, choose, logprobs or fail")
        if answers and self.fail:
            raise ValueError(f"it fails and answers: leave out fail, or {', '.join(answers)}")
        if {"choose", "logprobs"} <= set(answers):
            raise ValueError("choose and logprobs are two answers to one question: give one")
        if self.logprob is not None and not self.text:
            raise ValueError("logprob belongs to a text, and there is none; scores of choices are logprobs")
        if self.retryable and not self.fail:
            raise ValueError("retryable is said of a failure, and there is no fail")
        return self


def read_script(path: Path) -> tuple[Entry, ...]:
    """Read a script.

    Raises
    ------
    BackendError
        With every problem of the file, each by ``path:line``.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BackendError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise BackendError("is not UTF-8", where=str(path), fix="Save it as UTF-8") from error
    entries: list[Entry] = []
    problems: list[Problem] = []
    for where, value in _json_rows(text, path) if path.suffix == ".jsonl" else _yaml_rows(text, path):
        if isinstance(value, Problem):
            problems.append(value)
            continue
        try:
            entries.append(Entry.model_validate(value))
        except ValidationError as error:
            problems += [_problem(where, detail) for detail in error.errors()]
    if problems:
        raise BackendError(problems)
    if not entries:
        raise BackendError("holds no answers", where=str(path))
    return tuple(entries)


def _json_rows(text: str, path: Path) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        where = f"{path}:{number}"
        if line.strip():
            try:
                yield where, json.loads(line)
            except ValueError as error:
                yield where, Problem(where, f"is not JSON: {error}", allowed="one answer a line")


def _yaml_rows(text: str, path: Path) -> Iterator[tuple[str, Any]]:
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BackendError(f"is not YAML: {error.problem}", where=f"{path}:{line}") from error
    except YAMLError as error:
        raise BackendError(f"is not YAML: {error}", where=str(path)) from error
    rows = tree.get("answers") if isinstance(tree, CommentedMap) and set(tree) == {"answers"} else None
    if not isinstance(rows, CommentedSeq):
        raise BackendError("holds no list of answers", where=f"{path}:1", allowed=_SHAPE)
    for number, row in enumerate(rows):
        yield f"{path}:{rows.lc.item(number)[0] + 1}", row


def _problem(where: str, detail: Any) -> Problem:
    key, known = ".".join(map(str, detail["loc"])), Entry.model_fields
    if detail["type"] == "extra_forbidden":
        return Problem(where, f"unknown key '{key}'", ", ".join(known), did_you_mean(key, known))
    if detail["type"] == "value_error":
        return Problem(where, detail["msg"].removeprefix("Value error, "))
    return Problem(where, f"{key or 'this'} is {detail['input']!r}", fix=detail["msg"])
