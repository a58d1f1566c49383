"""Toy problems whose best state is known, and a plain picture of a tree to compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from kdsl_cli.search.mcts import Mcts
from kdsl_cli.search.problem import Action, Named


class Bandit:
    """One choice among arms with known rewards; the root itself is worth 0."""

    def __init__(self, rewards: Mapping[str, float], priors: Mapping[str, float] | None = None) -> None:
        self.rewards = rewards
        self.priors = priors or dict.fromkeys(rewards, 1.0)

    def root(self) -> str:
        return ""

    def actions(self, state: str) -> Sequence[Action]:
        return [] if state else [Named(arm, self.priors[arm]) for arm in self.rewards]

    def apply(self, state: str, action: Action) -> str:
        return action.label

    def key(self, state: str) -> str:
        return state

    def evaluate(self, state: str) -> float:
        return self.rewards.get(state, 0.0)


class Subsets:
    """Choose up to `size` items; a set is worth its Jaccard similarity to the `wanted` one.

    All orders of one set meet in one state. `asked` counts how often each key was evaluated.
    """

    def __init__(self, items: str, wanted: str, size: int, priors: Mapping[str, float] | None = None) -> None:
        self.items = items
        self.wanted = frozenset(wanted)
        self.size = size
        self.priors = priors or dict.fromkeys(items, 1.0)
        self.asked: Counter[str] = Counter()

    def root(self) -> frozenset[str]:
        return frozenset()

    def actions(self, state: frozenset[str]) -> Sequence[Action]:
        if len(state) == self.size:
            return []
        return [Named(item, self.priors[item], payload=item) for item in self.items if item not in state]

    def apply(self, state: frozenset[str], action: Action) -> frozenset[str]:
        return state | {action.payload}

    def key(self, state: frozenset[str]) -> str:
        return "".join(sorted(state))

    def evaluate(self, state: frozenset[str]) -> float:
        self.asked[self.key(state)] += 1
        return len(state & self.wanted) / len(state | self.wanted)


class ManySubsets(Subsets):
    """The same, asked in batches only; `calls` keeps what was asked at once, by question."""

    def __init__(self, *of: Any, **more: Any) -> None:
        super().__init__(*of, **more)
        self.calls: list[tuple[str, list[str]]] = []

    def actions_many(self, states: Sequence[frozenset[str]]) -> list[Sequence[Action]]:
        self.calls.append(("actions", [self.key(state) for state in states]))
        return [super(ManySubsets, self).actions(state) for state in states]

    def evaluate_many(self, states: Sequence[frozenset[str]]) -> list[float]:
        self.calls.append(("evaluate", [self.key(state) for state in states]))
        return [super(ManySubsets, self).evaluate(state) for state in states]

    def actions(self, state: frozenset[str]) -> Sequence[Action]:
        raise AssertionError("asked one by one")

    def evaluate(self, state: frozenset[str]) -> float:
        raise AssertionError("asked one by one")


class ManySubsets(Subsets):
    """The same, asked in batches only; `calls` keeps what was asked at once, by question."""

    def __init__(self, *of: Any, **more: Any) -> None:
        super().__init__(*of, **more)
        self.calls: list[tuple[str, list[str]]] = []

    def actions_many(self, states: Sequence[frozenset[str]]) -> list[Sequence[Action]]:
        self.calls.append(("actions", [self.key(state) for state in states]))
        return [super(ManySubsets, self).actions(state) for state in states]

    def evaluate_many(self, states: Sequence[frozenset[str]]) -> list[float]:
        self.calls.append(("evaluate", [self.key(state) for state in states]))
        return [super(ManySubsets, self).evaluate(state) for state in states]

    def actions(self, state: frozenset[str]) -> Sequence[Action]:
        raise AssertionError("asked one by one")

    def evaluate(self, state: frozenset[str]) -> float:
        raise AssertionError("asked one by one")


class Graph:
    """A graph given edge by edge: `ways` maps a state to its successors, `rewards` to what it is worth."""

    def __init__(self, ways: Mapping[str, Sequence[str]], rewards: Mapping[str, float]) -> None:
        self.ways = ways
        self.rewards = rewards

    def root(self) -> str:
        return "root"

    def actions(self, state: str) -> Sequence[Action]:
        return [Named(f"to {target}", 1.0, payload=target) for target in self.ways.get(state, ())]

    def apply(self, state: str, action: Action) -> str:
        return str(action.payload)

    def key(self, state: str) -> str:
        return state

    def evaluate(self, state: str) -> float:
        return self.rewards.get(state, 0.0)


def picture(search: Mcts[Any]) -> list[dict[str, Any]]:
    """Return everything a search has learnt, in order of discovery, as JSON would hold it."""
    return [
        {
            "key": node.key,
            "value": node.value,
            "visits": node.visits,
            "value_sum": node.value_sum,
            "max": node.max,
            "exhausted": node.exhausted,
            "edges": [
                {"label": edge.label, "visits": edge.visits, "child": edge.child and edge.child.key}
                for edge in node.edges
            ],
        }
        for node in search.nodes()
    ]
