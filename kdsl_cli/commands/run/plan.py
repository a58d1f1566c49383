"""``kdsl run --dry-run``: which steps are up to date, and why the others are not; nothing is done."""

from __future__ import annotations

from collections.abc import Sequence

from kdsl_cli import __version__
from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.run.steps import Step
from kdsl_cli.commands.workspace.layout import current_workspace


def show_plan(steps: Sequence[Step]) -> None:
    """Print the state of every step of this run's workspace, the parting of the dialogues first."""
    from rich.table import Table

    space = current_workspace()
    states = [("data split", None if space.splits.is_file() else f"{space.splits} is not there")]
    states += [(step.verb, _to_do(step)) for step in steps]
    first = next((verb for verb, why in states if why), None)
    table = Table("stage", "state", box=None, pad_edge=False)
    rows, changing = [], False
    for verb, why in states:
        changing = changing or verb == first
        unless = f"up to date, unless '{first}' changes what it reads" if changing else "up to date"
        table.add_row(verb, why or unless)
        rows.append({"stage": verb, "up_to_date": why is None, "state": why or unless})
    current_output().result(table, rows, [verb for verb, why in states if why])


def _to_do(step: Step) -> str | None:
    """Return why the step is not up to date, as far as its manifest tells; None if it is."""
    from kdsl_cli.runs.hashing import sha256_path
    from kdsl_cli.runs.inputs import changed_outputs
    from kdsl_cli.runs.manifest import read_manifest

    wanted = dict(step.wanted)
    if step.questions is not None:
        asked = step.questions()
        if not asked and step.splits:
            return None  # nobody has anything to answer
        wanted["questions"] = {task: list(questions) for task, questions in asked.items()}
    found = read_manifest(step.out)
    if found is None or not set(step.splits) <= set(found.config.get("splits", step.splits)):
        return "to do"
    if found.status != "success":
        return f"to go on with: {found.status}"
    if found.code.version != __version__:
        return f"to do again: made by version {found.code.version}"
    known = {**found.config, **found.seeds}
    other = sorted(name for name, value in wanted.items() if known.get(name) != value)
    if other:
        return f"to do again: other {', '.join(other)}"
    for record in found.inputs:
        path = step.out / record.path
        if not path.exists() or sha256_path(path) != record.sha256:
            return f"to do again: {path.name} changed"
    changed = changed_outputs(step.out, found)
    return f"to do again: {changed[0].where} {changed[0].what}" if changed else None
