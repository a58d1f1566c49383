"""The text of a YAML file, cut where the parser says that things stand: what is not rewritten stays as typed.

Texts here end in a line break and have no carriage returns; nodes were parsed from the text given with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping as it stands: comment lines above it, its lines, a comment behind it."""

    above: str
    body: str
    behind: str


def entries(text: str, node: MappingNode) -> dict[str, Entry]:
    """Return a block mapping key by key; what stands above its first key is not part of it."""
    found: dict[str, Entry] = {}
    end = None
    for key, value in node.value:
        start = key.start_mark.index
        above = "" if end is None else text[end : text.rindex("\n", 0, start) + 1]
        close = end_of(value, text)
        end = line_end(text, close)
        behind = text[close : end - 1]
        found[key.value] = Entry(above, text[start : end - 1], behind if "#" in behind else "")
    return found


def rewritten(
    old: Mapping[str, Entry],
    before: Mapping[str, Sequence[str]],
    after: Mapping[str, Sequence[str]],
    order: Sequence[str],
    indent: str,
) -> dict[str, Entry]:
    """Return the entries `old`, which said `before`, now saying `after`: only keys that changed are new.

    `before` and `after` hold the lines of each key; a new key is placed by `order`.
    """
    found = dict(old)
    for key in order:
        if before.get(key) == after.get(key):
            continue
        if key not in after:
            found.pop(key)
            continue
        lines = after[key]
        kept = found.get(key, Entry("", "", ""))
        behind = kept.behind if len(lines) == 1 else ""
        entry = Entry(kept.above, f"\n{indent}".join(lines) + behind, behind)
        found = _placed(found, key, entry, order)
    return found


def _placed(found: dict[str, Entry], key: str, entry: Entry, order: Sequence[str]) -> dict[str, Entry]:
    """Put an entry in its place, or a new one before the first that is written after it."""
    if key in found:
        return {**found, key: entry}
    later = [name for name in found if order.index(name) > order.index(key)]
    names = list(found)
    place = names.index(later[0]) if later and names[0] != later[0] else len(names)
    items = list(found.items())
    return dict([*items[:place], (key, entry), *items[place:]])


def end_of(node: Node, text: str) -> int:
    """Return where the last character of a node's value stands, one beyond."""
    if isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return end_of(last[1] if isinstance(last, tuple) else last, text)
    end = int(node.end_mark.index)
    if isinstance(node, ScalarNode) and node.style in ("|", ">"):
        # The parser ends a block text where the next thing starts; it ended with its own last line.
        end = len(text[:end].rstrip())
    return end


def line_start(text: str, place: int) -> int:
    """Return where the line of a character begins."""
    return text.rfind("\n", 0, place) + 1


def line_end(text: str, place: int) -> int:
    """Return where the line after a character begins."""
    return text.index("\n", place) + 1


def indented(block: str, column: int) -> str:
    """Return some lines moved to a column."""
    indent = " " * column
    return "\n".join(indent + line for line in block.split("\n"))
