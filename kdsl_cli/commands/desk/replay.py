"""``kdsl rules test``: the examples that stand beside the rules, played again on the evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kdsl_cli.commands.desk.opening import Input, Rules, open_material, rule_files

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kdsl_cli.commands.desk.opening import Material, RuleFile
    from kdsl_cli.logic.replaying import Replay

_WORDS = {"failed": "red", "unknown": "yellow", "missing": "yellow"}


def command(
    rules: Rules = None,
    split: Annotated[
        list[str] | None,
        typer.Option(
            help="Where examples are looked up; repeatable. [default: train, val]", show_default=False
        ),
    ] = None,
    input: Input = None,
    top: Annotated[int, typer.Option(min=0, help="Examples shown that do not pass; 0: all.")] = 20,
) -> None:
    """Play the examples of rules again; exit code 1 if one fails, is unknown or not there."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.workspace.settings_sources import current_settings
    from kdsl_cli.errors import CheckFailed

    files, settings = rule_files(rules), current_settings()
    own = [rule for file in files for rule in file.base.rules]
    splits = split or [name for name in ("train", "val") if _extracted(name)] or ["train"]
    material = open_material(settings, [file.base for file in files], splits=splits, input=input)
    rows = list(_rows(files, material))
    counts = Counter(row["outcome"] for row in rows)
    bad = [row for row in rows if row["outcome"] != "passed"]
    without = [rule.id for rule in own if rule.active and not (rule.examples and rule.examples.match)]
    data = {"counts": dict(counts), "examples": rows, "without": without}
    current_output().result(
        _report(rows, bad[:top] if top else bad, len(bad), without, material.where),
        data,
        [f"{row['path']}:{row['line']}" for row in bad],
    )
    if bad:
        named = ", ".join(f"{counts[name]} {name}" for name in _WORDS if counts[name])
        lost = counts["missing"] == len(rows)
        fix = (
            f"Only {material.where} was looked at: name the split they are from with --split"
            if lost
            else None
        )
        raise CheckFailed(f"of {len(rows)} examples {named}", fix=fix)


def _extracted(split: str) -> bool:
    from kdsl_cli.commands.workspace.layout import find_workspace

    space = find_workspace()
    return space is not None and space.evidence(split).is_file()


def _rows(files: Sequence[RuleFile], material: Material) -> Iterator[dict[str, Any]]:
    from kdsl_cli.logic.linting.places import places
    from kdsl_cli.logic.replaying import replay

    for file in files:
        at = places(file.text, str(file.path))
        line = {
            rule.id: place.lines.get("examples", place.lines[""])
            for rule, place in zip(file.base.rules, at.rules, strict=True)
        }
        for one in replay(file.base.rules, material.facts):
            row = {"path": str(file.path), "line": line[one.rule], "rule": one.rule, "id": one.id}
            yield {**row, "must_match": one.must, "outcome": one.outcome, "because": _because(one)}


def _because(one: Replay) -> list[str]:
    """Return, of an example that does not pass, the parts that settled it, in words."""
    from kdsl_cli.logic.verdict import render
    from kdsl_cli.prediction.why import decisive

    if one.verdict is None or one.outcome == "passed":
        return []
    return [line.strip() for leaf in decisive(one.verdict) for line in render(leaf).splitlines()]


def _report(
    rows: Sequence[dict[str, Any]],
    shown: Sequence[dict[str, Any]],
    bad: int,
    without: Sequence[str],
    where: str,
) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    lines: list[RenderableType] = []
    for row in shown:
        wanted = "must match" if row["must_match"] else "must not match"
        told = f"{wanted} {row['id']}"
        if row["outcome"] == "missing":
            told += f", which is not in {where}"
        lines.append(
            Text.assemble(
                (f"{row['path']}:{row['line']}", "bold"),
                (f" {row['outcome']} ", _WORDS[row["outcome"]]),
                (row["rule"], "cyan"),
                f": {told}",
            )
        )
        lines += [Text(f"    {because}", style="dim") for because in row["because"]]
    if len(shown) < bad:
        lines.append(Text(f"and {bad - len(shown)} more: --top 0 shows all", style="dim"))
    passed = sum(row["outcome"] == "passed" for row in rows)
    summary = f"{passed} of {len(rows)} examples pass"
    if without:
        summary += f"; rules without an example: {len(without)}"
    return Group(*lines, Text(summary))
