"""``kdsl rules stats``: what each rule does on dialogues, and how it gets on with the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from kdsl_cli.commands.desk.opening import Input, Rules, Split, open_material, rule_files

if TYPE_CHECKING:
    import polars as pl
    from rich.console import RenderableType

    from kdsl_cli.commands.desk.opening import Material, RuleFile
    from kdsl_cli.logic.rule import Rule

Sort = Literal["wrong", "fired", "precision", "conflicts", "overlaps", "file"]

COLUMNS = (
    "rule",
    "intent",
    "status",
    "weight",
    "fired",
    "right",
    "at least",
    "out of fold",
    "recall",
    "overlaps",
    "conflicts",
)
SPARE = ("overlaps", "recall", "conflicts", "out of fold", "weight", "status", "at least")


def command(
    rules: Rules = None,
    split: Annotated[Split, typer.Option(help="Dialogues of the workspace to count on.")] = "train",
    input: Input = None,
    intent: Annotated[str | None, typer.Option(help="Only rules of this intent.", show_default=False)] = None,
    sort: Annotated[Sort, typer.Option(help="What comes first.")] = "wrong",
    top: Annotated[int, typer.Option(min=0, help="Rules of a task shown; 0: all.")] = 25,
) -> None:
    """Count what each rule does: firings, right ones, a lower bound, overlap, conflict."""
    from rich.console import Group
    from rich.text import Text

    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.workspace.settings_sources import current_settings

    files, settings = rule_files(rules), current_settings()
    own = [rule for file in files for rule in file.base.rules]
    if intent is not None:
        _check_intent(intent, {rule.intent for rule in own})
    material = open_material(settings, [file.base for file in files], splits=[split], input=input)
    parts: list[RenderableType] = []
    data: list[dict[str, Any]] = []
    for file in files:
        if intent is not None and all(rule.intent != intent for rule in file.base.rules):
            continue  # another task's
        frame, overall = _counted(file, material)
        if intent is not None:
            frame = frame.filter(frame["intent"] == intent)
        frame = _sorted(frame, sort)
        data.append({"path": str(file.path), "task": file.base.task, **overall, "rules": frame.to_dicts()})
        parts += [_table(frame, top), Text(_sentence(file.base.task, material.where, overall)), ""]
    current_output().result(Group(*parts[:-1]), data, [row["rule"] for one in data for row in one["rules"]])


def _check_intent(intent: str, known: set[str]) -> None:
    from kdsl_cli.errors import ConfigError, did_you_mean

    if intent not in known:
        fix = did_you_mean(intent, known)
        raise ConfigError(
            f"no rule is for '{intent}'", where="--intent", allowed=", ".join(sorted(known)), fix=fix
        )


def _counted(file: RuleFile, material: Material) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return a row a rule, and what holds of all of them together."""
    import polars as pl

    from kdsl_cli.logic.coverage import coverage
    from kdsl_cli.logic.firing import firing_matrix

    rules = file.base.rules
    own, facts = material.of(file.base.task)
    fired = firing_matrix(rules, facts)
    frame = coverage(rules, fired, [one.label for one in own])
    held_out = [_out_of_fold(rule) for rule in rules]
    speaking = [(place, rule.intent) for place, rule in enumerate(rules) if rule.active and not rule.against]
    voices = [{intent for place, intent in speaking if row[place] == 1} for row in fired]
    overall = {
        "dialogues": len(own),
        "covered": sum(bool(each) for each in voices),
        "in_conflict": sum(len(each) > 1 for each in voices),
    }
    return frame.with_columns(
        pl.Series("weight", [rule.weight for rule in rules], dtype=pl.Float64),
        (pl.col("labelled") - pl.col("correct")).alias("wrong"),
        pl.Series("oof_fired", [fired for fired, _ in held_out], dtype=pl.Int64),
        pl.Series("oof_correct", [right for _, right in held_out], dtype=pl.Int64),
    ), overall


def _out_of_fold(rule: Rule) -> tuple[int | None, int | None]:
    """Return how often the rule fired out of fold, and how often rightly."""
    if rule.evidence is None:
        return None, None
    fired, of_intent = rule.evidence.fired, rule.evidence.correct
    return fired, fired - of_intent if rule.against else of_intent


def _sorted(frame: pl.DataFrame, sort: Sort) -> pl.DataFrame:
    if sort == "file":
        return frame
    return frame.sort(sort, "rule", descending=[sort != "precision", False], nulls_last=True)


def _table(frame: pl.DataFrame, top: int) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from kdsl_cli.reporting.fitting import Fitting

    shown, rows = frame.head(top) if top else frame, []
    for row in shown.iter_rows(named=True):
        low, recall = row["precision_low"], row["recall"]
        cells = (
            row["rule"],
            f"not {row['intent']}" if row["against"] else row["intent"],
            row["status"],
            f"{row['weight']:.2f}",
            str(row["fired"]),
            str(row["correct"]),
            "–" if low is None else f"{low:.2f}",
            "–" if row["oof_fired"] is None else f"{row['oof_correct']} of {row['oof_fired']}",
            "–" if recall is None else f"{recall:.2f}",
            str(row["overlaps"]),
            str(row["conflicts"]),
        )
        style = "dim strike" if row["status"] == "disabled" else ""
        rows.append([Text(cell, style=style) for cell in cells])
    table = Fitting(COLUMNS, rows, numbers=COLUMNS[3:], spare=SPARE)
    if len(shown) == len(frame):
        return table
    return Group(table, Text(f"{len(shown)} of {len(frame)} rules; --top 0 shows all", style="dim"))


def _sentence(task: str, where: str, overall: dict[str, Any]) -> str:
    n, covered, torn = overall["dialogues"], overall["covered"], overall["in_conflict"]
    share = f" ({covered / n:.0%})" if n else ""
    return (
        f"{task}: of {n} dialogues of {where}, rules speak on {covered}{share}, for several intents on {torn}"
    )
