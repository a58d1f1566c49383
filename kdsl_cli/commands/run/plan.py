"""``kdsl run --dry-run``: which steps are up to date, and why the others are not; nothing is done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kdsl_cli import __version__
from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.run.steps import Step
from kdsl_cli.commands.workspace.layout import current_workspace


@dataclass(frozen=True, slots=True)
class _Planned:
    """What is to become of a step: done, if there is a reason; else perhaps, if an earlier one is done."""

    name: str
    verb: str
    reason: str | None
    earlier: str | None = None

    @property
    def state(self) -> str:
        return self.reason or (
            "up to date" if not self.earlier else f"to do only if {self.earlier} changes anything"
        )

    def record(self) -> dict[str, Any]:
        return {
            "stage": self.verb,
            "step": self.name,
            "up_to_date": self.reason is None,
            "only_if_changed": self.earlier,
            "state": self.state,
        }


def show_plan(steps: Sequence[Step], *, force: bool) -> None:
    """Print what would become of every step of this run's workspace, and why."""
    from rich.console import Group
    from rich.table import Table

    plan = list(_planned(steps, force))
    table = Table("step", "state", box=None, pad_edge=False)
    for one in plan:
        table.add_row(one.name, one.state)
    quiet = [one.verb for one in plan if one.reason]
    current_output().result(Group(table, "", _told(plan)), [one.record() for one in plan], quiet)


def _planned(steps: Sequence[Step], force: bool) -> Iterator[_Planned]:
    """Give what would become of each step, the parting of the dialogues first."""
    splits = current_workspace().splits
    parted = _Planned(
        "data split", "data split", None if splits.is_file() else f"to do: there is no {splits}"
    )
    yield parted
    causes = {"data split": parted.name} if parted.reason else {}  # by verb, what may change its outputs
    for step in steps:
        reason = "to do again: --force" if force else _to_do(step)
        earlier = None if reason else next((causes[verb] for verb in step.reads if verb in causes), None)
        if reason or earlier:
            causes.setdefault(step.verb, earlier or step.name)
        yield _Planned(step.name, step.verb, reason, earlier)


def _told(plan: Sequence[_Planned]) -> str:
    to_do, perhaps = sum(bool(one.reason) for one in plan), sum(bool(one.earlier) for one in plan)
    if not to_do:
        return "Everything is up to date: kdsl run would only show the scores."
    more = f", and {perhaps} more if what they read changes" if perhaps else ""
    return f"kdsl run would do {to_do} of {len(plan)} steps{more}. Nothing was done now."


def _to_do(step: Step) -> str | None:
    """Return why the step is not up to date, as far as its manifest tells; None if it is."""
    from kdsl_cli.runs.hashing import sha256_path
    from kdsl_cli.runs.inputs import UNFINISHED, changed_outputs
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
        return f"to go on: it {UNFINISHED[found.status]}"
    if found.code.version != __version__:
        return f"to do again: made by version {found.code.version}"
    known = {**found.config, **found.seeds}
    other = sorted(name for name, value in wanted.items() if known.get(name) != value)
    if "questions" in other:
        return "to do again: the rules ask other questions"
    if other:
        return f"to do again: other settings ({', '.join(other)})"
    for record in found.inputs:
        path = step.out / record.path
        if not path.exists() or sha256_path(path) != record.sha256:
            return f"to do again: {path.name} changed"
    changed = changed_outputs(step.out, found)
    return f"to do again: {changed[0].where} {changed[0].what}" if changed else None
