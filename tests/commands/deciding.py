"""A workspace as earlier stages would have left it, for the tests of ``kdsl predict``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import polars as pl
import pytest

from kdsl_cli.evidence.table import write_facts
from kdsl_cli.logic.facts import Facts, TurnFact
from kdsl_cli.prediction.table import read_predictions
from kdsl_cli.runs.atomic import write_parquet, write_text
from kdsl_cli.runs.stage import Stage

CATALOGUE = """\
tasks:
- name: "scene"
  intents: [{name: "refund"}, {name: "parcel"}]
- name: "wish"
  intents: [{name: "hurry"}, {name: "return"}, {name: "thanks"}]
"""
INTENTS = {"scene": ["refund", "parcel"], "wish": ["hurry", "return", "thanks"]}
RULES = """\
schema: "kdsl.rules/1"
task: "scene"
rules:
- id: "r-money"
  intent: "refund"
  weight: 2.0
  when:
    text: {contains: "money", in: "customer"}
  evidence: {fired: 9, correct: 9, precision_low: 0.95}
- id: "r-box"
  intent: "parcel"
  when:
    any:
    - text: {contains: "box", in: "customer"}
    - ocr: {contains: "box"}
"""
# id, task, text, label: what the model below says of them is in the comment
TEST = [
    ("t1", "scene", "my money", "refund"),  # model: parcel
    ("t2", "scene", "the box", "parcel"),  # model: parcel
    ("t3", "scene", "hello", None),  # model: parcel
    ("t4", "wish", "be quick", "hurry"),  # model: hurry
]
TRAIN = [
    (f"n{n}", "scene", "my money" if n % 2 else "the box", "refund" if n % 2 else "parcel") for n in range(40)
]


class Model:
    """Always gives the second intent of a scene 0.6, and the first of a wish 0.8."""

    asked: ClassVar[list[str]] = []
    questions: ClassVar[dict[str, tuple[str, ...]]] = {}

    def __init__(self, **intents):
        self.intents = {task: tuple(names) for task, names in (intents or INTENTS).items()}

    def scores(self, task, facts):
        self.asked += [fact.id for fact in facts]
        return np.tile([0.4, 0.6] if task == "scene" else [0.8, 0.1, 0.1], (len(facts), 1))


def line(id, task, text, label):
    turns = [{"role": "customer", "text": text, "images": []}]
    row = {"id": id, "task": task, "turns": turns, "group": None, "label": label}
    return json.dumps(row) + "\n"


def facts(id, text, **more):
    return Facts(id, (TurnFact(0, "customer", text),), **more)


@pytest.fixture
def large_model(monkeypatch):
    """Let another model be found in the folder of the large model."""

    def found(model):
        storage = SimpleNamespace(load=lambda folder: model)
        monkeypatch.setitem(sys.modules, "kdsl_cli.training.linear.storage", storage)

    return found


@pytest.fixture
def space(tmp_path, monkeypatch, large_model):
    """A workspace with everything that `predict` reads; the stages are left as a run of them would."""
    monkeypatch.chdir(tmp_path)
    large_model(Model())
    monkeypatch.setattr(Model, "asked", [])
    write_text(tmp_path / "kdsl.yaml", "")
    write_text(tmp_path / "intents.yaml", CATALOGUE)
    write_text(tmp_path / "rules/scene.yaml", RULES)
    write_text(tmp_path / "data/train.jsonl", "".join(line(*row) for row in TRAIN))
    write_text(tmp_path / "data/test.jsonl", "".join(line(*row) for row in TEST))
    extract([facts(id, text) for id, _, text, _ in TEST])
    out_of_fold("prune", "runs/prune", lambda label: None if label == "parcel" else [2.0, 0.0])
    out_of_fold("train", "runs/large", lambda label: [0.4, 0.6])
    return tmp_path


def extract(known, inputs=("data/test.jsonl",)):
    out = Path("runs/evidence")
    stage = Stage("extract", out, inputs=[Path(name) for name in inputs], force=True)
    with stage.run() as run:
        write_facts(run.output(out / "test.parquet"), known)


def out_of_fold(stage, folder, scores, intents=INTENTS):
    out = Path(folder)
    schema = {"id": pl.String, "task": pl.String, "fold": pl.Int64, "scores": pl.List(pl.Float64)}
    rows = [(id, task, 0, scores(label)) for id, task, _, label in TRAIN]
    with Stage(stage, out, force=True).run() as run:
        note = {"kdsl": json.dumps({"intents": intents})}
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        write_parquet(run.output(out / "oof.parquet"), frame, metadata=note)


def rows():
    frame = read_predictions(Path("runs/predict/test/predictions.parquet")).frame
    return {row["id"]: row for row in frame.iter_rows(named=True)}


def arbiter():
    return json.loads(Path("runs/predict/test/arbiter.json").read_text())
