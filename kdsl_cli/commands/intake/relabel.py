"""``kdsl relabel``: labels that a person decided anew, put into the data and its splits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A table of kdsl mislabelled, new_label filled in.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and write nothing.")
    ] = False,
) -> None:
    """Put new labels into the data and its splits; who is in which split stays as it is."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.workspace.layout import SPLITS, current_workspace
    from kdsl_cli.commands.workspace.settings_sources import current_settings
    from kdsl_cli.commands.workspace.splits import dialogues_in
    from kdsl_cli.dialogues import jsonl
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.dialogues.relabelling import check_new_labels, read_new_labels, relabelled
    from kdsl_cli.runs.atomic import write_text

    space, settings = current_workspace(), current_settings().data
    asked = read_new_labels(file)
    usual = space.path(settings.dialogues)
    paths = [path for path in (usual, *map(space.split_dialogues, SPLITS)) if path.is_file()]
    before = {path: dialogues_in(path) for path in paths}
    known = {one.id: one for dialogues in before.values() for one in dialogues}
    check_new_labels(asked, known, Catalogue.load(space.path(settings.catalogue)), str(file))
    labels = {one.id: one.label for one in asked if known[one.id].label != one.label}
    changed = [{"id": id, "before": known[id].label, "after": label} for id, label in labels.items()]
    written = []
    for path, dialogues in before.items():
        after = relabelled(dialogues, labels)
        if after != dialogues and not dry_run:
            write_text(path, jsonl.dump(after))
            written.append(str(path))
    lines = [f"{one['id']}: {one['before'] or '(none)'} → {one['after']}" for one in changed]
    verb = "would change" if dry_run else "changed"
    lines.append(f"{len(changed)} labels {verb}" + (f" in {', '.join(written)}" if written else ""))
    if not asked:
        lines.append(f"{file}: no row has a new_label")
    if written:
        lines.append("Next: kdsl run, which does anew what the labels shape")
    current_output().result("\n".join(lines), {"changed": changed, "files": written}, [*labels, *written])
