"""YAML as nodes that know their line, and accessors that gather every problem in place of stopping at one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from kdsl_cli.errors import Problem, RuleFileError, did_you_mean

_TAG: Final = "tag:yaml.org,2002:"
_KINDS: Final = {
    "int": "the number",
    "float": "the number",
    "timestamp": "the date",
    "bool": "the truth value",
    "null": "nothing",
}
# Plain words that some YAML reader takes for true, false or nothing.
_AMBIGUOUS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", ""})


@lru_cache(maxsize=4)
def compose(text: str, path: str) -> Node:
    """Parse one YAML document into nodes, which nobody changes: parsing is slow, and files are read twice.

    Raises
    ------
    RuleFileError
        If it is not YAML, is empty, or uses anchors and aliases.
    """
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except RecursionError:
        raise RuleFileError("the file is nested too deeply to be read", where=path) from None
    except YAMLError as error:
        raise RuleFileError([_syntax_problem(error, text, path)]) from None
    if root is None:
        raise RuleFileError("the file is empty", where=path, fix="A rule file starts with schema and task")
    anchored = [_line(node) for node in _anchored(root)]
    if anchored:
        fix = "Write the value out in each place"
        raise RuleFileError(
            [Problem(f"{path}:{n}", "anchors and aliases are not allowed", fix=fix) for n in anchored]
        )
    assert isinstance(root, Node)
    return root


class NodeReader:
    """Takes values out of nodes; what is wrong becomes one of `problems` and is read as None."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._problems: list[tuple[int, Problem]] = []

    def report(
        self, node: Node, what: str, allowed: Iterable[str] | None = None, fix: str | None = None
    ) -> None:
        """Add a problem at the node's line."""
        listed = ", ".join(allowed) if allowed is not None else None
        line = _line(node)
        self._problems.append((line, Problem(f"{self.path}:{line}", what, listed, fix)))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem so far, from the top of the file down."""
        return tuple(problem for _, problem in sorted(self._problems, key=lambda entry: entry[0]))

    def mapping(
        self, node: Node, name: str, known: Sequence[str], required: Sequence[str] = ()
    ) -> dict[str, Node] | None:
        """Read a mapping of known keys; a repeated or unknown key is a problem and left out."""
        if not isinstance(node, MappingNode):
            self.report(node, f"{name} must be a mapping, not {_found(node)}", known)
            return None
        found: dict[str, Node] = {}
        for key_node, value in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else _found(key_node)
            if key not in known:
                self.report(key_node, f"unknown key '{key}' in {name}", known, did_you_mean(key, known))
            elif key in found:
                self.report(key_node, f"key '{key}' stands twice in {name}", fix="Keep one of them")
            else:
                found[key] = value
        for key in required:
            if key not in found:
                self.report(node, f"{name} has no '{key}'")
        return found

    def named(self, node: Node, name: str) -> list[tuple[str, Node, Node]] | None:
        """Read a mapping of any names: name, its node, value; a repeated name is a problem and left out."""
        if not isinstance(node, MappingNode):
            self.report(node, f"{name} must be a mapping, not {_found(node)}")
            return None
        found: dict[str, tuple[str, Node, Node]] = {}
        for key_node, value in node.value:
            key = self.string(key_node, f"a key of {name}")
            if key is not None and key in found:
                self.report(key_node, f"key '{key}' stands twice in {name}", fix="Keep one of them")
            elif key is not None:
                found[key] = (key, key_node, value)
        return list(found.values())

    def items(self, node: Node, name: str, *, empty: bool = False) -> list[Node] | None:
        """Read a list, which must hold something unless `empty`."""
        if not isinstance(node, SequenceNode):
            self.report(node, f"{name} must be a list, not {_found(node)}")
            return None
        if not node.value and not empty:
            self.report(node, f"{name} is an empty list", fix="Give it at least one entry, or leave it out")
            return None
        return list(node.value)

    def string(self, node: Node, name: str, *, blank: bool = False) -> str | None:
        """Read a string; a number, a date or an unquoted yes/no is not one. Not blank, unless `blank`."""
        if not isinstance(node, ScalarNode):
            self.report(node, f"{name} must be a string, not {_found(node)}")
            return None
        value = str(node.value)
        ambiguous = node.style is None and value.casefold() in _AMBIGUOUS
        if node.tag != f"{_TAG}str" or ambiguous:
            found = f"the unquoted word {value}" if node.tag == f"{_TAG}str" else _found(node)
            self.report(node, f"{name} must be a string, not {found}", fix=f'Put it in quotes: "{value}"')
            return None
        if not blank and not value.strip():
            self.report(node, f"{name} is blank")
            return None
        if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
            self.report(node, f"{name} holds a character that no text can hold (NUL or half of a pair)")
            return None
        return value

    def strings(self, node: Node, name: str, *, empty: bool = False) -> tuple[str, ...] | None:
        """Read a list of strings; None if one of them is not."""
        nodes = self.items(node, name, empty=empty)
        if nodes is None:
            return None
        values = [self.string(item, f"an entry of {name}") for item in nodes]
        return tuple(value for value in values if value is not None) if None not in values else None

    def choice(self, node: Node, name: str, allowed: Sequence[str]) -> str | None:
        """Read a string that must be one of a few."""
        value = self.string(node, name)
        if value is not None and value not in allowed:
            self.report(node, f"unknown {name} '{value}'", allowed, did_you_mean(value, allowed))
            return None
        return value

    def number(self, node: Node, name: str, low: float = -math.inf, high: float = math.inf) -> float | None:
        """Read a finite number within bounds, `low` and `high` included."""
        if not isinstance(node, ScalarNode) or node.tag not in (f"{_TAG}int", f"{_TAG}float"):
            self.report(node, f"{name} must be a number, not {_found(node)}")
            return None
        try:
            value = float(node.value)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and low <= value <= high):
            self.report(node, f"{name} is {node.value}", [_range(low, high)])
            return None
        return value

    def whole(self, node: Node, name: str, low: int = 0, high: float = math.inf) -> int | None:
        """Read a whole number within bounds, `low` and `high` included."""
        decimal = isinstance(node, ScalarNode) and re.fullmatch(r"[-+]?[0-9]{1,18}", node.value)
        if not isinstance(node, ScalarNode) or node.tag != f"{_TAG}int" or not decimal:
            self.report(node, f"{name} must be a whole number, not {_found(node)}")
            return None
        value = int(node.value)
        if not low <= value <= high:
            self.report(node, f"{name} is {value}", [_range(low, high)])
            return None
        return value


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _found(node: Node) -> str:
    """Name what stands there, for messages: "the number 010", "a list"."""
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    kind = str(node.tag).removeprefix(_TAG)
    if kind == "null":
        return "nothing"
    if kind == "str":
        return f'the string "{node.value}"'
    return f"{_KINDS.get(kind, f'a value tagged {kind}')} {node.value}"


def _range(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "a finite number"
    if math.isinf(high):
        return f"{low:g} or more"
    return f"{low:g} to {high:g}"


def _anchored(root: Node) -> Iterator[Node]:
    """Yield nodes with an anchor, without going into them: an alias bomb is only big when followed."""
    waiting = [root]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if node.anchor is not None:
            if id(node) not in seen:
                seen.add(id(node))
                yield node
        elif isinstance(node, MappingNode):
            waiting.extend(part for pair in reversed(node.value) for part in reversed(pair))
        elif isinstance(node, SequenceNode):
            waiting.extend(reversed(node.value))


def _code(character: int | str) -> int:
    return character if isinstance(character, int) else ord(character)


def _syntax_problem(error: YAMLError, text: str, path: str) -> Problem:
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return Problem(
            f"{path}:{line}", f"the character U+{_code(error.character):04X} is not allowed in YAML"
        )
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return Problem(path, f"this is not YAML: {error}")
    line = error.problem_mark.line + 1
    what = str(error.problem)
    if "\\t" in what:
        return Problem(f"{path}:{line}", "a tab stands in the indentation", fix="Indent with spaces")
    if "alias" in what:
        return Problem(f"{path}:{line}", "anchors and aliases are not allowed", fix="Write the value out")
    if "another document" in what:
        return Problem(f"{path}:{line}", "a rule file holds one document, and a second starts here")
    context = f"{error.context}: " if error.context else ""
    return Problem(f"{path}:{line}", f"this is not YAML: {context}{what}")
