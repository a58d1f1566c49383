"""``kdsl rules new``: a rule to begin with, in its file, tried at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.desk.opening import Material, open_material
from kdsl_cli.commands.workspace.layout import Workspace, current_workspace
from kdsl_cli.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.dialogues.catalogue import Catalogue, Intent, Task
    from kdsl_cli.logic.conditions import Condition
    from kdsl_cli.logic.rule import Rule

Field = Literal["last_customer", "first_customer", "customer", "service", "any"]
Region = Literal["all", "top", "middle", "bottom", "upper", "lower", "left", "right", "center"]

_EXAMPLES = 3


def command(
    intent: Annotated[
        str, typer.Argument(metavar="INTENT", help="What the rule is for, as in the catalogue.")
    ],
    task: Annotated[str | None, typer.Option(help="Where several tasks have the intent.")] = None,
    text: Annotated[
        list[str] | None, typer.Option(help="Phrase that is written; repeatable: one of them.")
    ] = None,
    in_: Annotated[Field, typer.Option("--in", help="By whom, and when.")] = "last_customer",
    ocr: Annotated[list[str] | None, typer.Option(help="Phrase that a picture shows; repeatable.")] = None,
    region: Annotated[Region, typer.Option(help="Where on the screen.")] = "all",
    id: Annotated[str | None, typer.Option(help="Name of the rule; else made from the intent.")] = None,
    weight: Annotated[float, typer.Option(help="Log-odds that it adds; below 0: against.")] = 1.0,
    why: Annotated[str, typer.Option(help="One sentence that says why it holds.")] = "",
) -> None:
    """Write a draft of a rule into its file, with examples, and say what it does on training dialogues."""
    from kdsl_cli.commands.workspace.modelines import write_rule_schema
    from kdsl_cli.commands.workspace.settings_sources import current_settings
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.logic.rule import Rule, rule_id

    space, settings = current_workspace(), current_settings()
    of_task, wanted = _find(Catalogue.load(space.path(settings.data.catalogue)), intent, task)
    material = _material(space, settings)
    when = _condition(wanted, text or [], in_, ocr or [], region, _pictures(material, of_task.name))
    rule = Rule(id or rule_id(intent, when), intent, when, weight=weight, why=why)
    rule, told = _tried(rule, material, of_task.name)
    path = space.rules(of_task.name)
    line = _write(path, of_task.name, rule, write_rule_schema(space, of_task.name, of_task.names, path))
    _report(path, line, rule, told)


def _find(catalogue: Catalogue, intent: str, task: str | None) -> tuple[Task, Intent]:
    tasks = [catalogue.task(task)] if task else catalogue.tasks
    found = [one for one in tasks if intent in one.names]
    if len(found) == 1:
        return found[0], found[0].intent(intent)
    if found:
        named = ", ".join(one.name for one in found)
        raise ConfigError(
            f"several tasks have the intent '{intent}'", allowed=named, fix="Name one by --task"
        )
    known = [name for one in tasks for name in one.names]
    raise ConfigError(
        f"the catalogue has no intent '{intent}'", allowed=", ".join(known), fix=did_you_mean(intent, known)
    )


def _material(space: Workspace, settings: Settings) -> Material | None:
    if not space.evidence("train").is_file():
        return None
    return open_material(settings, [], splits=["train"])


def _pictures(material: Material | None, task: str) -> bool:
    """Tell whether most dialogues of a task show a picture, so that a rule had better look at it."""
    own, facts = material.of(task) if material else ((), ())
    return 2 * sum(bool(one.facts.images) for one in facts) > len(own)


def _condition(
    intent: Intent, text: Sequence[str], field: Field, ocr: Sequence[str], region: Region, pictures: bool
) -> Condition:
    """Return a condition of the phrases; without any, of the intent's name and synonyms."""
    from kdsl_cli.logic.conditions import All
    from kdsl_cli.logic.predicates import OcrPredicate, TextPredicate

    if text and not ocr and region != "all":
        raise ConfigError("no phrase is looked for on the screen", where="--region", fix="Name one by --ocr")
    if ocr and not text and field != "last_customer":
        raise ConfigError("no phrase is looked for in messages", where="--in", fix="Name one by --text")
    if not text and not ocr:
        words = (intent.name, *intent.synonyms)
        text, ocr = ([], words) if pictures else (words, [])
    try:
        parts: list[Condition] = []
        if text:
            parts.append(TextPredicate(field, "contains_any" if len(text) > 1 else "contains", tuple(text)))
        if ocr:
            parts.append(OcrPredicate("contains_any" if len(ocr) > 1 else "contains", tuple(ocr), region))
    except ValueError as error:
        raise ConfigError(str(error), where="--text, --ocr") from None
    return All(tuple(parts)) if len(parts) > 1 else parts[0]


def _tried(rule: Rule, material: Material | None, task: str) -> tuple[Rule, str | None]:
    """Return the rule with examples that it matches, and in words what it does."""
    from dataclasses import replace

    from kdsl_cli.logic.firing import firing_matrix
    from kdsl_cli.logic.rule import Examples

    if material is None:
        return rule, None
    own, facts = material.of(task)
    fired = [one for one, fires in zip(own, firing_matrix([rule], facts)[:, 0], strict=True) if fires == 1]
    right = [one.id for one in fired if (one.label == rule.intent) == (rule.weight > 0)]
    all_of = sum(one.label == rule.intent for one in own)
    told = f"On the {len(own)} training dialogues it fires on {len(fired)}"
    if fired:
        told += f", {len(right)} of them rightly"
    told += f"; {all_of} are {rule.intent}"
    examples = Examples(match=tuple(right[:_EXAMPLES])) if right else None
    return replace(rule, examples=examples), told


def _write(path: Path, task: str, rule: Rule, line: str) -> int:
    """Put the rule at the end of its file, and return its line there; `line` is the first of a new file."""
    from dataclasses import replace

    from kdsl_cli.commands.mine.export import HEADER
    from kdsl_cli.logic.codec import dump_rules, loads, merge_into
    from kdsl_cli.logic.linting.places import places
    from kdsl_cli.logic.rule import RuleBase
    from kdsl_cli.runs.atomic import write_text

    if path.is_file():
        text = path.read_text(encoding="utf-8")
        base = loads(text, path)
        for one, at in zip(base.rules, places(text, str(path)).rules, strict=True):
            if one.id == rule.id:
                fix = "Give it another one with --id, or edit the rule that is there"
                where = f"{path}:{at.lines['']}"
                raise ConfigError(f"there is a rule with the id '{rule.id}'", where=where, fix=fix)
        text = merge_into(text, replace(base, rules=(*base.rules, rule)), path)
    else:
        text = dump_rules(RuleBase(task, (rule,), f"{line}\n{HEADER}"))
    write_text(path, text)
    return places(text, str(path)).rules[-1].lines[""]


def _report(path: Path, line: int, rule: Rule, told: str | None) -> None:
    from kdsl_cli.logic.describing import describe
    from kdsl_cli.logic.writing import write_rule

    human = [f"{path}:{line}", write_rule(rule), "", told or "It was not tried: kdsl extract --split train"]
    human.append("Edit it, then: kdsl rules lint, kdsl rules diff")
    data = {"path": str(path), "line": line, "rule": rule.id, "when": describe(rule.when), "tried": told}
    current_output().result("\n".join(human), data, f"{path}:{line}")
