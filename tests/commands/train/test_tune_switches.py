"""What a sample may be, switch by switch, through ``kdsl train-large``: each reaches the steps, and alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.commands.workspace.shipped import shipped
from kdsl_cli.prediction.table import read_predictions
from kdsl_cli.runs.appendlog import read_log
from kdsl_cli.runs.manifest import read_manifest
from tests.backends.local.conftest import checkpoint  # noqa: F401 - a fixture of these tests too
from tests.commands.planted import copied

pytestmark = [pytest.mark.local, pytest.mark.slow]

SETTINGS = """\
extract: {max_side: 64, workers: 1}
train: {max_pixels: 12544, max_length: 400, micro_batch: 8, checkpointing: false, dropout: 0.0, epochs: 1,
        batch: 99, learning_rate: 0.003, folds: 0, described: false}
predict: {strategy: large}
"""
CATALOGUE = """\
tasks:
- {name: page, intents: [{name: order-confirm}, {name: invoice-page}]}
- {name: wish, intents: [{name: refund}, {name: hurry}]}
"""
RULES = """\
schema: "kdsl.rules/1"
task: "wish"
rules:
- {id: "r-1", intent: "hurry", status: "reviewed", when: {text: {in: "any", contains: "快"}}}
"""
MODEL = """\
answers:
- {match: ["快"], text: "Somebody waits."}
- {text: "A sum is asked back."}
"""
WISHES = {"refund": ("退款", 4), "hurry": ("快点", 2)}


def rows():
    """Six requests of many turns, four pages with their pictures, and one request that is too long."""
    for intent, (text, count) in WISHES.items():
        for number in range(count):
            words = [f"{number} {word}" for word in ("你好", "在吗", "有人吗", "我说", text)]
            turns = [{"role": "customer", "text": word} for word in words]
            yield {"id": f"{intent}-{number}", "task": "wish", "turns": turns, "label": intent}
    yield {
        "id": "endless",
        "task": "wish",
        "turns": [{"role": "customer", "text": "退" * 999}],
        "label": "refund",
    }
    lines = (shipped("data/shop") / "dialogues.jsonl").read_text("utf-8").splitlines()
    pages = [json.loads(line) for line in lines]
    for intent in ("order-confirm", "invoice-page"):
        for page in [one for one in pages if one["label"] == intent][:2]:
            yield page | {"task": "page", "group": None}


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    space = tmp_path_factory.mktemp("extracted") / "space"
    (space / "data/images").mkdir(parents=True)
    (space / "rules").mkdir()
    for row in (own := list(rows())):
        for name in (name for turn in row["turns"] for name in turn.get("images", ())):
            shutil.copy(shipped("data/shop") / name, space / "data" / name)
    texts = {"kdsl.yaml": SETTINGS, "intents.yaml": CATALOGUE, "rules/wish.yaml": RULES, "model.yaml": MODEL}
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in own)
    for name, text in {**texts, "data/dialogues.jsonl": lines}.items():
        (space / name).write_text(text, "utf-8")
    for words in (["data", "split", "--fractions", "train=1"], ["extract", "--split", "train"]):
        assert run([*words, "-q", "--config-file", str(space / "kdsl.yaml")]) == 0
    return space


@pytest.fixture
def space(extracted, tmp_path, monkeypatch, quiet_environment):
    monkeypatch.chdir(copied(extracted, tmp_path))
    return tmp_path


def first_step(space, model, *more):
    """Tune one step, and return what it was."""
    assert run(["train-large", "--large", f"local:{model}", "--on-long", "drop", *more, "--force"]) == 0
    return read_log(space / "runs/large/metrics.jsonl")[0]


def test_each_switch_changes_what_is_learnt(space, checkpoint, capsys, monkeypatch):
    plain = first_step(space, checkpoint)
    said, manifest = capsys.readouterr().err, read_manifest(space / "runs/large")
    assert "left out, longer than 400 tokens: endless with " in said
    assert list(manifest.extra["overlong"]) == ["endless"] and manifest.counts.skipped == 1

    for switch in ("choices", "crop", "colour", "jpeg"):
        changed = first_step(space, checkpoint, "--augment", switch)
        assert changed["tokens"] == plain["tokens"] and changed["loss"] != plain["loss"], switch
        augmented = json.loads((space / "runs/large/model.json").read_text("utf-8"))["settings"][
            "augmentation"
        ]
        assert {name for name, on in augmented.items() if on} == {switch}
    assert first_step(space, checkpoint, "--augment", "turns")["tokens"] < plain["tokens"]
    assert first_step(space, checkpoint, "--rules")["tokens"] > plain["tokens"]

    monkeypatch.setenv("KDSL_TRAIN_BALANCED", "false")
    unbalanced = first_step(space, checkpoint)
    assert unbalanced["samples"] == 10 and unbalanced["loss"] != plain["loss"]
    assert run(["write-reasons", "--small", "scripted:model.yaml"]) == 0
    assert first_step(space, checkpoint, "--reasons", "data/reasons.jsonl")["samples"] == 20

    monkeypatch.setenv("KDSL_TRAIN_QUANT", "int8")
    assert first_step(space, checkpoint)["loss"] != unbalanced["loss"]
    assert json.loads((space / "runs/large/model.json").read_text("utf-8"))["quant"] == "int8"


def scores():
    assert run(["predict", "--split", "train", "--force"]) == 0
    frame = read_predictions(Path("runs/predict/train/predictions.parquet")).frame
    return {row["id"]: row["large_scores"] for row in frame.iter_rows(named=True)}


def test_rules_of_training_are_told_in_prediction_too(space, checkpoint, monkeypatch):
    first_step(space, checkpoint, "--rules")
    (space / "rules/wish.yaml").unlink()  # those of the model are in its record
    told = scores()
    monkeypatch.setattr("kdsl_cli.training.lora.samples.noting.notes", lambda rules, facts: [()] * len(facts))
    untold = scores()
    assert {id for id in told if told[id] != untold[id]} == {"hurry-0", "hurry-1"}
