"""``kdsl export-rules``: the kept rules as YAML that a person reads, edits and vetoes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kdsl_cli.commands.console import current_argv, current_output
from kdsl_cli.commands.extract.training_data import load_training_data
from kdsl_cli.commands.workspace.layout import Workspace, current_workspace

if TYPE_CHECKING:
    import polars as pl
    from rich.console import RenderableType

    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.logic.rule import RuleBase

_ROWS = 12  # rules of a task shown on the screen; all of them are in the table's file and as JSON


def command(
    out: Annotated[
        Path | None, typer.Option(help="Folder of the rule files; rules by default.", show_default=False)
    ] = None,
) -> None:
    """Write rules/TASK.yaml: mined rules are replaced, what a person wrote or reviewed stays."""
    from kdsl_cli.commands.workspace.settings_sources import current_settings

    export(current_settings({}), out, force=True)


def export(
    settings: Settings, out: Path | None = None, *, force: bool = False, replace: bool = False
) -> None:
    """Do the stage `export` of the current workspace, or say that it is up to date.

    A rule file that is there already is merged: comments, drafts, reviewed and disabled rules stay as they
    are. Where pruning left nothing new the files are not even opened: an edited file stays as edited.
    `force` and `replace` are those of `runs.stage.Stage`.

    Raises
    ------
    KdslError
        If the pruner's file is missing or not whole, or a rule file is not valid.
    """
    from kdsl_cli.mining.keeping import read_kept
    from kdsl_cli.runs.inputs import require_success
    from kdsl_cli.runs.stage import Stage

    space = current_workspace()
    require_success(space.prune_out, command="kdsl prune-rules", only=[space.kept.name])
    stage = Stage(
        "export",
        space.export_out,
        config={"folder": None if out is None else str(out)},
        inputs=[space.kept],
        argv=current_argv(),
        force=force,
        replace=replace,
    )
    if stage.up_to_date():
        current_output().note("up to date")
        return
    folder = out or space.rules_out
    written: dict[str, bool] = {}
    bases: dict[str, RuleBase] = {}
    with stage.run() as run:
        for task, kept in read_kept(space.kept).items():
            path = run.output(folder / f"{task}.yaml", editable=True)
            bases[task], changed = _write(path, kept, _header(space, settings, task, path))
            written[str(path)] = changed
            run.count(total=len(kept.rules), ok=len(kept.rules))
    _report(space, settings, bases, written)


def _header(space: Workspace, settings: Settings, task: str, path: Path) -> str:
    """Return the comment at the top of a new file; in the workspace, editors are told of its schema too."""
    from kdsl_cli.commands.workspace.modelines import write_rule_schema
    from kdsl_cli.dialogues.catalogue import Catalogue

    if path != space.rules(task):
        return HEADER
    names = Catalogue.load(space.path(settings.data.catalogue)).task(task).names
    return f"{write_rule_schema(space, task, names, path)}\n{HEADER}"


def _write(path: Path, kept: RuleBase, header: str) -> tuple[RuleBase, bool]:
    from dataclasses import replace

    from kdsl_cli.logic.codec import dump_rules, loads, merge_into
    from kdsl_cli.runs.atomic import write_text

    base = replace(kept, header=header)
    before = path.read_text(encoding="utf-8") if path.is_file() else None
    after = dump_rules(base) if before is None else merge_into(before, base, path)
    if after != before:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, after)
    return loads(after, path), after != before


HEADER = """Rules of this task. Edit them: an edited file is used as edited.
status: "mined" rules are weighed anew or dropped by the next export, unless you edited what they look for;
set "reviewed" to keep a rule as it is, "disabled" to veto it. weight: log-odds that the rule adds to its
intent when it fires; negative speaks against.
base_rates: log-odds that an intent starts from where rules speak; 0 if left out. A plain number is replaced
by the next export; {weight: -1.5, status: "reviewed"} stays."""


def _report(
    space: Workspace, settings: Settings, bases: Mapping[str, RuleBase], written: Mapping[str, bool]
) -> None:
    from rich.console import Group

    from kdsl_cli.logic.coverage import coverage
    from kdsl_cli.logic.firing import firing_matrix

    data = load_training_data(space, settings, answered=True)
    tables: list[RenderableType] = []
    rows: list[dict[str, Any]] = []
    for one in data.tasks:
        base = bases.get(one.task.name)
        if base is None or not base.active:
            continue
        matrix = firing_matrix(base.active, one.dialogues)
        frame = coverage(base.active, matrix, list(one.labels))
        rows += frame.to_dicts()
        tables.append(_table(one.task.name, frame))
    output = current_output()
    for path, changed in written.items():
        output.note(f"{path}: {'written' if changed else 'up to date'}")
    output.result(Group(*tables), rows, list(written))


def _table(task: str, frame: pl.DataFrame) -> RenderableType:
    from rich.table import Table

    shown = frame.sort("fired", descending=True).head(_ROWS)
    note = f"the {len(shown)} that fire most of {len(frame)}; counted on the training dialogues"
    table = Table(title=f"{task}: {note}", title_justify="left")
    for name in ("rule", "intent"):
        table.add_column(name, overflow="fold")
    for name in ("fired", "correct", "at least", "overlaps", "conflicts"):
        table.add_column(name, justify="right")
    for row in shown.iter_rows(named=True):
        low = row["precision_low"]
        table.add_row(
            row["rule"],
            row["intent"],
            str(row["fired"]),
            str(row["correct"]),
            "" if low is None else f"{low:.2f}",
            str(row["overlaps"]),
            str(row["conflicts"]),
        )
    return table
