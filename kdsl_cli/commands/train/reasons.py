"""``kdsl write-reasons``: another model says why training dialogues have their intents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.models.small import QuantOption
from kdsl_cli.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kdsl_cli.commands.workspace.layout import Workspace
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.training.lora.samples.rationales import Written
    from kdsl_cli.training.lora.samples.samples import Sample, View

_BATCH: Final = 32  # prompts between two looks for a stop
_SHOWN: Final = 5


def command(
    small: Annotated[
        str | None, typer.Option(help="Model that writes; a large one writes better.", show_default=False)
    ] = None,
    quant: QuantOption = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File of the reasons; data/reasons.jsonl by default.", show_default=False),
    ] = None,
) -> None:
    """Let a model write why each training dialogue has its intent, for train-large --reasons.

    A file that is there is gone on with: reasons in it are kept as they are, for a person to mend or strike.
    """
    from kdsl_cli.commands.workspace.layout import current_workspace
    from kdsl_cli.commands.workspace.settings_sources import current_settings
    from kdsl_cli.runs.atomic import write_text
    from kdsl_cli.training.lora.samples.rationales import dump, read_reasons

    settings = current_settings({"small.model": small, "small.quant": quant})
    space = current_workspace()
    path = out or space.data / "reasons.jsonl"
    samples, view = _samples(space, settings)
    before = read_reasons(path) if path.is_file() else {}
    wanted = [sample for sample in samples if sample.id not in before]
    if not wanted:
        current_output().note(f"{path}: every labelled training dialogue has a reason")
    written, interrupted = _ask(wanted, view, space, settings) if wanted else (_nothing(), False)
    reasons = before | dict(written.reasons)
    if written.reasons:
        write_text(path, dump(reasons))
    if interrupted:
        raise KeyboardInterrupt
    _report(path, len(samples), reasons, written)


def _samples(space: Workspace, settings: Settings) -> tuple[list[Sample], View]:
    """Return the labelled training dialogues: no other split is opened."""
    from kdsl_cli.commands.workspace.splits import dialogues_in, picture_root
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.errors import StageError
    from kdsl_cli.training.lora.samples.samples import sample_of, view_of

    path = space.split_dialogues("train")
    if not path.is_file():
        raise StageError("no such file", where=str(path), fix="Run: kdsl data split")
    catalogue = Catalogue.load(space.path(settings.data.catalogue))
    known = [dialogue for dialogue in dialogues_in(path) if dialogue.label is not None]
    samples = [sample_of(dialogue, catalogue.task(dialogue.task)) for dialogue in known]
    return samples, view_of(known, picture_root(space, settings), described=True)


def _ask(samples: Sequence[Sample], view: View, space: Workspace, settings: Settings) -> tuple[Written, bool]:
    """Return what the model wrote, and whether it was stopped by Ctrl-C before the end."""
    from contextlib import closing

    from kdsl_cli.backends.budget import BudgetSpent
    from kdsl_cli.commands.models.small import open_small
    from kdsl_cli.runs.signals import stopping
    from kdsl_cli.training.lora.samples.rationales import Written, write_reasons

    output, found = current_output(), _nothing()
    note = "stopping after the reasons in work; Ctrl-C again stops at once"
    with (
        closing(open_small(settings.small, space, "write-reasons")) as backend,
        stopping(on_request=lambda: output.note(note)) as stop,
        output.progress("Writing reasons", len(samples), "reasons") as bar,
    ):
        for start in range(0, len(samples), _BATCH):
            some = samples[start : start + _BATCH]
            try:
                more = write_reasons(some, backend, view)
            except BudgetSpent as spent:
                output.warn(f"{spent.problems[0].what}: the others have no reason yet")
                break
            found = Written({**found.reasons, **more.reasons}, {**found.failed, **more.failed})
            bar.advance(len(some))
            if stop.requested:
                return found, True
    return found, False


def _nothing() -> Written:
    from kdsl_cli.training.lora.samples.rationales import Written

    return Written({}, {})


def _report(path: Path, total: int, reasons: Mapping[str, str], written: Written) -> None:
    from kdsl_cli.training.lora.samples.rationales import repeated

    output, alike = current_output(), repeated(reasons)
    for id, why in list(written.failed.items())[:_SHOWN]:
        output.warn(f"no reason for {id}: {why}")
    if len(written.failed) > _SHOWN:
        output.warn(f"and none for {len(written.failed) - _SHOWN} more; --json names them")
    if alike:
        output.warn(f"{len(alike)} reasons stand for several dialogues and teach little: {alike[0]!r}, ...")
    human = f"{path}: {len(reasons)} reasons, {len(written.reasons)} of them new; {total} training dialogues"
    data = {
        "file": str(path),
        "reasons": len(reasons),
        "new": sorted(written.reasons),
        "failed": dict(written.failed),
        "repeated": list(alike),
    }
    output.result(human, data, str(path))
    if written.failed and not written.reasons:
        raise CheckFailed("no reason could be written", where=str(path), fix="See why in the warnings above")
