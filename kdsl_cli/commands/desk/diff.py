"""``kdsl rules diff``: which dialogues change their answer from one rule base to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kdsl_cli.commands.desk.judging import Judge, intents_of, joint_decision
from kdsl_cli.commands.desk.opening import Input, Split, open_material, rule_files
from kdsl_cli.commands.workspace.layout import current_workspace, find_workspace

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.logic.revising import Revision
    from kdsl_cli.logic.rule import RuleBase
    from kdsl_cli.prediction.foretelling import Change
    from kdsl_cli.prediction.table import Prediction

RulesOnly = Annotated[
    bool, typer.Option("--rules-only", help="Let the rules decide alone, whatever was predicted.")
]


def command(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="A rule file, or a folder of them.")],
    after: Annotated[
        Path | None, typer.Argument(metavar="[AFTER]", help="Another; the workspace's rules by default.")
    ] = None,
    split: Annotated[Split, typer.Option(help="Dialogues of the workspace to look at.")] = "test",
    input: Input = None,
    predictions: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="What kdsl predict left of --input.", show_default=False),
    ] = None,
    rules_only: RulesOnly = False,
) -> None:
    """Say which dialogues change their answer, just as kdsl predict will when it is run again."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.workspace.settings_sources import current_settings

    settings = current_settings()
    old, new = _sides(before, after or current_workspace().rules_out)
    judge = judge_of(settings, [*old.values(), *new.values()], split, input, predictions, rules_only)
    human, data = report(judge, old, new, judge.decide(old), judge.decide(new))
    current_output().result(human, data, [one["id"] for one in data["changes"]])
    if judge.joint and data["revisions"] and after is None and input is None:
        current_output().note(f"to make it so: {judge.joint.again}")


def _sides(before: Path, after: Path) -> tuple[dict[str, RuleBase], dict[str, RuleBase]]:
    """Read both sides. A file speaks of its own task alone; a folder has no rules for what is not in it."""
    from kdsl_cli.errors import ConfigError
    from kdsl_cli.logic.rule import RuleBase

    old, new = ({one.base.task: one.base for one in rule_files([path])} for path in (before, after))
    tasks = [
        task for task in dict.fromkeys([*old, *new]) if _named(task, before, old) and _named(task, after, new)
    ]
    if not tasks:
        told = f"{before} is of {', '.join(old)}, {after} of {', '.join(new)}"
        raise ConfigError("no task has rules on both sides", where=told, fix="Name files of the same task")
    return tuple({task: side.get(task, RuleBase(task)) for task in tasks} for side in (old, new))  # type: ignore[return-value]


def _named(task: str, path: Path, side: Mapping[str, RuleBase]) -> bool:
    return path.is_dir() or task in side


def judge_of(
    settings: Settings,
    bases: Sequence[RuleBase],
    split: str,
    input: Path | None,
    predictions: Path | None,
    rules_only: bool,
) -> Judge:
    """Return who decides: as predicted before, if anything was, else the rules alone.

    Parameters
    ----------
    bases
        All rules that are going to be held against the dialogues.
    split, input
        Which dialogues.
    predictions
        Folder that ``kdsl predict`` left; None: that of the split.
    rules_only
        Whether what was predicted is not to be looked at.

    Raises
    ------
    KdslError
        If dialogues or predictions are not whole, or no longer fit each other.
    """
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.runs.inputs import require_success
    from kdsl_cli.runs.manifest import read_manifest

    space = find_workspace()
    model = read_manifest(space.large_out) if space else None
    hears = model is not None and "questions" in model.config
    folder = predictions or (space.predict_out(split) if space and input is None else None)
    command = (
        f"kdsl predict --split {split}" if input is None else f"kdsl predict --input {input} --out {folder}"
    )
    found = None if rules_only or folder is None else joint_decision(folder, settings, command)
    material = open_material(settings, bases, splits=[split], input=input, out=predictions, mined=False)
    tasks = {base.task for base in bases}
    if found is None:
        if predictions is not None and not rules_only:
            require_success(predictions, command=command)
        if folder is not None and not rules_only:
            current_output().note(f"nothing was predicted in {folder}: the rules are looked at alone")
        return Judge(material, intents_of(settings, bases), hears=hears)
    joint, intents = found
    return Judge(material, {task: names for task, names in intents.items() if task in tasks}, joint, hears)


