"""The log of a search: one line a simulation, from which the whole tree can be rebuilt.

    {"simulation": 3, "path": ["a", "c"], "key": "a+c", "value": 0.5, "new": true}

Nothing of the random generator is in it: the draws of a simulation depend on the seed and on the number of
the simulation alone. `Mcts.replay` reads it back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

EventSink = Callable[[dict[str, Any]], object]
"""Takes one event as a JSON-able dict, after the tree has changed; what it returns is ignored."""

_TYPES: Mapping[str, type] = {"simulation": int, "path": list, "key": str, "value": float, "new": bool}


@dataclass(frozen=True, slots=True)
class Event:
    """One simulation.

    Attributes
    ----------
    simulation
        Its number, from 0.
    path
        Labels of the actions from the root; empty for the first simulation, which looks at the root itself.
    key
        Key of the node where the path ended.
    value
        That node's reward, 0 to 1.
    new
        Whether the reward was evaluated now (and the node is new) or known from another path.

    Examples
    --------
    >>> event = Event(3, ("a", "c"), "a+c", 0.5, True)
    >>> Event.from_dict(event.to_dict()) == event
    True
    """

    simulation: int
    path: tuple[str, ...]
    key: str
    value: float
    new: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON can write it, floats exactly."""
        return {
            "simulation": self.simulation,
            "path": list(self.path),
            "key": self.key,
            "value": self.value,
            "new": self.new,
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Event:
        """Return the event that `to_dict` wrote.

        Raises
        ------
        ValueError
            If a field is missing, unknown or of another type.
        """
        if not isinstance(entry, Mapping) or set(entry) != set(_TYPES):
            raise ValueError(f"not an event: {entry!r:.80}; an event has exactly {', '.join(_TYPES)}")
        for name, kind in _TYPES.items():
            if type(entry[name]) is not kind:
                raise ValueError(f"{name} is {entry[name]!r:.80}; allowed: {kind.__name__}")
        if not all(isinstance(label, str) for label in entry["path"]):
            raise ValueError(f"path is {entry['path']!r:.80}; allowed: a list of labels")
        return cls(entry["simulation"], tuple(entry["path"]), entry["key"], entry["value"], entry["new"])


def parse_log(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Return the entries of a log kept as JSON lines, ready for `Mcts.replay`.

    Raises
    ------
    ValueError
        At a torn or foreign line; the message starts with its number, from 1.

    Examples
    --------
    >>> parse_log(['{"simulation": 0, "path": [], "key": "", "value": 0.5, "new": true}', '{"simul'])
    Traceback (most recent call last):
    ...
    ValueError: line 2: torn, or not JSON: '{"simul'
    """
    entries = []
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"line {number}: torn, or not JSON: {line!r:.80}") from error
        try:
            Event.from_dict(entry)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
        entries.append(entry)
    return entries
