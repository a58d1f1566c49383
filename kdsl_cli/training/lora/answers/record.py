"""`model.json` of a tuned model: which weights were tuned, on what prompts, and how its scores are read.

Whatever shaped the training is here, so that a prediction under other conditions is found out before anything
is asked: other weights, another processor, larger pictures, other prompts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kdsl_cli.dialogues.prompting import INTENT_VERSION, Choice
from kdsl_cli.errors import Problem, StageError
from kdsl_cli.runs.atomic import write_text
from kdsl_cli.runs.hashing import sha256_path

SCHEMA: Final = "kdsl.lora/1"

MODEL, ADAPTER = "model.json", "adapter"

Kind = Literal["lora", "prompt", "head", "full"]
"""What was learnt: low-rank additions to the weights, vectors in front of the prompt, such additions with a
linear head on the last token, or all weights. Of the last `ADAPTER` holds the whole checkpoint."""

_SHAPING: Final = ("revision", "quant", "max_pixels", "processor", "adapter")
"""Of a local model's identity, what must be at prediction as it was in training."""

_SERVED: Final = ("max_pixels",)
"""The same of a model behind a server, which tells no more."""

_RETRAIN: Final = "Run: kdsl train-large --force"
_AS_TRAINED: Final = "Use what it was trained with, or run: kdsl train-large --force"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TunedTask(_Strict):
    """What the model learnt of one task.

    Attributes
    ----------
    name
        Of the task.
    choices
        Its intents as the model was shown them, in the catalogue's order.
    temperature
        By which log-likelihoods are divided before they become probabilities.
    rules
        Rules whose firing the prompts told, as the YAML of a rule file; empty: none.
    """

    name: str
    choices: tuple[Choice, ...] = Field(min_length=1)
    temperature: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    rules: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The intents' names, in order."""
        return tuple(choice.name for choice in self.choices)


class TunedRecord(_Strict):
    """What a tuned model is.

    Attributes
    ----------
    kind
        What was learnt.
    base
        The untuned model as the user named it (``local:PATH_OR_ID[@REVISION]``).
    revision, quant, max_pixels, processor
        Of the untuned model as it was loaded for training; see `backends.local.loading.Loaded.identity`.
    prompts
        Version of the prompts (`dialogues.prompting`).
    described
        Whether prompts gave the intents' descriptions.
    tasks
        In the catalogue's order.
    adapter
        Hash of the folder `ADAPTER`: "sha256:" and 64 digits.
    adapter_init
        The same of what the training began with: equal seeds begin alike.
    settings
        Of the training, resolved.
    """

    schema_: Literal["kdsl.lora/1"] = Field(default=SCHEMA, alias="schema")
    kind: Kind
    base: str
    revision: str
    quant: Literal["nf4", "int8", "none"]
    max_pixels: int
    processor: str
    prompts: str
    described: bool
    tasks: tuple[TunedTask, ...] = Field(min_length=1)
    adapter: str
    adapter_init: str = ""
    settings: dict[str, Any] = {}

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @property
    def intents(self) -> dict[str, tuple[str, ...]]:
        """The names of each task's intents, in the order of the scores."""
        return {task.name: task.names for task in self.tasks}

    def task(self, name: str) -> TunedTask:
        """Return what was learnt of a task.

        Raises
        ------
        KeyError
            If nothing was.
        """
        return {task.name: task for task in self.tasks}[name]

    def at(self, temperatures: Mapping[str, float]) -> Self:
        """Return the same model with other temperatures; tasks not named keep theirs."""
        tasks = tuple(
            task.model_copy(update={"temperature": temperatures.get(task.name, task.temperature)})
            for task in self.tasks
        )
        return self.model_copy(update={"tasks": tasks})

    def check(self, identity: Mapping[str, str], where: str) -> None:
        """Do nothing if a model at hand is the one that was tuned, asked as it was tuned.

        Of a server only what we send it can be checked, of a script nothing: what they hold is for whoever
        names them to know.

        Parameters
        ----------
        identity
            Of the backend, with the adapter in it.
        where
            The model, for messages.

        Raises
        ------
        StageError
            With everything that differs.
        """
        names = {"local": _SHAPING, "http": _SERVED}.get(identity.get("kind", ""), ())
        found = {name: identity.get(name, "not told") for name in names} | {"prompts": INTENT_VERSION}
        trained = {name: str(getattr(self, name)) for name in found}
        if self.kind == "full":
            trained |= {"revision": self.adapter, "adapter": "none"}
        problems = [
            Problem(where, f"{name} is {value}, in training it was {trained[name]}", fix=_AS_TRAINED)
            for name, value in found.items()
            if value != trained[name]
        ]
        if problems:
            raise StageError(problems)


def adapter_hash(folder: Path) -> str:
    """Return the hash of an adapter's files, as `TunedRecord.adapter` and a backend's identity hold it."""
    return f"sha256:{sha256_path(folder)}"


def save(folder: Path, record: TunedRecord) -> None:
    """Write `record` into `folder`; equal records are equal bytes."""
    write_text(folder / MODEL, record.model_dump_json(by_alias=True, indent=1) + "\n")


def load(folder: Path) -> TunedRecord:
    """Read what `save` wrote, and check that the adapter beside it is the record's.

    Raises
    ------
    StageError
        If a file is not there, is not of this schema, or was changed.
    """
    path = folder / MODEL
    try:
        record = TunedRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise StageError("there is no tuned model here", where=str(path), fix=_RETRAIN) from None
    except ValidationError as error:
        problems = [
            Problem(":".join([str(path), *map(str, fault["loc"])]), fault["msg"], fix=_RETRAIN)
            for fault in error.errors()
        ]
        raise StageError(problems) from error
    if not (folder / ADAPTER).is_dir():
        raise StageError("there is no adapter", where=str(folder / ADAPTER), fix=_RETRAIN)
    if adapter_hash(folder / ADAPTER) != record.adapter:
        what = f"not the adapter that {MODEL} was written with"
        raise StageError(what, where=str(folder / ADAPTER), fix=_RETRAIN)
    return record
