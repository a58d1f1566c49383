"""Whole trees kept as JSON: any change of what a search does shows here, line by line.

After a change that is meant to alter them:
    KDSL_REFRESH_GOLDEN=1 python -m pytest tests/search/test_golden.py
and read the difference before it is committed.
"""

import json
import os
import random
from pathlib import Path

import pytest

from kdsl_cli.search.mcts import Mcts
from kdsl_cli.search.selection import Puct, Uct, Widening
from kdsl_cli.search.stopping import Simulations

from .toys import Bandit, Graph, Subsets, picture

GOLDEN = Path(__file__).parents[1] / "golden" / "search"
DIAMOND = Graph(
    {"root": ["left", "right"], "left": ["meet", "l"], "right": ["meet", "r"], "meet": ["end"]},
    {"left": 0.25, "right": 0.5, "meet": 0.75, "l": 0.125, "r": 0.375, "end": 1.0},
)
CASES = {
    "bandit-uct": (Bandit({"a": 0.25, "b": 0.75, "c": 0.5}), Uct(1.0), {}, 3),
    "diamond-uct": (DIAMOND, Uct(1.0), {}, 8),
    "subsets-puct": (
        Subsets("abcd", "bd", size=3, priors={"a": 0.125, "b": 0.5, "c": 0.25, "d": 0.125}),
        Puct(1.0),
        {"widening": Widening(k0=1, k=1, alpha=0.5), "max_share": 0.5},
        14,
    ),
}
for size in (4, 8):
    problem, policy, settings, _ = CASES["subsets-puct"]
    CASES[f"subsets-puct-batch-{size}"] = (problem, policy, settings | {"batch": size}, 14)
    CASES[f"diamond-uct-batch-{size}"] = (DIAMOND, Uct(1.0), {"batch": size}, 8)
for size in (4, 8):
    problem, policy, settings, _ = CASES["subsets-puct"]
    CASES[f"subsets-puct-batch-{size}"] = (problem, policy, settings | {"batch": size}, 14)
    CASES[f"diamond-uct-batch-{size}"] = (DIAMOND, Uct(1.0), {"batch": size}, 8)


@pytest.mark.parametrize("name", CASES)
def test_the_tree_is_the_golden_one(name):
    problem, policy, settings, simulations = CASES[name]
    search = Mcts(problem, policy, random.Random(0), **settings)
    search.run(Simulations(simulations))
    path = GOLDEN / f"{name}.json"
    if os.environ.get("KDSL_REFRESH_GOLDEN"):
        nodes = ",\n".join(json.dumps(node) for node in picture(search))
        path.write_text(f"[\n{nodes}\n]\n", encoding="utf-8")
    assert picture(search) == json.loads(path.read_text(encoding="utf-8"))
