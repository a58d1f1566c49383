"""``kdsl rules explain``: one rule, with what it catches, what it gets wrong, and who else speaks there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.desk.opening import Input, RuleFile, Split, open_material, rule_files
from kdsl_cli.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kdsl_cli.logic.rule import Rule
    from kdsl_cli.reporting.portrait import Case, Neighbour, Portrait


def command(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule's id.")],
    split: Annotated[Split, typer.Option(help="Dialogues of the workspace to look at.")] = "train",
    input: Input = None,
    top: Annotated[int, typer.Option(min=0, help="Cases and neighbours of a kind shown; 0: all.")] = 5,
) -> None:
    """Show one rule at work: what it catches, gets wrong and just misses, and its nearest competitors."""
    from kdsl_cli.commands.workspace.settings_sources import current_settings
    from kdsl_cli.logic.linting.places import places
    from kdsl_cli.reporting.portrait import portray

    file, one = _find(rule)
    material = open_material(current_settings(), [file.base], splits=[split], input=input)
    own, facts = material.of(file.base.task)
    seen = portray(one, file.base.rules, own, facts)
    at = places(file.text, str(file.path)).rules[file.base.rules.index(one)].lines[""]
    head = f"{file.path}:{at}"
    where = f"the {len(own)} dialogues of {material.where}"
    current_output().result(_report(one, head, where, seen, top), _plain(one, head, seen), head)


def _find(name: str) -> tuple[RuleFile, Rule]:
    files = rule_files(None)
    for file in files:
        for one in file.base.rules:
            if one.id == name:
                return file, one
    known = [one.id for file in files for one in file.base.rules]
    fix = did_you_mean(name, known) or "kdsl rules stats lists them"
    raise ConfigError(f"no rule has the id '{name}'", where=str(files[0].path.parent), fix=fix)


def _plain(rule: Rule, head: str, seen: Portrait) -> dict[str, Any]:
    from kdsl_cli.logic.describing import describe

    told = {name: [asdict(case) for case in getattr(seen, name)] for name in _KINDS}
    neighbours = {
        name: [
            {
                "rule": one.rule.id,
                "intent": one.rule.intent,
                "together": one.together,
                "its": one.its,
                "ours": one.ours,
            }
            for one in getattr(seen, name)
        ]
        for name in ("competitors", "allies")
    }
    about = {"rule": rule.id, "intent": rule.intent, "at": head, "when": describe(rule.when)}
    return {**about, **told, "missed": list(seen.missed), **neighbours}


_KINDS = {
    "right": ("Right on", "green"),
    "wrong": ("Wrong on", "red"),
    "unlabelled": ("Fires without a label to hold it to, on", "cyan"),
    "unknown": ("Unknown, for want of a fact, on", "yellow"),
    "near": ("Just misses", "yellow"),
}


def _report(rule: Rule, head: str, where: str, seen: Portrait, top: int) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from kdsl_cli.logic.describing import describe

    parts: list[RenderableType] = [
        Text.assemble((rule.id, "bold cyan"), f"  {rule.status}, weight {rule.weight:g}  ", (head, "dim")),
        Text(f"{'For' if rule.weight > 0 else 'Against'} {rule.intent}, when {describe(rule.when)}"),
    ]
    parts += [Text(said) for said in (_evidence(rule), rule.why, rule.note) if said]
    parts += ["", Text(f"On {where}:", style="dim")]
    for kind, (title, style) in _KINDS.items():
        parts += _cases(title, style, getattr(seen, kind), top)
    if seen.missed:
        more = f" and {len(seen.missed) - 8} more" if len(seen.missed) > 8 else ""
        parts.append(Text(f"Misses {len(seen.missed)}: {', '.join(seen.missed[:8])}{more}", style="dim"))
    parts += _neighbours("Nearest competitors", seen.competitors, rule, top)
    parts += _neighbours("Allies", seen.allies, rule, top)
    return Group(*parts)


def _evidence(rule: Rule) -> str:
    if rule.evidence is None:
        return ""
    one = rule.evidence
    low = "" if one.precision_low is None else f", a precision of at least {one.precision_low:.2f}"
    return f"Out of fold: {one.correct} of {one.fired} right{low}"


def _cases(title: str, style: str, cases: Sequence[Case], top: int) -> list[RenderableType]:
    from rich.text import Text

    if not cases:
        return []
    shown = cases[:top] if top else cases
    lines: list[RenderableType] = [Text(f"{title} {len(cases)}", style=f"bold {style}")]
    for case in shown:
        label = "" if case.label is None else f" ({case.label})"
        lines.append(Text.assemble("  ", (case.id, "bold"), label, (f"  {'; '.join(case.because)}", "dim")))
    if len(shown) < len(cases):
        lines.append(Text(f"  and {len(cases) - len(shown)} more: --top 0", style="dim"))
    return lines


def _neighbours(title: str, found: Sequence[Neighbour], rule: Rule, top: int) -> list[RenderableType]:
    from rich.text import Text

    from kdsl_cli.reporting.fitting import Fitting

    if not found:
        return []
    shown = found[:top] if top else found
    cells = [(one.rule.id, one.rule.intent, one.together, one.its, one.ours) for one in shown]
    rows = [[Text(str(cell)) for cell in row] for row in cells]
    numbers = ("both fire", "it right", "this right")
    return ["", Fitting((title, "intent", *numbers), rows, numbers=numbers, spare=("intent",))]
