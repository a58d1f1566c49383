"""Where settings come from: file, environment, command line; and where a wrong one stands.

Verbs import this at module level, so pydantic and the YAML reader are imported inside functions.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kdsl_cli.commands.workspace.layout import find_workspace
from kdsl_cli.errors import ConfigError, Problem, did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails
    from ruamel.yaml.nodes import Node

    from kdsl_cli.commands.workspace.settings import Settings

Place = tuple[str | int, ...]

_ALLOWED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "a text, in quotes",
    "tuple_type": "a list",
    "bool_type": "true or false",
    "model_type": "options, one a line, below it",
    "greater_than_equal": "{ge:g} or more",
    "greater_than": "more than {gt:g}",
    "less_than_equal": "at most {le:g}",
    "less_than": "less than {lt:g}",
    "finite_number": "a finite number",
}


@dataclass(slots=True)
class Given:
    """Values that somebody gave, and where each of them stands (`where`, by section and option)."""

    values: dict[str, Any] = field(default_factory=dict)
    where: dict[Place, str] = field(default_factory=dict)

    def put(self, section: str, name: str, value: Any, where: str) -> None:
        """Set one option over what was given for it before."""
        if self.values.get(section) is None:  # a section whose lines are all commented out
            self.values[section] = {}
        if isinstance(self.values[section], dict):  # else it is wrong, and reported as that
            self.values[section][name] = value
            self.where = {at: text for at, text in self.where.items() if at[:2] != (section, name)}
            self.where[(section, name)] = where


def current_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of this run; the defaults if there is no workspace.

    Parameters
    ----------
    overrides
        What the command line gave, as ``{"mine.simulations": 500}``; None as a value means "not given".

    Raises
    ------
    ConfigError
        With every wrong option, each by its place.
    """
    found = find_workspace()
    given = read_file(found.config) if found else Given()
    return resolve(given, os.environ, overrides or {})


def resolve(given: Given, environment: Mapping[str, str], overrides: Mapping[str, Any]) -> Settings:
    """Return `given`, overruled by the environment and then by `overrides`, checked.

    Raises
    ------
    ConfigError
        With every wrong option, each by its place.

    Examples
    --------
    >>> resolve(Given(), {"KDSL_MINE_SEED": "7", "KDSL_MINE_FOLDS": "3"}, {"mine.folds": 4}).mine.given()
    {'seed': 7, 'folds': 4}
    """
    from pydantic import ValidationError

    from kdsl_cli.commands.workspace.settings import Settings

    problems = _put_environment(given, environment)
    for dotted, value in overrides.items():
        if value is not None:
            section, _, name = dotted.partition(".")
            given.put(section, name, value, "--" + name.replace("_", "-"))
    values = {section: value for section, value in given.values.items() if value is not None}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += [_problem(detail, given.where) for detail in error.errors()]
        problems.sort(key=_position)
    if problems:
        raise ConfigError(problems)
    return settings


def read_file(path: Path) -> Given:
    """Read a `kdsl.yaml` without judging its options.

    Raises
    ------
    ConfigError
        If it cannot be read, is not YAML, or has a key twice.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(path.read_text(encoding="utf-8-sig"))
        values = yaml.constructor.construct_document(node) if node is not None else {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path)) from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"not YAML: {error.problem}", where=f"{path}:{line}") from error
    except YAMLError as error:
        raise ConfigError(f"not YAML: {error}", where=str(path)) from error
    if not isinstance(values, dict):
        raise ConfigError(
            f"holds {values!r}", where=f"{path}:1", allowed="sections, each with options below it"
        )
    where: dict[Place, str] = {}
    _note_lines(node, (), path, where)
    return Given({str(section): value for section, value in values.items()}, where)


def _note_lines(node: Node | None, at: Place, path: Path, where: dict[Place, str]) -> None:
    from ruamel.yaml.nodes import MappingNode

    if isinstance(node, MappingNode):
        for key, value in node.value:
            place = (*at, str(key.value))
            where[place] = f"{path}:{key.start_mark.line + 1}"
            _note_lines(value, place, path, where)


def _put_environment(given: Given, environment: Mapping[str, str]) -> list[Problem]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    from kdsl_cli.commands.workspace.settings import options

    known = {
        f"KDSL_{section}_{name}".upper(): (section, name)
        for section, fields in options().items()
        for name in fields
    }
    stems = tuple(f"KDSL_{section}_".upper() for section in options())
    problems: list[Problem] = []
    for variable, text in sorted(environment.items()):
        if variable in known:
            try:
                value = YAML(typ="safe", pure=True).load(text)
            except YAMLError:
                value = text
            given.put(*known[variable], value, variable)
        elif variable.startswith(stems):
            what = "this environment variable sets no option"
            problems.append(Problem(variable, what, fix=did_you_mean(variable, known) or "Unset it"))
    return problems


def _problem(detail: ErrorDetails, where: Mapping[Place, str]) -> Problem:
    place: Place = detail["loc"]
    at = place
    while at and at not in where:
        at = at[:-1]
    found, name = where.get(at, ""), ".".join(map(str, place))
    if detail["type"] == "extra_forbidden":
        return _unknown(place, found)
    if detail["type"] == "value_error":
        return Problem(found, f"{name}: {detail['msg'].removeprefix('Value error, ')}")
    what = f"{name} is {_shown(detail['input'])}"
    context = detail.get("ctx", {})
    if detail["type"] == "literal_error":
        expected = str(context["expected"])
        words = [word.strip("' ") for word in expected.replace(" or ", ", ").split(",")]
        return Problem(found, what, expected, did_you_mean(str(detail["input"]), words))
    template = _ALLOWED.get(detail["type"])
    return Problem(found, what, template.format(**context) if template else detail["msg"])


def _unknown(place: Place, found: str) -> Problem:
    from kdsl_cli.commands.workspace.settings import options

    *sections, key = map(str, place)
    known = options()[sections[0]] if sections else options()
    inside = f" in {sections[0]}" if sections else ""
    return Problem(found, f"unknown key '{key}'{inside}", ", ".join(known), did_you_mean(key, known))


def _shown(value: Any) -> str:
    return "empty" if value is None else repr(value)


def _position(problem: Problem) -> tuple[str, int]:
    path, _, line = problem.where.rpartition(":")
    return (path, int(line)) if line.isdigit() else (problem.where, 0)
