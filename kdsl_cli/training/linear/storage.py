"""Linear models on the disk: numbers in `weights.npz`, everything else in `model.json`; no pickle anywhere.

`model.json` holds the hash of `weights.npz`, so that the two cannot be mixed up. A model carries the part of
the catalogue and the rules it was trained with: it needs no other file to be asked.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kdsl_cli.dialogues.catalogue import Catalogue, Intent, Task
from kdsl_cli.errors import KdslError, Problem, StageError
from kdsl_cli.evidence.descriptors import LAYOUT_FEATURES, RULE_FEATURES
from kdsl_cli.logic.codec import dump_rules, loads
from kdsl_cli.logic.rule import RuleBase
from kdsl_cli.runs.atomic import write_bytes, write_text
from kdsl_cli.training.linear.classifier import Linear
from kdsl_cli.training.linear.features import Features
from kdsl_cli.training.linear.knowledge import Knowledge
from kdsl_cli.training.linear.looks import Scale
from kdsl_cli.training.linear.model import LinearModel, LinearModels
from kdsl_cli.training.linear.ngrams import Ngrams
from kdsl_cli.training.linear.places import PLACES

SCHEMA: Final = "kdsl.linear/1"
"""Another number whenever a feature, a place or a weight of one changes: old coefficients are void then."""

MODEL, WEIGHTS = "model.json", "weights.npz"

Arrays = Mapping[str, npt.NDArray[Any]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Intent(_Strict):
    name: str
    description: str | None
    synonyms: tuple[str, ...]


class _Task(_Strict):
    name: str
    temperature: float = Field(gt=0, allow_inf_nan=False)
    intents: tuple[_Intent, ...] = Field(min_length=1)
    rules: str
    terms: dict[str, tuple[str, ...]]
    questions: tuple[str, ...] = ()


class _Record(_Strict):
    schema_: Literal["kdsl.linear/1"] = Field(alias="schema")
    seed: int
    weights: str = Field(description="SHA-256 of the file of weights")
    tasks: tuple[_Task, ...]


def save(folder: Path, models: LinearModels) -> None:
    """Write the models into `folder`; equal models are equal bytes."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for number, model in enumerate(models.models.values()):
        arrays |= {f"{number}.{name}": array for name, array in _arrays(model).items()}
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]  # the stub takes them for options
    weights = content.getvalue()
    record = _Record(
        schema=SCHEMA,
        seed=models.seed,
        weights=hashlib.sha256(weights).hexdigest(),
        tasks=tuple(_record(model) for model in models.models.values()),
    )
    write_bytes(folder / WEIGHTS, weights)
    # Where nothing is asked there is no word of questions: the file is then as it was before there were any.
    told = record.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    text = json.dumps(told, ensure_ascii=False)
    write_text(folder / MODEL, text + "\n")


def load(folder: Path, catalogue: Catalogue | None = None) -> LinearModels:
    """Read the models that `save` wrote.

    Parameters
    ----------
    catalogue
        If given, the models must have its tasks, and their intents in its order.

    Raises
    ------
    StageError
        If a file is not there, is not of this schema, was changed, or does not fit the catalogue.
    """
    record = _read_record(folder / MODEL)
    arrays = _read_arrays(folder / WEIGHTS, record.weights)
    models: dict[str, LinearModel] = {}
    for number, task in enumerate(record.tasks):
        own = {name.split(".", 1)[1]: a for name, a in arrays.items() if name.startswith(f"{number}.")}
        try:
            models[task.name] = _model(task, own)
        except (KeyError, ValueError, KdslError) as error:
            raise _broken(folder / MODEL, f"the model of '{task.name}' is not whole: {error}") from error
    found = LinearModels(models, record.seed)
    if catalogue is not None:
        _check_catalogue(found, catalogue, folder)
    return found


def _record(model: LinearModel) -> _Task:
    task, rules = model.knowledge.task, model.knowledge.rules
    return _Task(
        name=task.name,
        temperature=model.classifier.temperature,
        intents=tuple(
            _Intent(name=each.name, description=each.description, synonyms=each.synonyms)
            for each in task.intents
        ),
        rules=dump_rules(RuleBase(task.name, rules)),
        terms={place.name: ngrams.terms for place, ngrams in zip(PLACES, model.features.ngrams, strict=True)},
        questions=model.features.questions,
    )


