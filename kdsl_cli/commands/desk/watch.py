"""``kdsl rules watch``: score rules anew whenever a rule file is saved."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.desk.diff import RulesOnly, judge_of, report
from kdsl_cli.commands.desk.opening import Input, Split, rule_files
from kdsl_cli.commands.workspace.layout import current_workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kdsl_cli.commands.desk.judging import Judge
    from kdsl_cli.logic.rule import RuleBase
    from kdsl_cli.prediction.table import Prediction

Stamps = Mapping[Path, tuple[int, int]]


def command(
    rules: Annotated[
        Path | None, typer.Argument(metavar="[RULES]", help="A folder or a file; the workspace's by default.")
    ] = None,
    split: Annotated[Split, typer.Option(help="Dialogues of the workspace to score on.")] = "val",
    input: Input = None,
    rules_only: RulesOnly = False,
    every: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks at the files.")] = 0.5,
) -> None:
    """Score rules anew at every save, and say which dialogues change their answer; Ctrl-C ends it."""
    from kdsl_cli.commands.workspace.settings_sources import current_settings

    place = rules or current_workspace().rules_out
    bases = _read(place)
    judge = judge_of(current_settings(), list(bases.values()), split, input, None, rules_only)
    rows = judge.decide(bases)
    output = current_output()
    output.result(f"{_scores(rows)}\nWatching {place}; Ctrl-C ends it", _plain(rows), str(place))
    try:
        _follow(place, every, judge, bases, rows)
    except KeyboardInterrupt:  # how a watch ends: nothing was broken off
        output.note("\nno longer watching")


def _follow(
    place: Path, every: float, judge: Judge, bases: Mapping[str, RuleBase], rows: Sequence[Prediction]
) -> None:
    """Tell after each save what it changed, beginning with what `bases` decide."""
    from kdsl_cli.errors import KdslError

    for _ in _saves(place, every):
        try:
            new = _read(place)
            after = judge.decide({task: base for task, base in new.items() if task in judge.intents})
        except KdslError as error:  # half a thought: the next save may mend it
            for problem in error.problems:
                current_output().error(problem.render())
            continue
        _tell(judge, bases, new, rows, after)
        bases, rows = new, after


def _read(place: Path) -> dict[str, RuleBase]:
    return {file.base.task: file.base for file in rule_files([place])}


def _tell(
    judge: Judge,
    bases: Mapping[str, RuleBase],
    new: Mapping[str, RuleBase],
    rows: Sequence[Prediction],
    after: Sequence[Prediction],
) -> None:
    from rich.console import Group

    from kdsl_cli.logic.rule import RuleBase

    old = {task: bases.get(task, RuleBase(task)) for task in new}
    told, data = report(judge, old, new, rows, after)
    human = Group("", told, _scores(after))
    current_output().result(human, {**data, "scores": _plain(after)}, [one["id"] for one in data["changes"]])


def _saves(place: Path, every: float) -> Iterator[None]:
    """Yield whenever a rule file has changed and then stayed as it is for one look.

    Looking is enough: a folder of rules is a handful of files, and looking works on every file system.
    """
    known = _stamps(place)
    while True:
        time.sleep(every)
        now = _stamps(place)
        if now != known:
            while (later := _stamps(place)) != now or not now:
                now = later
                time.sleep(every)
            known = now
            yield


def _stamps(place: Path) -> Stamps:
    found = {}
    for path in sorted(place.glob("*.yaml")) if place.is_dir() else [place]:
        try:
            about = path.stat()
        except FileNotFoundError:  # an editor is about to put the new file in its place
            continue
        found[path] = (about.st_mtime_ns, about.st_size)
    return found


def _plain(rows: Sequence[Prediction]) -> dict[str, dict[str, float | int | None]]:
    from kdsl_cli import metrics

    told = {}
    for task in dict.fromkeys(row.task for row in rows):
        known = [row for row in rows if row.task == task and row.label is not None and row.error is None]
        labels, said = [row.label or "" for row in known], [row.prediction for row in known]
        told[task] = {
            "labelled": len(known),
            "accuracy": metrics.accuracy(labels, said),
            "weighted_f1": metrics.weighted_f1(labels, said),
            "silent": sum(one is None for one in said),
        }
    return told


def _scores(rows: Sequence[Prediction]) -> str:
    lines = []
    for task, told in _plain(rows).items():
        if told["labelled"]:
            scores = f"accuracy {told['accuracy']:.3f}, weighted F1 {told['weighted_f1']:.3f}"
            lines.append(f"{task}: {scores} on {told['labelled']} dialogues, silent on {told['silent']}")
        else:
            lines.append(f"{task}: no dialogue has a label")
    return "\n".join(lines)
