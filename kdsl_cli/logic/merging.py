"""Writing rules into a file that a person keeps: what did not change stays as it was typed.

The file is cut, at the places the YAML parser gives, into rules and the rules into keys. Only the pieces
whose meaning changed are written anew, from the rule; every other character is left where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from kdsl_cli.logic.conditions import condition_key
from kdsl_cli.logic.reading import RULE_KEYS
from kdsl_cli.logic.rule import BaseRate, Rule, RuleBase, rule_id
from kdsl_cli.logic.writing import base_rate_line, base_rate_lines, rule_entries, write_rule
from kdsl_cli.logic.yaml_text import end_of, entries, indented, line_end, line_start, rewritten

KEPT = ("reviewed", "disabled")
"""Statuses of what belongs to the person alone."""

_T = TypeVar("_T", bound=Rule | BaseRate)


def merged_base(old: RuleBase, new: RuleBase) -> RuleBase:
    """Return the rule base that the merged file holds, in its order.

    A rule of the file that is reviewed or disabled stays as it is, and so does one whose words a person
    changed; else the new rule of the same id takes its place; a draft without one stays, a mined rule
    without one goes. Other new rules follow. Base rates are merged alike, by intent.
    """
    before = {rule.id: rule for rule in old.rules}
    found = [_unless_edited(rule, before.get(rule.id, rule)) for rule in new.rules]
    rules = _merged(old.rules, found, lambda rule: rule.id)
    rates = _merged(old.base_rates, new.base_rates, lambda rate: rate.intent)
    return RuleBase(old.task, rules, old.header, rates)


def _unless_edited(mined: Rule, before: Rule) -> Rule:
    """Return a mined rule; if a person made another of it, who left it the id of the mined words, theirs."""
    same = before.intent == mined.intent and condition_key(before.when) == condition_key(mined.when)
    return mined if same or mined.id != rule_id(mined.intent, mined.when) else before


def _merged(old: Sequence[_T], new: Sequence[_T], key: Callable[[_T], str]) -> tuple[_T, ...]:
    by_key = {key(one): one for one in new}
    kept = [one if one.status in KEPT else by_key.get(key(one), one) for one in old]
    known = {key(one) for one in old}
    stay = [one for one in kept if one.status != "mined" or key(one) in by_key]
    return (*stay, *(one for one in new if key(one) not in known))


def merge_base_rates(text: str, root: Node, old: Sequence[BaseRate], merged: Sequence[BaseRate]) -> str:
    """Return the file's text, from which `root` was parsed, with its base rates `old` now saying `merged`."""
    nodes = {key.value: (key, value) for key, value in root.value}
    written = "".join(f"{line}\n" for line in base_rate_lines(merged))
    if "base_rates" not in nodes:
        place = line_end(text, end_of(nodes["task"][1], text))
        return text[:place] + written + text[place:]
    key, node = nodes["base_rates"]
    end = line_end(text, end_of(node, text))
    if not merged or not old or node.flow_style:
        return text[: line_start(text, key.start_mark.index)] + written + text[end:]
    first = node.value[0][0].start_mark
    indent = " " * first.column
    before, after = ({one.intent: [base_rate_line(one)] for one in rates} for rates in (old, merged))
    changed = rewritten(entries(text, node), before, after, [*(before | after)], indent)
    lines = (f"{one.above}{indent}{one.body}\n" for one in changed.values())
    return text[: line_start(text, first.index)] + "".join(lines) + text[end:]


def merge_rules(text: str, rules: SequenceNode, old: Sequence[Rule], merged: Sequence[Rule]) -> str:
    """Return the file's text with the list at node `rules`, read as `old`, now saying `merged`.

    `text` ends in a line break and has no carriage returns; `rules` was parsed from it.
    """
    if tuple(old) == tuple(merged):
        return text
    if not merged or not old or rules.flow_style:
        return _replace_list(text, rules, merged)
    after = {rule.id: rule for rule in merged}
    column = rules.start_mark.column
    pieces: list[str] = []
    end = 0
    for node, rule in zip(rules.value, old, strict=True):
        start = _dash_line(text, node, column)
        pieces.append(text[end:start])
        end = line_end(text, end_of(node, text))
        if rule.id in after:
            pieces.append(_item(text[start:end], text, start, node, rule, after[rule.id], column))
    known = {rule.id for rule in old}
    pieces += [indented(write_rule(rule), column) + "\n" for rule in merged if rule.id not in known]
    return "".join([*pieces, text[end:]])


def _item(raw: str, text: str, start: int, node: Node, old: Rule, new: Rule, column: int) -> str:
    """Return the lines of one rule, with the keys that changed written anew."""
    if old == new:
        return raw
    first_line_end = line_end(text, start)
    if (
        not isinstance(node, MappingNode)
        or node.flow_style
        or not start <= node.start_mark.index < first_line_end
    ):
        return indented(write_rule(new), column) + "\n"
    indent = " " * node.start_mark.column
    changed = rewritten(entries(text, node), rule_entries(old), rule_entries(new), RULE_KEYS, indent)
    first, *rest = changed.values()
    dash = text[start : node.start_mark.index]
    body = [f"{first.above}{dash}{first.body}\n", *(f"{e.above}{indent}{e.body}\n" for e in rest)]
    return "".join(body)


def _replace_list(text: str, rules: Node, merged: Sequence[Rule]) -> str:
    """Write the whole list anew: it is empty, becomes empty, or stands on one line."""
    close = end_of(rules, text)
    before = text[: rules.start_mark.index].rstrip(" ")
    if not merged:
        return f"{text[: text.rindex(':', 0, rules.start_mark.index) + 1]} []{text[close:]}"
    behind = line_end(text, close)
    listed = "".join(write_rule(rule) + "\n" for rule in merged)
    return f"{before}{text[close : behind - 1]}\n{listed}{text[behind:]}"


def _dash_line(text: str, node: Node, column: int) -> int:
    """Return the start of the line with the dash of a list item; it may stand above the item's first key."""
    start = line_start(text, node.start_mark.index)
    while not (text[start : start + column].isspace() or not column) or text[start + column] != "-":
        start = line_start(text, start - 1)
    return start
