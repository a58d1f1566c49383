"""The catalogue: which tasks there are, and the closed set of intents of each, in the order of every table.

::

    tasks:
    - name: "image-scene"
      intents:
      - name: "退款页面"
        description: "A page that shows the state of a refund"
        synonyms: ["退款详情"]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from kdsl_cli.errors import DatasetError, Problem, did_you_mean


@dataclass(frozen=True, slots=True)
class Intent:
    """What a dialogue can ask for. `description` is None, and `synonyms` empty, when nobody wrote them."""

    name: str
    description: str | None = None
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A closed set of intents. Their order is the column order everywhere."""

    name: str
    intents: tuple[Intent, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The intents' names, in order."""
        return tuple(intent.name for intent in self.intents)

    def intent(self, name: str) -> Intent:
        """Return the intent called `name`.

        Raises
        ------
        DatasetError
            If the task has none of that name.
        """
        for intent in self.intents:
            if intent.name == name:
                return intent
        raise DatasetError(
            f"the task '{self.name}' has no intent '{name}'",
            allowed=", ".join(self.names),
            fix=did_you_mean(name, self.names),
        )


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All tasks, in the order of their file."""

    tasks: tuple[Task, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The tasks' names, in order."""
        return tuple(task.name for task in self.tasks)

    def task(self, name: str) -> Task:
        """Return the task called `name`.

        Raises
        ------
        DatasetError
            If there is none of that name.
        """
        for task in self.tasks:
            if task.name == name:
                return task
        raise DatasetError(
            f"the catalogue has no task '{name}'",
            allowed=", ".join(self.names),
            fix=did_you_mean(name, self.names),
        )

    @classmethod
    def load(cls, path: Path) -> Catalogue:
        """Read a catalogue.

        Raises
        ------
        DatasetError
            With every problem of the file, each by ``path:line``.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise DatasetError(f"cannot be read: {error.strerror}", where=str(path)) from error
        except UnicodeDecodeError as error:
            raise DatasetError("is not UTF-8", where=str(path), fix="Save it as UTF-8.") from error
        return loads(text, str(path))


def loads(text: str, path: str) -> Catalogue:
    """Read a catalogue from `text`; `path` names it in errors.

    Examples
    --------
    >>> loads("tasks: [{name: a, intents: [{name: x}, {name: y}]}]", "intents.yaml").task("a").names
    ('x', 'y')
    """
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DatasetError(f"is not YAML: {error.problem}", where=f"{path}:{line}") from error
    except YAMLError as error:
        raise DatasetError(f"is not YAML: {error}", where=path) from error
    reader = _Reader(path)
    catalogue = Catalogue(tuple(reader.tasks(tree)))
    if reader.problems:
        raise DatasetError(reader.problems)
    return catalogue


class _Reader:
    """Walks the YAML tree and keeps every problem, so that one run shows them all."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []

    def tasks(self, tree: Any) -> Iterator[Task]:
        if isinstance(tree, CommentedMap):
            self._known(tree, ("tasks",))
        for task, line in self._named(tree, "tasks", 1, ("name", "intents")):
            intents = tuple(
                Intent(str(intent["name"]), self._description(intent, at), self._synonyms(intent, at))
                for intent, at in self._named(task, "intents", line, ("name", "description", "synonyms"))
            )
            yield Task(str(task["name"]), intents)

    def _named(
        self, tree: Any, key: str, line: int, allowed: tuple[str, ...]
    ) -> Iterator[tuple[CommentedMap, int]]:
        """Give the mappings listed under `key` that have a name of their own, each with its line."""
        items = tree.get(key) if isinstance(tree, CommentedMap) else None
        if not isinstance(items, CommentedSeq) or not items:
            self._problem(line, f"needs a list called '{key}' with something in it")
            return
        seen: dict[str, int] = {}
        for index, item in enumerate(items):
            at = items.lc.item(index)[0] + 1
            if not isinstance(item, CommentedMap):
                self._problem(at, f"each of '{key}' is a mapping with a name, this is {item!r}")
                continue
            self._known(item, allowed)
            name = item.get("name")
            if not isinstance(name, str) or not name.strip():
                self._problem(at, f"each of '{key}' needs a name in quotes, this has {name!r}")
            elif name in seen:
                self._problem(at, f"'{name}' stands twice in '{key}', first on line {seen[name]}")
            else:
                seen[name] = at
                yield item, at

    def _description(self, node: CommentedMap, line: int) -> str | None:
        value = node.get("description")
        if value is not None and not isinstance(value, str):
            self._problem(line, f"the description of '{node['name']}' must be text, this is {value!r}")
            return None
        return None if value is None else str(value)

    def _synonyms(self, node: CommentedMap, line: int) -> tuple[str, ...]:
        value = node.get("synonyms") or []
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            self._problem(
                line, f"the synonyms of '{node['name']}' must be a list of texts, this is {value!r}"
            )
            return ()
        return tuple(str(word) for word in value)

    def _known(self, node: CommentedMap, allowed: tuple[str, ...]) -> None:
        for key in node:
            if key not in allowed:
                fix = did_you_mean(str(key), allowed)
                self._problem(node.lc.key(key)[0] + 1, f"unknown key '{key}'", ", ".join(allowed), fix)

    def _problem(self, line: int, what: str, allowed: str | None = None, fix: str | None = None) -> None:
        self.problems.append(Problem(f"{self.path}:{line}", what, allowed, fix))
