"""``kdsl data export --for-tuning``: what ``kdsl train-large`` would tune on, for other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.dialogues.export import ExportFormat
    from kdsl_cli.dialogues.prompted import Form
    from kdsl_cli.dialogues.schema import Dialogue


def training_split() -> Path:
    """Return the file of the training split, once no leak to another split is known.

    Raises
    ------
    ConfigError
        If there is no workspace.
    StageError, LeakError
        If the split was not drawn, or shares content with another.
    """
    from kdsl_cli.commands.workspace.layout import current_workspace
    from kdsl_cli.dialogues.splits import check_leaks
    from kdsl_cli.errors import StageError

    space = current_workspace()
    path = space.split_dialogues("train")
    if not path.is_file():
        raise StageError("no such file", where=str(path), fix="Run: kdsl data split, or name a FILE")
    check_leaks(space.splits)
    return path


def write(dialogues: Sequence[Dialogue], catalogue: Catalogue, format: ExportFormat, out: Path) -> None:
    """Write prompts and answers to `out`, and how LLaMA-Factory reads them beside it.

    Raises
    ------
    ConfigError
        If the format holds no prompts, or the `dataset_info.json` beside `out` is none.
    DatasetError
        If a dialogue cannot be a prompt with an answer.
    """
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.dialogues.prompted import prompted
    from kdsl_cli.runs.atomic import write_text
    from kdsl_cli.training.lora.samples.samples import choices_of

    if format == "canonical":
        raise ConfigError("holds no prompts", where="--format canonical", allowed="messages, sharegpt")
    labelled = [one for one in dialogues if one.label is not None]
    choices = {task.name: choices_of(task) for task in catalogue.tasks}
    text, info = prompted(labelled, choices, format, described=True), _with_entry(out, format)
    write_text(out, text)
    write_text(info[0], info[1])
    left_out = sorted({one.id for one in dialogues} - {one.id for one in labelled})
    output = current_output()
    if left_out:
        output.warn(f"{len(left_out)} dialogues without a label are left out: {', '.join(left_out[:10])}")
    told = {"path": str(out), "dialogues": len(labelled), "format": format, "info": str(info[0])}
    human = f"Wrote {len(labelled)} prompts with answers to {out}; {info[0]} tells LLaMA-Factory of them"
    output.result(human, {**told, "left_out": left_out}, str(out))


def _with_entry(out: Path, form: Form) -> tuple[Path, str]:
    """Return the file beside `out`, and what it is to hold: what it holds, and the entry of `out`."""
    from kdsl_cli.dialogues.prompted import INFO, dataset_info

    path = out.parent / INFO
    try:
        known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise ConfigError(f"is no JSON: {error}", where=str(path), fix="Name another folder") from error
    if not isinstance(known, dict):
        raise ConfigError("is no JSON object", where=str(path), fix="Name another folder")
    known[out.stem] = dataset_info(out.name, form)
    return path, json.dumps(known, ensure_ascii=False, indent=2) + "\n"
