"""``kdsl run``: every stage in order, each skipped where it is up to date."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from kdsl_cli.commands.console import Output, current_output, set_output
from kdsl_cli.commands.models.small import (
    MaxCallsOption,
    MaxMinutesOption,
    MaxTokensOption,
    QuantOption,
    small_given,
)
from kdsl_cli.commands.workspace.layout import Workspace, current_workspace
from kdsl_cli.errors import CheckFailed, StageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.reporting.tables import Tables

Split = Literal["train", "val", "test"]


def command(
    split: Annotated[Split, typer.Option(help="Whose dialogues are decided on and scored.")] = "test",
    strategy: Annotated[
        str | None, typer.Option(help="rules, large, rules-first or log-odds.", show_default=False)
    ] = None,
    seed_rules: Annotated[
        list[str] | None,
        typer.Option(help="Rule file that competes as drafts; may be repeated.", show_default=False),
    ] = None,
    small: Annotated[
        str | None,
        typer.Option(help="Model that proposes rules too, and answers them.", show_default=False),
    ] = None,
    quant: QuantOption = None,
    max_calls: MaxCallsOption = None,
    max_tokens: MaxTokensOption = None,
    max_minutes: MaxMinutesOption = None,
    large: Annotated[
        str | None, typer.Option(help="Who classifies: linear, or local:PATH_OR_ID.", show_default=False)
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="With --large local: memory of the device, 12g to 80g.", show_default=False),
    ] = None,
    max_failed: Annotated[
        float, typer.Option(min=0, max=1, help="Exit with 1 if a larger share of pictures or rows failed.")
    ] = 0.05,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what is up to date and what is to do.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Do every stage anew.")] = False,
) -> None:
    """Do every stage that is not up to date, from reading the pictures to the score of a split."""
    from kdsl_cli.commands.run.plan import show_plan
    from kdsl_cli.commands.run.steps import chain
    from kdsl_cli.commands.workspace.settings_sources import current_settings

    given = {
        "predict.strategy": strategy,
        "mine.seed_rules": seed_rules or None,
        **small_given(small, quant, max_calls, max_tokens, max_minutes),
        "train.large": large,
        "train.preset": preset,
    }
    settings = current_settings(given)
    if dry_run:
        _check(settings, force=force)
        show_plan(chain(settings, split, max_failed=max_failed, force=force), force=force)
        return
    tables = run_chain(settings, split, max_failed=max_failed, force=force)
    space = current_workspace()
    files = [*map(str, rule_files(space, tables)), str(space.eval_out(split))]
    current_output().result(report(space, split, tables), tables.overall.to_dicts(), files)
    check(tables, max_failed)


def run_chain(settings: Settings, split: Split, *, max_failed: float = 0.05, force: bool = False) -> Tables:
    """Do every stage of this run's workspace that is not up to date; return the tables of `split`.

    Raises
    ------
    KdslError
        If a stage cannot be done: there are no dialogues, an input is wrong or leaks.
    KeyboardInterrupt
        If it was stopped; the same command goes on from there.
    """
    from kdsl_cli.commands.run.steps import chain
    from kdsl_cli.reporting.tables import Tables

    _check(settings, force=force)
    _draw_splits()
    for step in chain(settings, split, max_failed=max_failed, force=force):
        before, started = _ended(step.out), time.monotonic()
        with _heard_as(step.verb):
            step.do()
            if _ended(step.out) != before:
                current_output().note(f"done in {time.monotonic() - started:.0f} s")
    return Tables.read(current_workspace().eval_out(split))


def report(space: Workspace, split: str, tables: Tables) -> RenderableType:
    """Return the scores, and where the rules and tables behind them lie."""
    from rich.console import Group
    from rich.text import Text

    from kdsl_cli.reporting.summary import summary

    rules = ", ".join(map(str, rule_files(space, tables)))
    lines = (f"rules:  {rules}", f"tables: {space.eval_out(split)}", f"page:   {space.report(split)}")
    return Group(summary(tables), "", Text("\n".join(lines)))


def rule_files(space: Workspace, tables: Tables) -> list[Path]:
    """Return the rule files of the tasks that were scored."""
    return [
        path for task in tables.per_intent["task"].unique(maintain_order=True)
        if (path := space.rules(task)).is_file()
    ]  # fmt: skip


def check(tables: Tables, max_failed: float) -> None:
    """Do nothing if few enough rows failed.

    Raises
    ------
    CheckFailed
        Naming the first of them.
    """
    from kdsl_cli.commands.judge.evaluate import missed_gates

    if missed := missed_gates(tables, min_weighted_f1=None, max_failed=max_failed):
        raise CheckFailed(missed)


def _check(settings: Settings, *, force: bool) -> None:
    """Do nothing if the chain can begin here: there are dialogues, and no tuned model is lost without a word.

    Raises
    ------
    StageError
        Saying what to do first.
    """
    space = current_workspace()
    if not force:
        _spare_tuned(settings)
    dialogues = space.path(settings.data.dialogues)
    if not (space.splits.is_file() or dialogues.is_file()):
        raise StageError("no such file", where=str(dialogues), fix="Run: kdsl data import FILE")


def _spare_tuned(settings: Settings) -> None:
    """Refuse to put another model in the place of a tuned one: that may have taken hours on a GPU."""
    from kdsl_cli.commands.train.train import LINEAR
    from kdsl_cli.runs.manifest import read_manifest

    folder, wanted = current_workspace().large_out, settings.train.large
    found = read_manifest(folder)
    tuned = found.config.get("large", LINEAR) if found else LINEAR
    if tuned not in (LINEAR, wanted):
        raise StageError(
            f"holds a model tuned from {tuned}, and this run would put {wanted} in its place",
            where=str(folder),
            fix=f'Say so in kdsl.yaml (train: {{large: "{tuned}"}}) or with --large; --force replaces it',
        )


def _draw_splits() -> None:
    from kdsl_cli.commands.intake.parting import command as split

    space = current_workspace()
    if space.splits.is_file():
        return
    current_output().note(f"data split: there is no {space.splits} yet, so the dialogues are parted first")
    with _heard_as("data split"):
        split()


@dataclass(frozen=True, slots=True)
class _Within(Output):
    """How a stage talks while the chain runs: by its name, and its result is not the run's."""

    verb: str = ""

    def result(self, human: RenderableType, data: Any, quiet: Any) -> None:
        if isinstance(human, str):
            self.detail(human)

    def note(self, text: str) -> None:
        Output.note(self, f"{self.verb}: {text}")  # no super(): slots make this another class


@contextmanager
def _heard_as(verb: str) -> Iterator[None]:
    output = current_output()
    set_output(_Within(output.format, output.verbosity, verb))
    try:
        yield
    finally:
        set_output(output)


def _ended(out: Path) -> str | None:
    from kdsl_cli.runs.manifest import read_manifest

    found = read_manifest(out)
    return found.ended if found else None
