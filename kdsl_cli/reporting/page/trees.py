"""The miner's search trees, small enough to read: what was tried, how often, how good it was, what stayed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kdsl_cli.logic.conditions import condition_key, parse_key
from kdsl_cli.logic.describing import describe
from kdsl_cli.logic.rule import RuleBase
from kdsl_cli.mining.campaign import WHOLE

TRIED, FOUND, IN_USE = 0, 1, 2
"""What became of a draft: tried and left, kept by the miner, and in the rule file today."""

_WIDTH: Final = 8  # children shown of one draft; those that lead to a kept one always are
_MOVE: Final = re.compile(r"(?:^| \+ )(require|exclude|widen) ")
_WORDS: Final = {"require": "", "exclude": "not: ", "widen": "or: "}


@dataclass(slots=True)
class Draft:
    """A draft on its way down from the root, put together from the events that passed it.

    Attributes
    ----------
    label
        The moves that lead here from its parent, in words.
    key
        Its condition; None until an event ended here.
    visits
        Simulations that passed or ended here on this way.
    value
        Its own reward, 0 to 1; None until an event ended here.
    """

    label: str
    key: str | None = None
    visits: int = 0
    value: float | None = None
    children: dict[str, Draft] = field(default_factory=dict)


def search_trees(
    records: Iterable[Mapping[str, Any]], bases: Mapping[str, RuleBase]
) -> Iterator[dict[str, Any]]:
    """Yield each intent's search on the whole sample, as JSON.

    Each has `task`, `intent`, `simulations`, `found` (rules kept) and `rounds`: the root of each round as
    ``[label, visits, value, fate, hidden, children]``, where `fate` is `TRIED`, `FOUND` or `IN_USE` and
    `hidden` counts children that are not shown.
    """
    in_use = {task: {condition_key(rule.when) for rule in base.active} for task, base in bases.items()}
    for (task, intent), parts in _searches(records).items():
        last = parts[-1]  # a search that was stopped and gone on with has a record of either
        found = {(one["round"], one["condition"]) for one in last["found"]}
        yield {
            "task": task,
            "intent": intent,
            "simulations": last["simulations"],
            "found": len(found),
            "rounds": [
                _shown(root, {key for of, key in found if of == number}, in_use.get(task, set()))
                for number, root in _grown(event for part in parts for event in part["events"]).items()
            ],
        }


def _searches(
    records: Iterable[Mapping[str, Any]],
) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    searches: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for record in records:
        if record["fold"] == WHOLE:
            searches.setdefault((record["task"], record["intent"]), []).append(record)
    return searches


def _grown(events: Iterable[Mapping[str, Any]]) -> dict[int, Draft]:
    """Return the root of each round's tree."""
    roots: dict[int, Draft] = {}
    for event in events:
        draft = roots.setdefault(event["round"], Draft(""))
        draft.visits += 1
        for label in event["path"]:
            draft = draft.children.setdefault(label, Draft(label))
            draft.visits += 1
        draft.key, draft.value = event["key"], event["value"]
    return roots


def _shown(draft: Draft, found: set[str], used: set[str]) -> list[Any]:
    fate = TRIED
    if draft.key in found:
        fate = IN_USE if draft.key in used else FOUND
    ordered = sorted(draft.children.values(), key=lambda one: -one.visits)
    kept = [child for place, child in enumerate(ordered) if place < _WIDTH or _leads(child, found)]
    return [
        describe(parse_key(draft.key)) if fate and draft.key else moves(draft.label),
        draft.visits,
        None if draft.value is None else round(draft.value, 3),
        fate,
        len(ordered) - len(kept),
        [_shown(child, found, used) for child in kept],
    ]


def _leads(draft: Draft, found: set[str]) -> bool:
    return draft.key in found or any(_leads(child, found) for child in draft.children.values())


def moves(label: str) -> str:
    """Return the label of an action in words.

    Examples
    --------
    >>> moves('exclude ["image","kind","photo"]')
    'not: a picture is a photo'
    """
    parts, at = [], 0
    while found := _MOVE.match(label, at):
        key, at = json.JSONDecoder().raw_decode(label, found.end())
        words = describe(parse_key(json.dumps(key, ensure_ascii=False, separators=(",", ":"))))
        parts.append(_WORDS[found[1]] + words)
    return "; ".join(parts)
