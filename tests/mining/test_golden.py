"""The search tree of one intent kept as JSON: any change of what mining looks at shows here, line by line.

After a change that is meant to alter it:
    KDSL_REFRESH_GOLDEN=1 python -m pytest tests/mining/test_golden.py
and read the difference before it is committed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kdsl_cli.mining.miner import IntentMiner
from kdsl_cli.mining.search_settings import SearchSettings
from kdsl_cli.search.stopping import Simulations

from .planted import planted

GOLDEN = Path(__file__).parents[1] / "golden" / "mining"


@pytest.mark.parametrize("intent", ["refund", "invoice"])
def test_the_tree_is_the_golden_one(intent: str) -> None:
    search = IntentMiner(planted().sample, planted().pool, intent, SearchSettings()).search(0)
    search.run(Simulations(24))
    tree = [
        {
            "key": node.key,
            "value": round(node.value, 6),
            "visits": node.visits,
            "moves": {edge.label: edge.visits for edge in node.edges if edge.visits},
        }
        for node in search.nodes()
    ]
    path = GOLDEN / f"{intent}.json"
    if os.environ.get("KDSL_REFRESH_GOLDEN"):
        nodes = ",\n".join(json.dumps(node, ensure_ascii=False) for node in tree)
        path.write_text(f"[\n{nodes}\n]\n", encoding="utf-8")
    assert tree == json.loads(path.read_text(encoding="utf-8"))
