"""Writing rules into a file that a person keeps: what did not change stays as it was typed.

The file is cut, at the places the YAML parser gives, into rules and the rules into keys. Only the pieces
whose meaning changed are written anew, from the rule; every other character is left where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kdsl_cli.logic.reading import RULE_KEYS
from kdsl_cli.logic.rule import Rule
from kdsl_cli.logic.writing import rule_entries, write_rule

KEPT = ("reviewed", "disabled")
"""Statuses of rules that belong to the person alone."""


def merged_rules(old: Sequence[Rule], new: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return the rules that the merged file holds, in its order.

    A rule of the file that is reviewed or disabled stays as it is; else the new rule of the same id takes
    its place; a draft without one stays, a mined rule without one goes. Other new rules follow.
    """
    by_id = {rule.id: rule for rule in new}
    kept = [rule if rule.status in KEPT else by_id.get(rule.id, rule) for rule in old]
    known = {rule.id for rule in old}
    stay = [rule for rule in kept if rule.status != "mined" or rule.id in by_id]
    return (*stay, *(rule for rule in new if rule.id not in known))


def merge_text(text: str, rules: SequenceNode, old: Sequence[Rule], merged: Sequence[Rule]) -> str:
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
        end = _line_end(text, _end(node, text))
        if rule.id in after:
            pieces.append(_item(text[start:end], text, start, node, rule, after[rule.id], column))
    known = {rule.id for rule in old}
    pieces += [_indented(write_rule(rule), column) + "\n" for rule in merged if rule.id not in known]
    return "".join([*pieces, text[end:]])


@dataclass(frozen=True, slots=True)
class _Entry:
    """One key of a rule as it stands in the file: comment lines above it, its lines, a comment behind it."""

    above: str
    body: str
    behind: str


def _item(raw: str, text: str, start: int, node: Node, old: Rule, new: Rule, column: int) -> str:
    """Return the lines of one rule, with the keys that changed written anew."""
    if old == new:
        return raw
    first_line_end = _line_end(text, start)
    if (
        not isinstance(node, MappingNode)
        or node.flow_style
        or not start <= node.start_mark.index < first_line_end
    ):
        return _indented(write_rule(new), column) + "\n"
    entries = _entries(text, node)
    before, after = rule_entries(old), rule_entries(new)
    indent = " " * node.start_mark.column
    for key in RULE_KEYS:
        if before.get(key) == after.get(key):
            continue
        if key not in after:
            entries.pop(key)
            continue
        lines = after[key]
        kept = entries.get(key, _Entry("", "", ""))
        behind = kept.behind if len(lines) == 1 else ""
        entry = _Entry(kept.above, f"\n{indent}".join(lines) + behind, behind)
        entries = _placed(entries, key, entry)
    first, *rest = entries.values()
    dash = text[start : node.start_mark.index]
    body = [f"{first.above}{dash}{first.body}\n", *(f"{e.above}{indent}{e.body}\n" for e in rest)]
    return "".join(body)


def _entries(text: str, node: MappingNode) -> dict[str, _Entry]:
    entries: dict[str, _Entry] = {}
    end = None
    for key, value in node.value:
        start = key.start_mark.index
        above = "" if end is None else text[end : text.rindex("\n", 0, start) + 1]
        close = _end(value, text)
        end = _line_end(text, close)
        behind = text[close : end - 1]
        entries[key.value] = _Entry(above, text[start : end - 1], behind if "#" in behind else "")
    return entries


def _placed(entries: dict[str, _Entry], key: str, entry: _Entry) -> dict[str, _Entry]:
    """Put an entry in its place, or a new one before the first that is written after it."""
    if key in entries:
        return {**entries, key: entry}
    later = [name for name in entries if RULE_KEYS.index(name) > RULE_KEYS.index(key)]
    names = list(entries)
    place = names.index(later[0]) if later and names[0] != later[0] else len(names)
    items = list(entries.items())
    return dict([*items[:place], (key, entry), *items[place:]])


def _replace_list(text: str, rules: Node, merged: Sequence[Rule]) -> str:
    """Write the whole list anew: it is empty, becomes empty, or stands on one line."""
    close = _end(rules, text)
    before = text[: rules.start_mark.index].rstrip(" ")
    if not merged:
        return f"{text[: text.rindex(':', 0, rules.start_mark.index) + 1]} []{text[close:]}"
    line_end = _line_end(text, close)
    listed = "".join(write_rule(rule) + "\n" for rule in merged)
    return f"{before}{text[close : line_end - 1]}\n{listed}{text[line_end:]}"


def _end(node: Node, text: str) -> int:
    """Return where the last character of a node's value stands, one beyond."""
    if isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last, text)
    end = int(node.end_mark.index)
    if isinstance(node, ScalarNode) and node.style in ("|", ">"):
        # The parser ends a block text where the next thing starts; it ended with its own last line.
        end = len(text[:end].rstrip())
    return end


def _dash_line(text: str, node: Node, column: int) -> int:
    """Return the start of the line with the dash of a list item; it may stand above the item's first key."""
    start = text.rfind("\n", 0, node.start_mark.index) + 1
    while not (text[start : start + column].isspace() or not column) or text[start + column] != "-":
        start = text.rfind("\n", 0, start - 1) + 1
    return start


def _line_end(text: str, place: int) -> int:
    return text.index("\n", place) + 1


def _indented(block: str, column: int) -> str:
    indent = " " * column
    return "\n".join(indent + line for line in block.split("\n"))
