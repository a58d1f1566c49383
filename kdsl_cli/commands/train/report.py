"""What ``kdsl train-large`` prints: how good the model is, out of fold and on the validation split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

_SHOWN = 10  # dialogues named on the screen; all of them are in the result as JSON

_LEFT_OUT = {
    "unlabelled": "left out for want of a label",
    "unread": "used without pictures that could not be read",
    "overlong": "left out, longer than the model takes",
    "unreadable": "left out, with a picture that cannot be shown",
}
"""By the name in the manifest, what is said of dialogues that were not used as they are."""

_NONE: dict[str, Any] = {"n": 0, "weighted_f1": None, "accuracy": None, "log_loss": None}


def report(out: Path) -> None:
    """Say what the manifest says: the same for a run just done and for one that is up to date."""
    from rich.console import Group

    from kdsl_cli.commands.console import current_output
    from kdsl_cli.runs.manifest import read_manifest

    manifest, output = read_manifest(out), current_output()
    assert manifest is not None  # the stage wrote it, or was up to date by it
    for text in manifest.warnings:
        output.warn(text)
    told = manifest.extra
    lines = [_named(what, list(told.get(name, ()))) for name, what in _LEFT_OUT.items()]
    human = Group(_table(told["tasks"]), *(line for line in lines if line))
    data = {
        **told,
        "warnings": list(manifest.warnings),
        "files": [str(out / r.path) for r in manifest.outputs],
    }
    output.result(human, data, str(out))


def _named(what: str, ids: list[str]) -> str:
    if not ids:
        return ""
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return f"{len(ids)} dialogues {what}: {', '.join(ids[:_SHOWN])}{more}"


def _table(tasks: list[dict[str, Any]]) -> RenderableType:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, caption="out of fold; temperature above 1: the fit was too sure of itself")
    table.add_column("task")
    for name in ("n", "weighted F1", "accuracy", "log loss", "temperature", "val n", "val weighted F1"):
        table.add_column(name, justify="right")
    for row in tasks:
        own, val = row["out_of_fold"] or _NONE, row["val"] or _NONE
        scores = (own["weighted_f1"], own["accuracy"], own["log_loss"], row["temperature"])
        shown = ["" if score is None else f"{score:.3f}" for score in (*scores, val["weighted_f1"])]
        table.add_row(row["task"], str(own["n"]), *shown[:-1], str(val["n"]), shown[-1])
    return table
