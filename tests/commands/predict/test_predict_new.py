"""``kdsl predict`` on new dialogues, and with the linear model that ships."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from kdsl_cli.commands.app import run as kdsl
from kdsl_cli.logic.facts import Facts, ImageFact, OcrLine, TurnFact
from kdsl_cli.prediction.table import read_predictions
from kdsl_cli.runs.stage import Stage
from tests.commands.deciding import (  # noqa: F401 fixtures
    TEST,
    TRAIN,
    arbiter,
    large_model,
    line,
    rows,
    space,
)


def test_new_dialogues_are_read_and_decided_on(space, capsys):
    Path("new").mkdir()
    Path("new/chats.jsonl").write_text(line("x1", "scene", "my money", None) + line("x2", "wish", "so", None))
    command = ["predict", "--input", "new/chats.jsonl", "--out", "answers"]
    assert kdsl(command) == 0
    table = read_predictions(Path("answers/predictions.parquet"))
    assert table.frame.select("id", "split", "prediction").rows() == [
        ("x1", "input", "refund"),
        ("x2", "input", "hurry"),
    ]
    assert kdsl(command) == 0
    assert "up to date" in capsys.readouterr().err


def test_pictures_of_new_dialogues_that_are_not_there_are_counted(space, capsys):
    turn = {"role": "customer", "text": "<image>my money", "images": ["gone.png"]}
    row = {"id": "x1", "task": "scene", "turns": [turn], "group": None, "label": None}
    Path("new.jsonl").write_text(json.dumps(row) + "\n")
    assert kdsl(["predict", "--input", "new.jsonl", "--out", "answers", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unread"] == ["x1"]
    assert read_predictions(Path("answers/predictions.parquet")).frame["prediction"].to_list() == ["refund"]


@pytest.mark.slow
def test_pictures_of_new_dialogues_are_read_once_and_their_text_is_matched(space):
    from PIL import Image, ImageDraw, ImageFont

    screen = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(screen).text((20, 60), "box 2048", font=ImageFont.load_default(36), fill="black")
    screen.save("screen.png")
    turn = {"role": "customer", "text": "", "images": ["screen.png"]}
    row = {"id": "x1", "task": "scene", "turns": [turn], "group": None, "label": None}
    Path("new.jsonl").write_text(json.dumps(row) + "\n")
    command = ["predict", "--input", "new.jsonl", "--out", "answers", "-q"]
    assert kdsl(command) == 0
    frame = read_predictions(Path("answers/predictions.parquet")).frame
    assert frame["fired"].to_list() == [["r-box"]]
    store = Path("answers/observations.jsonl").read_bytes()
    assert kdsl([*command, "--strategy", "rules", "--force"]) == 0
    assert Path("answers/observations.jsonl").read_bytes() == store


@pytest.mark.slow
def test_the_linear_model_is_asked_through_its_own_files(space, monkeypatch, capsys):
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.dialogues.schema import Dialogue, Turn
    from kdsl_cli.evidence.labelled import labelled
    from kdsl_cli.runs.outoffold import write_out_of_fold
    from kdsl_cli.training.linear.model import LinearModels
    from kdsl_cli.training.linear.trainer import train

    monkeypatch.delitem(sys.modules, "kdsl_cli.training.linear.storage")
    from kdsl_cli.training.linear.storage import save

    told = [Dialogue(id, task, (Turn("customer", text),), None, label) for id, task, text, label in TRAIN]
    page = tuple(OcrLine(0, seq, "page", 1.0, (0.1, y, 0.9, y + 0.1)) for seq, y in enumerate((0.0, 0.9)))
    known = {
        id: Facts(id, (TurnFact(0, "service", "yes?"), TurnFact(1, "customer", text)), page, (ImageFact(0),))
        for id, _, text, _ in TRAIN
    }
    catalogue = Catalogue(Catalogue.load(Path("intents.yaml")).tasks[:1])  # no wish was ever labelled
    trained = [train(sample, seed=0) for sample in labelled(told, known, catalogue, "train")]
    folder = Path("runs/large")
    with Stage("train", folder, force=True).run() as run:
        for name in ("model.json", "weights.npz", "oof.parquet"):
            run.output(folder / name)
        save(folder, LinearModels({one.sample.task.name: one.model for one in trained}, 0))
        said = [row for one in trained for row in one.rows()]
        intents = {one.sample.task.name: one.model.intents for one in trained}
        write_out_of_fold(folder / "oof.parquet", said, intents)
    Path("data/test.jsonl").write_text("".join(line(*row) for row in TEST[:3]))
    assert kdsl(["predict"]) == 0
    assert {id: row["large_prediction"] for id, row in rows().items() if id != "t3"} == {
        "t1": "refund",
        "t2": "parcel",
    }
    assert arbiter()["tasks"]["scene"]["learnt_from"] == 40
