"""An adapter tuned elsewhere is taken in: ``kdsl train-large --large local:BASE+ADAPTER --adopt``."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.workspace.layout import current_workspace
from kdsl_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kdsl_cli.backends.spec import LocalSpec
    from kdsl_cli.commands.train.tuning_data import TuningData
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.runs.recording import StageRun
    from kdsl_cli.training.lora.answers.calibrating import Held
    from kdsl_cli.training.lora.answers.record import Kind, TunedRecord

_CONFIG: Final = "adapter_config.json"
_FILES: Final = (_CONFIG, "adapter_model.safetensors")
_KINDS: Final[dict[str, Kind]] = {"LORA": "lora", "PROMPT_TUNING": "prompt"}

_UNKNOWN: Final = (
    "what the adapter was tuned on is not known here: were dialogues of val or test among it, their scores "
    "are too good"
)
_NO_FOLDS: Final = "without folds there are no scores out of fold, and the temperature is that of val"
_NO_VAL: Final = "there is no labelled validation split: the temperature is 1"


def adopted_spec(spec: str) -> LocalSpec:
    """Return the base and the adapter that are taken in.

    Raises
    ------
    ConfigError
        If no folder of an adapter is named, or one of a kind that cannot be asked here.
    """
    from kdsl_cli.backends.spec import LocalSpec, parse_spec

    found, form = parse_spec(spec, current_workspace().root), "local:BASE+ADAPTER"
    if not isinstance(found, LocalSpec) or not found.adapter:
        raise ConfigError(f"'{spec}' names no adapter to take in", where="train.large", allowed=form)
    missing = [name for name in _FILES if not (Path(found.adapter) / name).is_file()]
    if missing:
        fix = "Name the folder that the other program wrote the adapter to"
        raise ConfigError(f"has no {' and no '.join(missing)}", where=found.adapter, fix=fix)
    _kind(Path(found.adapter))
    return found


def adopted_files(settings: Settings) -> tuple[Path, ...]:
    """Return the files of the adapter that is taken in; none where one is learnt.

    Raises
    ------
    ConfigError
        See `adopted_spec`.
    """
    if not settings.train.adopt:
        return ()
    folder = Path(adopted_spec(settings.train.large).adapter or "")
    return tuple(folder / name for name in _FILES)


def adopt(run: StageRun, settings: Settings, data: TuningData) -> None:
    """Leave what training would have left, but for scores out of fold: nothing is learnt but temperatures.

    Raises
    ------
    BackendError, MissingExtra
        If base and adapter cannot be loaded together, or a dialogue of val cannot be scored.
    """
    from kdsl_cli.backends.opening import open_backend
    from kdsl_cli.commands.train.setup import backend_options, lora_settings, record_of
    from kdsl_cli.training.lora.answers.calibrating import temperatures
    from kdsl_cli.training.lora.answers.model import TunedModel
    from kdsl_cli.training.lora.answers.record import ADAPTER, MODEL, adapter_hash, save
    from kdsl_cli.training.lora.steps.validating import VALIDATION, asked

    options, out = settings.train, run.folder
    spec, adapter, model = adopted_spec(options.large), run.output(out / ADAPTER), run.output(out / MODEL)
    shutil.rmtree(adapter, ignore_errors=True)
    adapter.mkdir(parents=True)
    for file in adopted_files(settings):
        shutil.copyfile(file, adapter / file.name)
    how = backend_options(settings, lora_settings(options))
    with current_output().progress(f"Loading {spec}"):
        backend = open_backend(str(replace(spec, adapter=str(adapter))), how)
    try:
        learnt = {
            "kind": _kind(adapter),
            "base": str(replace(spec, adapter=None)),
            "adapter": adapter_hash(adapter),
        }
        tasks = {sample.task for sample in data.train}
        record = record_of(options, data, backend.identity, tasks).model_copy(update=learnt)
        val = [sample for sample in data.val if sample.task in record.intents]
        with current_output().progress("Scoring val", len(val), "dialogues") as bar:
            held = asked(
                TunedModel(record, backend, data.view.pictures.__getitem__), val, VALIDATION, bar.advance
            )
    finally:
        backend.close()
    record = record.at(temperatures(held))
    save(model.parent, record)
    run.warnings.extend([_UNKNOWN, _NO_FOLDS if held else _NO_VAL])
    run.extra |= {"tasks": _tasks(record, held), "unlabelled": list(data.unlabelled)}
    run.extra |= {"adopted": spec.adapter, "adapter": record.adapter, "model": dict(backend.identity)}
    run.count(total=len(held), ok=len(held))


def _kind(adapter: Path) -> Kind:
    try:
        found = json.loads((adapter / _CONFIG).read_text("utf-8")).get("peft_type")
    except (ValueError, AttributeError):
        found = None
    if found not in _KINDS:
        what = f"an adapter of the kind {found} cannot be asked here"
        raise ConfigError(what, where=str(adapter / _CONFIG), allowed=", ".join(_KINDS))
    return _KINDS[found]


def _tasks(record: TunedRecord, held: Sequence[Held]) -> list[dict[str, Any]]:
    from kdsl_cli.training.lora.steps.validating import by_task

    by_name = {task.name: task for task in record.tasks}
    scored = by_task(held, record.intents, {name: task.temperature for name, task in by_name.items()})
    return [
        {
            "task": name,
            "intents": len(task.names),
            "without_sample": [],
            "temperature": task.temperature,
            "out_of_fold": None,
            "val": asdict(scored[name]) if name in scored else None,
        }
        for name, task in by_name.items()
    ]
