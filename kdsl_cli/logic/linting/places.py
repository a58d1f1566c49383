"""Where each rule of a file stands, and what its comments ask the linter to pass over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ruamel.yaml.nodes import Node

from kdsl_cli.logic.linting.finding import Finding
from kdsl_cli.logic.yaml_nodes import compose

_IGNORE: Final = re.compile(r"#\s*lint:\s*ignore\s+(.+)$")


@dataclass(frozen=True, slots=True)
class Place:
    """One rule in its file.

    Attributes
    ----------
    lines
        Line of each of its keys, from 1; "" is the rule's first line.
    ignored
        Codes and names of lints that a comment in it, or at the top of the file, asks to pass over.
    """

    lines: Mapping[str, int]
    ignored: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything stands in a rule file.

    Attributes
    ----------
    rules
        In the order of the file.
    base_rates
        Line of each intent that has one.
    ignored
        What a comment above the rules asks to pass over.
    """

    rules: tuple[Place, ...]
    base_rates: Mapping[str, int]
    ignored: frozenset[str] = frozenset()

    def line(self, finding: Finding) -> int:
        """Return the line of what is told of; of the rule, if it does not have the key."""
        if finding.rule is None:
            return self.base_rates[finding.key]
        lines = self.rules[finding.rule].lines
        return lines.get(finding.key, lines[""])

    def passes(self, finding: Finding) -> bool:
        """Tell whether a comment asks to pass it over."""
        ignored = self.ignored if finding.rule is None else self.rules[finding.rule].ignored
        return bool({finding.lint.code, finding.lint.name} & ignored)


def places(text: str, path: str) -> Places:
    r"""Return where the rules of a file stand; the text has been read as a rule file before.

    Examples
    --------
    >>> text = 'schema: "kdsl.rules/1"\ntask: "a"\nrules:\n- id: "r"  # lint: ignore no-why\n  when: {}\n'
    >>> place = places(text, "a.yaml").rules[0]
    >>> place.lines["when"], sorted(place.ignored)
    (5, ['no-why'])
    """
    keys = {key.value: value for key, value in compose(text, path).value}
    nodes, lines = keys["rules"].value, text.splitlines()
    starts = [_with_comments(lines, _line(node) - 1) for node in nodes]
    everywhere = _ignored(lines[: starts[0]] if starts else lines)
    ends = [*starts[1:], len(lines)]
    rules = tuple(
        Place(
            {"": _line(node), **{key.value: _line(key) for key, _ in node.value}},
            everywhere | _ignored(lines[start:end]),
        )
        for node, start, end in zip(nodes, starts, ends, strict=True)
    )
    rates = {key.value: _line(key) for key, _ in keys["base_rates"].value} if "base_rates" in keys else {}
    return Places(rules, rates, everywhere)


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _with_comments(lines: list[str], start: int) -> int:
    """Return where the comment right above a rule starts, or the rule, if there is none."""
    while start and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return start


def _ignored(lines: list[str]) -> frozenset[str]:
    found = (_IGNORE.search(line) for line in lines)
    return frozenset(word for match in found if match for word in re.split(r"[\s,]+", match[1].strip()))
