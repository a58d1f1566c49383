"""Reasons that a model learns to give before it names an intent: from a file, or written by another model.

A sample with a reason is learnt twice: asked for the name alone, as in prediction, and asked for the reason
and then the name. That is multi-task distillation after Hsieh et al. 2023, "Distilling Step-by-Step!" (ACL
Findings): what the reasons teach is there at prediction without writing one. Reason before name, because a
name before its reason is chosen without it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from kdsl_cli.backends.backend import Backend, Failed, Generated, Sampling
from kdsl_cli.dialogues.prompting import Prompt, dialogue_parts
from kdsl_cli.dialogues.readers.fields import unwritable
from kdsl_cli.dialogues.readers.rows import Row, json_rows
from kdsl_cli.errors import DatasetError, Problem
from kdsl_cli.training.lora.samples.samples import Sample, View

WRITER_VERSION: Final = "1"
"""Of the prompt that asks another model for reasons."""

LONGEST: Final = 300
"""Characters of a reason: one sentence."""

_SAMPLING: Final = Sampling(max_tokens=96)  # as many as a tuned model has for a reason of its own

_SYSTEM: Final = (
    "You explain in one short sentence why a dialogue, or a picture that was sent, has its intent."
)


def _one_line(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value


_Reason = Annotated[str, BeforeValidator(_one_line), StringConstraints(min_length=1, max_length=LONGEST)]


class Rationale(BaseModel):
    """One line of a file of reasons."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Annotated[str, StringConstraints(min_length=1)]
    """Of the dialogue."""
    reason: _Reason
    """White space is made one space; a reason is one line."""


@dataclass(frozen=True, slots=True)
class Written:
    """What another model wrote: reasons by the dialogue's id, and why others have none."""

    reasons: Mapping[str, str]
    failed: Mapping[str, str]


def repeated(reasons: Mapping[str, str]) -> tuple[str, ...]:
    """Return the reasons that stand for more than one dialogue, in order: they teach little.

    Examples
    --------
    >>> repeated({"a": "It says so", "b": "It names a sum", "c": "It says so"})
    ('It says so',)
    """
    counted = Counter(reasons.values())
    return tuple(reason for reason, count in counted.items() if count > 1)


def with_reasons(samples: Sequence[Sample], reasons: Mapping[str, str]) -> list[Sample]:
    """Return the samples, and behind them those that have a reason once more with it.

    Parameters
    ----------
    reasons
        By the dialogue's id. Those of other dialogues are passed over: they are of other splits.
    """
    return [*samples, *(replace(one, reason=reasons[one.id]) for one in samples if one.id in reasons)]


def read_reasons(path: Path) -> dict[str, str]:
    r"""Read reasons from JSON Lines, by the dialogue's id: ``{"id": "a", "reason": "It shows a sum"}``.

    Raises
    ------
    DatasetError
        With every problem of the file, each by ``path:line``.
    """
    reasons: dict[str, str] = {}
    problems: list[Problem] = []
    for row in json_rows(path):
        if isinstance(row, Problem):
            problems.append(row)
            continue
        if what := unwritable(row.value):
            problems.append(Problem(f"{path}:{row.line}", what))
            continue
        try:
            read = Rationale.model_validate(row.value)
        except ValidationError as error:
            problems += _faults(path, row, error)
            continue
        if read.id in reasons:
            problems.append(Problem(f"{path}:{row.line}", f"a second reason for '{read.id}'"))
        reasons[read.id] = read.reason
    if problems:
        raise DatasetError(problems)
    return reasons


def dump(reasons: Mapping[str, str]) -> str:
    r"""Return reasons as JSON Lines, sorted by id; `read_reasons` gives the same back.

    Examples
    --------
    >>> dump({"a": "因为写着退款"})
    '{"id": "a", "reason": "因为写着退款"}\n'
    """
    rows = ({"id": id, "reason": reasons[id]} for id in sorted(reasons))
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def write_reasons(samples: Sequence[Sample], backend: Backend, view: View) -> Written:
    """Let a model say why each sample has its intent, which it is told.

    The label is told because a reason for a wrong intent would be learnt as well (rationalisation after
    Zelikman et al. 2022, "STaR"). So a reason is for training samples alone, and proves nothing.

    Raises
    ------
    BackendError
        If nothing can be answered at all.
    """
    reasons: dict[str, str] = {}
    failed: dict[str, str] = {}
    answers = backend.generate([writer_prompt(sample, view) for sample in samples], _SAMPLING)
    for sample, answer in zip(samples, answers, strict=True):
        reason, why_not = _usable(answer)
        if why_not:
            failed[sample.id] = why_not
        else:
            reasons[sample.id] = reason
    return Written(reasons, failed)


def writer_prompt(sample: Sample, view: View) -> Prompt:
    """Return what a model is asked that is to write the reason of a sample.

    Raises
    ------
    ValueError
        If the sample's intent is not known.
    """
    right = sample.right
    meaning = f" ({' '.join(right.description.split())})" if right.description else ""
    asked = (
        f'Its intent is "{right.name}"{meaning}. Say in one sentence, in the language of the dialogue, what '
        "words or what on a picture tell so. Do not name the intent itself."
    )
    return Prompt(_SYSTEM, (*dialogue_parts(sample.dialogue, view.pictures.__getitem__), asked))


def _usable(answer: Generated | Failed) -> tuple[str, str]:
    """Return a reason and why there is none; one of the two is empty."""
    if isinstance(answer, Failed):
        return "", answer.reason
    reason = " ".join(answer.text.split())
    if not reason:
        return "", "it wrote nothing"
    if answer.finish == "length" or len(reason) > LONGEST:
        return "", f"it wrote more than one sentence: {reason[:40]}..."
    return reason, ""


def _faults(path: Path, row: Row, error: ValidationError) -> Iterator[Problem]:
    for fault in error.errors():
        at = ".".join(str(part) for part in fault["loc"])
        what = f"'{at}': {fault['msg']}" if at else fault["msg"]
        yield Problem(f"{path}:{row.line}", what, '{"id": "…", "reason": "…"}')