def _arrays(model: LinearModel) -> dict[str, npt.NDArray[Any]]:
    features, classifier = model.features, model.classifier
    return {
        "coefficients": classifier.coefficients,
        "intercepts": classifier.intercepts,
        "shares": classifier.shares,
        "looks": np.stack([features.looks.mean, features.looks.spread]),
        "layout": np.stack([features.layout.mean, features.layout.spread]),
        **{f"idf.{p.name}": ngrams.idf for p, ngrams in zip(PLACES, features.ngrams, strict=True)},
    }


def _model(record: _Task, arrays: Arrays) -> LinearModel:
    """Put a model together; a KeyError or ValueError says what does not fit."""
    intents = tuple(Intent(each.name, each.description, each.synonyms) for each in record.intents)
    task = Task(record.name, intents)
    rules = loads(record.rules, intents=task.names).rules
    features = Features(
        tuple(_ngrams(record.terms[p.name], arrays[f"idf.{p.name}"]) for p in PLACES),
        _scale(RULE_FEATURES, arrays["looks"]),
        _scale(LAYOUT_FEATURES, arrays["layout"]),
        _distinct(record.questions, "a question"),
    )
    knowledge = Knowledge(task, rules)
    shape = (len(intents), features.size + knowledge.size)
    classifier = Linear(
        _checked(arrays["coefficients"], "coefficients", shape, np.float32),
        _checked(arrays["intercepts"], "intercepts", shape[:1], np.float32),
        _checked(arrays["shares"], "shares", shape[:1], np.float64),
        record.temperature,
    )
    return LinearModel(knowledge, features, classifier)


def _ngrams(terms: tuple[str, ...], idf: npt.NDArray[Any]) -> Ngrams:
    return Ngrams(_distinct(terms, "a term"), _checked(idf, "idf", (len(terms),), np.float64))


def _distinct(words: tuple[str, ...], what: str) -> tuple[str, ...]:
    if len(set(words)) != len(words):
        raise ValueError(f"{what} stands twice")
    return words


def _scale(names: tuple[str, ...], array: npt.NDArray[Any]) -> Scale:
    mean, spread = _checked(array, "scale", (2, len(names)), np.float64)
    return Scale(names, mean, spread)


def _checked(
    array: npt.NDArray[Any], name: str, shape: tuple[int, ...], kind: type[np.generic]
) -> npt.NDArray[Any]:
    if array.dtype != kind or array.shape != shape or not np.isfinite(array).all():
        raise ValueError(
            f"{name} holds {array.shape} {array.dtype}, expected {shape} finite {np.dtype(kind).name}"
        )
    return array


def _read_record(path: Path) -> _Record:
    try:
        return _Record.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        fix = "Run: kdsl train-large"
        raise StageError("there is no linear model here", where=str(path), fix=fix) from None
    except ValidationError as error:
        problems = [
            Problem(
                ":".join([str(path), *(str(part) for part in fault["loc"])]),
                fault["msg"],
                fix="Run: kdsl train-large --force",
            )
            for fault in error.errors()
        ]
        raise StageError(problems) from error


def _read_arrays(path: Path, expected: str) -> Arrays:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise _broken(path, "no such file") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise _broken(path, f"not the weights that {MODEL} was written with")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, OSError, BadZipFile) as error:
        raise _broken(path, f"not a file of plain arrays: {error}") from error


def _broken(path: Path, what: str) -> StageError:
    return StageError(what, where=str(path), fix="Run: kdsl train-large --force")


def _check_catalogue(models: LinearModels, catalogue: Catalogue, folder: Path) -> None:
    problems = [
        Problem(
            str(folder / MODEL),
            f"the model's intents of '{task.name}' are not those of the catalogue, in its order",
            ", ".join(task.names),
            "Run: kdsl train-large --force",
        )
        for task in catalogue.tasks
        if models.intents.get(task.name) != task.names
    ]
    if problems:
        raise StageError(problems)
