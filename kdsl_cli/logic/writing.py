"""From rules to YAML text: every string in double quotes, keys in one order, one line a predicate."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Final

from kdsl_cli.logic.conditions import All, Any, AtLeast, Condition, Not
from kdsl_cli.logic.predicates import (
    LIST_VERBS,
    AnswerPredicate,
    CountPredicate,
    ImagePredicate,
    OcrPredicate,
    TextPredicate,
)
from kdsl_cli.logic.reading import SCHEMA
from kdsl_cli.logic.rule import BaseRate, Evidence, Provenance, Rule, RuleBase

# What YAML calls not printable, or reads as a line break, and JSON leaves as it is.
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def write_base(base: RuleBase) -> str:
    """Return the whole file."""
    header = [f"# {line}".rstrip() for line in base.header.split("\n")] if base.header else []
    lines = [*header, f"schema: {quoted(SCHEMA)}", f"task: {quoted(base.task)}"]
    lines += base_rate_lines(base.base_rates)
    if not base.rules:
        return "\n".join([*lines, "rules: []", ""])
    return "\n".join([*lines, "rules:", *(write_rule(rule) for rule in base.rules), ""])


def base_rate_lines(rates: Sequence[BaseRate]) -> list[str]:
    """Return the lines of base rates with their key, none without base rates."""
    return ["base_rates:", *_indented(map(base_rate_line, rates))] if rates else []


def base_rate_line(rate: BaseRate) -> str:
    """Return one base rate: a number, unless a person has said more."""
    weight = _number(rate.weight)
    said = f"{{weight: {weight}, status: {quoted(rate.status)}}}" if rate.status != "mined" else weight
    return f"{quoted(rate.intent)}: {said}"


def write_rule(rule: Rule) -> str:
    """Return one rule as an item of the list, without a line break at the end."""
    return "\n".join(item_lines(line for entry in rule_entries(rule).values() for line in entry))


def rule_entries(rule: Rule) -> dict[str, list[str]]:
    """Return the lines of each key of a rule, not indented; keys that say nothing are left out."""
    entries = {
        "id": [f"id: {quoted(rule.id)}"],
        "intent": [f"intent: {quoted(rule.intent)}"],
        "status": [f"status: {quoted(rule.status)}"],
    }
    if rule.weight != 1.0:
        entries["weight"] = [f"weight: {_number(rule.weight)}"]
    entries["when"] = ["when:", *_indented(condition_lines(rule.when))]
    if rule.why:
        entries["why"] = [f"why: {quoted(rule.why)}"]
    if rule.evidence is not None:
        entries["evidence"] = [f"evidence: {_record(rule.evidence)}"]
    if rule.examples is not None:
        match, no_match = _strings(rule.examples.match), _strings(rule.examples.no_match)
        entries["examples"] = [f"examples: {{match: {match}, no_match: {no_match}}}"]
    if rule.provenance is not None:
        entries["provenance"] = [f"provenance: {_record(rule.provenance)}"]
    if rule.note:
        entries["note"] = [f"note: {quoted(rule.note)}"]
    return entries


def condition_lines(condition: Condition) -> list[str]:
    """Return a condition as lines, not indented."""
    match condition:
        case All(children):
            return ["all:", *_items(children)]
        case Any(children):
            return ["any:", *_items(children)]
        case Not(child):
            return ["not:", *_indented(condition_lines(child))]
        case AtLeast(n, children):
            return ["at_least:", *_indented([f"n: {n}", "of:", *_items(children)])]
        case TextPredicate(field, _, _):
            return [f"text: {{{_phrases(condition)}, in: {quoted(field)}}}"]
        case OcrPredicate(_, _, region):
            where = "" if region == "all" else f", region: {quoted(region)}"
            return [f"ocr: {{{_phrases(condition)}{where}}}"]
        case ImagePredicate("kind", _, kind):
            return [f"image: {{kind: {quoted(str(kind))}}}"]
        case ImagePredicate(feature, _, _):
            return [f"image: {{feature: {quoted(feature)}, {_bounds(condition)}}}"]
        case CountPredicate(of, _, _):
            return [f"count: {{of: {quoted(of)}, {_bounds(condition)}}}"]
        case AnswerPredicate(question, is_):
            return [f"answer: {{question: {quoted(question)}, is: {quoted('yes' if is_ else 'no')}}}"]


def quoted(text: str) -> str:
    r"""Return a YAML string in double quotes on one line.

    Examples
    --------
    >>> print(quoted('退款 "ok"\n'))
    "退款 \"ok\"\n"
    """
    return flow(text)


def flow(value: object) -> str:
    r"""Return JSON-able values as YAML on one line, which reads back as they were: not all JSON does.

    Examples
    --------
    >>> print(flow({"contains": "a\x85b"}))
    {"contains": "a\u0085b"}
    """
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def item_lines(lines: Iterable[str]) -> list[str]:
    """Turn the lines of a mapping into those of a list item."""
    return [("  " if place else "- ") + line for place, line in enumerate(lines)]


def _items(children: Iterable[Condition]) -> list[str]:
    return [line for child in children for line in item_lines(condition_lines(child))]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _phrases(predicate: TextPredicate | OcrPredicate) -> str:
    listed = predicate.op in LIST_VERBS
    return f"{predicate.op}: {_strings(predicate.values) if listed else quoted(predicate.values[0])}"


def _bounds(predicate: ImagePredicate | CountPredicate) -> str:
    if isinstance(predicate.value, tuple):
        low, high = predicate.value
        return f"gte: {_number(low)}, lte: {_number(high)}"
    return f"{predicate.op}: {_number(float(predicate.value))}"


def _strings(values: Iterable[str]) -> str:
    return f"[{', '.join(map(quoted, values))}]"


def _record(record: Evidence | Provenance) -> str:
    known = ((field.name, getattr(record, field.name)) for field in fields(record))
    return f"{{{', '.join(f'{name}: {_scalar(value)}' for name, value in known if value is not None)}}}"


def _scalar(value: str | float) -> str:
    return quoted(value) if isinstance(value, str) else _number(value)


def _number(value: float) -> str:
    """Return a number as a person would write it: 3 for 3.0."""
    if isinstance(value, int):
        return str(int(value))
    value = float(value)  # a numpy float prints its type
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
