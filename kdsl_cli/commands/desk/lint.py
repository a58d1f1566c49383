"""``kdsl rules lint``: what is amiss in rules, each finding with its line, a code and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kdsl_cli.commands.desk.opening import (
    CatalogueFile,
    Rules,
    Split,
    find_catalogue,
    open_material,
    rule_files,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kdsl_cli.commands.desk.opening import Material, RuleFile
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.logic.linting.on_dialogues import Sample


def command(
    rules: Rules = None,
    catalogue: CatalogueFile = None,
    split: Annotated[Split, typer.Option(help="Dialogues of the workspace to try the rules on.")] = "train",
    alone: Annotated[bool, typer.Option("--alone", help="Look at the files alone, at no dialogue.")] = False,
    select: Annotated[
        list[str] | None,
        typer.Option(help="Look for this alone: a code or its start, or a name; repeatable."),
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Pass this over; repeatable.")] = None,
) -> None:
    """Say what is amiss in rules, with line, code and what to do; exit code 1 if anything is."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.workspace.settings_sources import current_settings
    from kdsl_cli.errors import CheckFailed
    from kdsl_cli.logic.linting.linting import chosen

    settings = current_settings()
    wanted = chosen(select or ["R"]) - chosen(ignore or [])
    files = rule_files(rules)
    known = find_catalogue(catalogue, (file.path for file in files), settings)
    material = None if alone else _material(files, settings, split)
    found = [row for row in _findings(files, known, material, settings) if row["code"] in wanted]
    output = current_output()
    output.result(_report(files, found), found, [f"{row['path']}:{row['line']}" for row in found])
    if found:
        raise CheckFailed(f"{_count(len(found), 'finding')} in {_count(len(files), 'file')}")


def _material(files: Sequence[RuleFile], settings: Settings, split: Split) -> Material | None:
    """Open the dialogues of a split, where there is a workspace that has extracted it."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.workspace.layout import find_workspace

    space = find_workspace()
    if space is None or not space.evidence(split).is_file():
        why = "there is no workspace here" if space is None else f"run first: kdsl extract --split {split}"
        current_output().note(f"only the files are looked at, no dialogues: {why}")
        return None
    return open_material(settings, [file.base for file in files], splits=[split])


def _findings(
    files: Sequence[RuleFile], known: Catalogue | None, material: Material | None, settings: Settings
) -> list[dict[str, Any]]:
    from kdsl_cli.logic.linting.linting import lint
    from kdsl_cli.logic.linting.places import places

    ids = _known_ids(settings) if material else frozenset()
    rows = []
    for file in files:
        at = places(file.text, str(file.path))
        task = file.base.task
        intents = None if known is None else known.task(task).names
        sample = _sample(material, task, ids) if material else None
        for one in lint(file.base, at, intents=intents, sample=sample):
            rule = None if one.rule is None else file.base.rules[one.rule].id
            row = {"path": str(file.path), "line": at.line(one), "rule": rule, "code": one.lint.code}
            rows.append({**row, "name": one.lint.name, "what": one.what, "fix": one.lint.fix})
    return rows


def _sample(material: Material, task: str, ids: frozenset[str]) -> Sample | None:
    from kdsl_cli.logic.linting.on_dialogues import Sample

    own, facts = material.of(task)
    if not own:
        return None
    return Sample(facts, tuple(one.label for one in own), tuple(one.group for one in own), ids)


def _known_ids(settings: Settings) -> frozenset[str]:
    """Return every id of the data set, whichever split it is in: an example may be of any."""
    from kdsl_cli.commands.workspace.layout import SPLITS, current_workspace
    from kdsl_cli.commands.workspace.splits import dialogues_in

    space = current_workspace()
    usual = space.path(settings.data.dialogues)
    paths = [usual] if usual.is_file() else [space.split_dialogues(name) for name in SPLITS]
    return frozenset(one.id for path in paths if path.is_file() for one in dialogues_in(path))


def _report(files: Sequence[RuleFile], found: Sequence[dict[str, Any]]) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    if not found:
        rules = sum(len(file.base.rules) for file in files)
        return f"{_count(rules, 'rule')} in {_count(len(files), 'file')}: nothing amiss"
    lines = [
        Text.assemble(
            (f"{row['path']}:{row['line']}", "bold"),
            (f" {row['code']} ", "red"),
            (row["rule"] or "base_rates", "cyan"),
            f": {row['what']}",
            overflow="fold",
        )
        for row in found
    ]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("Code", "Name"):
        table.add_column(name, no_wrap=True)
    table.add_column("Times", justify="right")
    table.add_column("What to do")
    for (code, name, fix), times in sorted(Counter((r["code"], r["name"], r["fix"]) for r in found).items()):
        table.add_row(Text(code, style="red"), name, str(times), Text(fix))
    return Group(*lines, "", table)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
