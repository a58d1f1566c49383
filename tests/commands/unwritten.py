"""A small workspace in which two intents are told apart by a question alone, and a script that plays a model.

Every dialogue ends in a number of its own, and the script knows the numbers of those that are sold out.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path

from kdsl_cli.commands.app import run

QUESTION = "Is the button grey?"
EACH = 20
SETTINGS = """\
extract: {workers: 1}
mine: {simulations: 40, patience: 30, permutations: 2, folds: 3, max_length: 2, workers: 1}
eval: {bootstrap: 50}
"""
INTENTS = """\
tasks:
- name: page
  intents: [{name: sale}, {name: sold}, {name: refund}]
"""
SAID = {"sale": "看看商品", "sold": "看看商品", "refund": "申请退款"}
FILLER = "甲乙丙丁戊己庚辛壬癸"


def fill(space: Path) -> None:
    """Make a workspace, part its dialogues, extract all three splits, and write the script."""
    rng = random.Random(0)
    names = [(intent, number) for intent in SAID for number in range(EACH)]
    codes = dict(zip(names, rng.sample(range(1000, 10000), len(names)), strict=True))
    rows = []
    for (intent, number), code in codes.items():
        text = f"{''.join(rng.choices(FILLER, k=4))}{SAID[intent]}#{code}#"
        turn = {"role": "customer", "text": text}
        row = {"id": f"{intent}-{number:02}", "task": "page", "turns": [turn], "label": intent}
        rows.append(json.dumps(row, ensure_ascii=False) + "\n")
    (space / "data").mkdir(parents=True)
    (space / "kdsl.yaml").write_text(SETTINGS)
    (space / "intents.yaml").write_text(INTENTS)
    (space / "data/dialogues.jsonl").write_text("".join(rows))
    sold = [code for (intent, _), code in codes.items() if intent == "sold"]
    (space / "model.yaml").write_text(script(sold))
    for verb in (["data", "split"], ["extract"]):
        assert run([*verb, "-q", "--config-file", str(space / "kdsl.yaml")]) == 0


def script(sold: Iterable[int]) -> str:
    """Return a model that asks whether the button is grey, and knows of which numbers it is."""

    def asks(answer: str) -> dict[str, object]:
        return {"answer": {"question": QUESTION, "is": answer}}

    proposed = {"sold": asks("yes"), "sale": asks("no"), "refund": {"text": {"contains": "退款"}}}
    entries: list[dict[str, object]] = [
        {
            "match": f"recognise this intent: {intent}",
            "text": [json.dumps({"when": when, "why": "So it looks."}), "I do not know"],
            "logprob": -3.0,
        }
        for intent, when in proposed.items()
    ]
    entries.append({"match": [f"Question: {QUESTION}", "other ways"], "text": "I know none"})
    entries.append({"match": ["(nothing)"], "logprobs": {"yes": -0.7, "no": -0.7}})
    entries += [{"match": [f"#{code}#", QUESTION], "logprobs": {"yes": -0.1, "no": -2.5}} for code in sold]
    entries.append({"logprobs": {"yes": -2.5, "no": -0.1}})
    return json.dumps({"answers": entries}, ensure_ascii=False)