def _moved(first: Sequence[Prediction], second: Sequence[Prediction]) -> int:
    """Count the dialogues that keep their answer with other scores."""
    then = {row.id: row for row in first}
    return sum(
        row.prediction == then[row.id].prediction and row.scores != then[row.id].scores for row in second
    )


def report(
    judge: Judge,
    old: Mapping[str, RuleBase],
    new: Mapping[str, RuleBase],
    first: Sequence[Prediction],
    second: Sequence[Prediction],
) -> tuple[RenderableType, dict[str, Any]]:
    """Return what differs between two rule bases and between what they decide: for people, and as JSON."""
    from rich.console import Group

    from kdsl_cli.logic.revising import revisions
    from kdsl_cli.prediction.foretelling import changes

    revised = {task: revisions(old[task], new[task]) for task in old}
    asked = {task: each for task in old if any((each := _asked(old[task], new[task])).values())}
    found, moved = changes(first, second), _moved(first, second)
    data = {
        "decided": judge.told(),
        "revisions": {task: [asdict(one) for one in each] for task, each in revised.items() if each},
        "asked": asked,
        "dialogues": len(second),
        "scores_moved": moved,
        "changes": [{**asdict(one), "effect": one.effect} for one in found],
    }
    human = _human(judge, revised, found, f"{moved} keep it with other scores", len(second))
    return Group(human, *_asked_lines(judge, asked)), data


def _asked(old: RuleBase, new: RuleBase) -> dict[str, list[str]]:
    """Return the questions that the rules in use come to ask, and those they cease to."""
    from kdsl_cli.evidence.questions import asked_by

    before, after = set(asked_by(old.rules)), set(asked_by(new.rules))
    return {"begun": sorted(after - before), "ended": sorted(before - after)}


def _asked_lines(judge: Judge, asked: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterator[Text]:
    """Yield what else an edit of questions does: the answers are evidence of the linear model too."""
    from rich.text import Text

    words = {"begun": "the rules now ask", "ended": "no rule asks any more"}
    for task, each in asked.items():
        for kind, questions in each.items():
            if questions:
                yield Text(f"{task}: {words[kind]}: {', '.join(questions)}")
    if asked and judge.hears:
        told = "So kdsl run trains the linear model anew: what it says then is not foretold here."
        yield Text(told, style="yellow")


def _human(
    judge: Judge,
    revised: Mapping[str, Sequence[Revision]],
    found: Sequence[Change],
    moved: str,
    dialogues: int,
) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    lines: list[RenderableType] = [
        Text.assemble((f"{task}: ", "dim"), (one.kind, "bold"), " ", (_thing(one), "cyan"), _keys(one))
        for task, each in revised.items()
        for one in each
    ]
    lines.append(Text(f"{judge.material.where}, {judge.told()}", style="dim"))
    if found:
        lines += ["", _table(found), ""]
    counts = Counter(one.effect for one in found)
    told = f"{len(found)} of {dialogues} dialogues change their answer"
    if found:
        told += f": {counts['mended']} become right, {counts['broken']} wrong, {counts['other']} neither"
    return Group(*lines, Text(f"{told}; {moved}"))


def _thing(one: Revision) -> str:
    return f"base rate of {one.name}" if one.base_rate else one.name


def _keys(one: Revision) -> str:
    return f" ({', '.join(one.keys)})" if one.keys else ""


def _table(found: Sequence[Change]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    styles = {"mended": "green", "broken": "red", "other": "yellow"}
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("Dialogue", "Label", "Before", "After", "Rules"):
        table.add_column(name, overflow="fold")
    for one in found:
        rules = [*(f"- {name}" for name in one.stopped), *(f"+ {name}" for name in one.began)]
        table.add_row(
            Text(one.id),
            Text(one.label or "–"),
            Text(f"{one.before or '(abstained)'}"),
            Text(f"{one.after or '(abstained)'}", style=styles[one.effect]),
            Text("\n".join(rules) or "other weights", style="dim"),
        )
    return table
