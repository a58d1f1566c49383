"""The line at the top of a YAML file by which editors find its schema, and where the schemas lie."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kdsl_cli.commands.workspace.layout import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARK: Final = "yaml-language-server: $schema="


def schema_path(space: Workspace, name: str) -> Path:
    """Return where the schema of a kind of file lies; of rules, one a task (``rules-TASK``)."""
    return space.root / ".schema" / f"{name}.json"


def modeline(file: Path, schema: Path) -> str:
    """Return the line, without the mark of a comment; the schema is named from where the file is.

    Examples
    --------
    >>> modeline(Path("shop/rules/a.yaml"), Path("shop/.schema/rules-a.json"))
    'yaml-language-server: $schema=../.schema/rules-a.json'
    """
    return _MARK + Path(os.path.relpath(schema, file.parent)).as_posix()


def with_modeline(text: str, line: str) -> str:
    r"""Return the text of a file with the line at its top, in place of another such line.

    Examples
    --------
    >>> with_modeline("a: 1\n", "yaml-language-server: $schema=a.json")
    '# yaml-language-server: $schema=a.json\na: 1\n'
    """
    first, _, rest = text.partition("\n")
    if first.startswith("#") and _MARK in first:
        text = rest
    return f"# {line}\n{text}"


def write_rule_schema(space: Workspace, task: str, intents: Sequence[str], file: Path) -> str:
    """Write the schema of a task's rules, and return the line for a rule file."""
    from kdsl_cli.logic.rule_schema import rule_schema

    path = schema_path(space, f"rules-{task}")
    write_schema(path, rule_schema(task, intents))
    return modeline(file, path)


def write_schema(path: Path, schema: dict[str, Any]) -> None:
    """Write a schema, whole or not at all."""
    from kdsl_cli.runs.atomic import write_json

    write_json(path, schema)
