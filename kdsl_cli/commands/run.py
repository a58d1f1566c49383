"""``kdsl run``: every stage in order, each skipped where it is up to date."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from kdsl_cli import __version__
from kdsl_cli.commands.console import Output, current_output, set_output
from kdsl_cli.commands.workspace import Workspace, current_workspace
from kdsl_cli.errors import CheckFailed, StageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from kdsl_cli.commands.settings import Settings
    from kdsl_cli.reporting.tables import Tables

Split = Literal["train", "val", "test"]

LEARNT_FROM = ("train", "val")
"""The splits that are extracted before anything is learnt; the one that is judged comes after."""


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
    max_failed: Annotated[
        float, typer.Option(min=0, max=1, help="Exit with 1 if a larger share of pictures or rows failed.")
    ] = 0.05,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what is up to date and what is to do.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Do every stage anew.")] = False,
) -> None:
    """Do every stage that is not up to date, from reading the pictures to the score of a split."""
    from kdsl_cli.commands.settings_sources import current_settings

    settings = current_settings(
        {"predict.strategy": strategy, "mine.seed_rules": seed_rules or None, "small.model": small}
    )
    if dry_run:
        _show_plan(chain(settings, split, max_failed=max_failed, force=force))
        return
    tables = run_chain(settings, split, max_failed=max_failed, force=force)
    space = current_workspace()
    files = [*map(str, rule_files(space, tables)), str(space.eval_out(split))]
    current_output().result(report(space, split, tables), tables.overall.to_dicts(), files)
    check(tables, max_failed)


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of the chain.

    Attributes
    ----------
    verb
        What would do it alone.
    do
        Does it, or finds it up to date.
    out
        The folder of its manifest.
    wanted
        Options and seeds that its manifest must show for it to be up to date.
    splits
        Those it must have seen, of a stage that sees several.
    """

    verb: str
    do: Callable[[], object]
    out: Path
    wanted: Mapping[str, Any] = field(default_factory=dict)
    splits: tuple[str, ...] = ()


def chain(settings: Settings, split: Split, *, max_failed: float, force: bool) -> list[Step]:
    """Return the steps of this run's workspace, in order: nothing is judged on what was learnt from.

    `kdsl run` owns the folders of the stages: what other options left there is replaced.
    """
    from kdsl_cli.commands.answering import answer_questions
    from kdsl_cli.commands.evaluate import evaluate_split
    from kdsl_cli.commands.export import export
    from kdsl_cli.commands.extract import extract
    from kdsl_cli.commands.mine import mine, shaping_options
    from kdsl_cli.commands.predict import predict_split
    from kdsl_cli.commands.prune import prune
    from kdsl_cli.commands.small import shaping
    from kdsl_cli.commands.train import train_large
    from kdsl_cli.evidence.ocr import engine_id

    space = current_workspace()
    how = {"force": force, "replace": True}
    engine = {"engine": engine_id(settings.extract.max_side)}

    def see(verb: str, *splits: str) -> Step:
        do = partial(extract, settings, splits, max_failed=max_failed, **how)
        return Step(verb, do, space.evidence_out, engine, splits)

    drawn = [name for name in LEARNT_FROM if space.split_dialogues(name).is_file()]
    trained = {
        "large": settings.train.large,
        "knowledge": list(settings.mine.seed_rules),
        "train": settings.train.seed,
    }
    steps = [
        see("extract", *(drawn or LEARNT_FROM)),
        Step("mine-rules", partial(mine, settings, **how), space.mine_out, shaping_options(settings)),
        Step("prune-rules", partial(prune, settings, **how), space.prune_out, settings.prune.resolved()),
        Step("export-rules", partial(export, settings, None, **how), space.export_out),
        Step("train-large", partial(train_large, settings, **how), space.large_out, trained),
        Step(
            "predict",
            partial(predict_split, split, settings, **how),
            space.predict_out(split),
            settings.predict.resolved(),
        ),
        Step(
            "eval",
            partial(evaluate_split, split, settings.eval, **how),
            space.eval_out(split),
            settings.eval.resolved(),
        ),
    ]
    if split not in LEARNT_FROM:
        steps.insert(-2, see("extract", split))
    if settings.small.model is not None:
        # Only when the rules are there is it known what they ask.
        ask = partial(answer_questions, settings, (split,), force=force, replace=True)
        steps.insert(
            -2, Step("extract", ask, space.answers_out, {"small": shaping(settings.small)}, (split,))
        )
    return steps


def run_chain(settings: Settings, split: Split, *, max_failed: float = 0.05, force: bool = False) -> Tables:
    """Do every stage of this run's workspace that is not up to date; return the tables of `split`.

    Raises
    ------
    KdslError
        If a stage cannot be done: there are no dialogues, an input is wrong or leaks.
    KeyboardInterrupt
        If it was stopped; the same command goes on from there.
    """
    from kdsl_cli.reporting.tables import Tables

    _draw_splits(settings)
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
    return Group(summary(tables), "", Text(f"rules:  {rules}\ntables: {space.eval_out(split)}"))


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
    from kdsl_cli.commands.evaluate import missed_gates

    if missed := missed_gates(tables, min_weighted_f1=None, max_failed=max_failed):
        raise CheckFailed(missed)


def _draw_splits(settings: Settings) -> None:
    from kdsl_cli.commands.data import split

    space = current_workspace()
    dialogues = space.path(settings.data.dialogues)
    if space.splits.is_file():
        return
    if not dialogues.is_file():
        raise StageError("no such file", where=str(dialogues), fix="Run: kdsl data import FILE")
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


def _show_plan(steps: list[Step]) -> None:
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

    found = read_manifest(step.out)
    if found is None or not set(step.splits) <= set(found.config.get("splits", step.splits)):
        return "to do"
    if found.status != "success":
        return f"to go on with: {found.status}"
    if found.code.version != __version__:
        return f"to do again: made by version {found.code.version}"
    known = {**found.config, **found.seeds}
    other = sorted(name for name, value in step.wanted.items() if known.get(name) != value)
    if other:
        return f"to do again: other {', '.join(other)}"
    for record in found.inputs:
        path = step.out / record.path
        if not path.exists() or sha256_path(path) != record.sha256:
            return f"to do again: {path.name} changed"
    changed = changed_outputs(step.out, found)
    return f"to do again: {changed[0].where} {changed[0].what}" if changed else None
