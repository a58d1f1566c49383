"""``kdsl predict`` through the program's own door, on a workspace that earlier stages would have left."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import polars as pl
import pytest

from kdsl_cli.commands.app import run as kdsl
from kdsl_cli.evidence.table import write_facts
from kdsl_cli.logic.facts import Facts, ImageFact, OcrLine, TurnFact
from kdsl_cli.prediction.table import read_predictions
from kdsl_cli.runs.atomic import write_parquet, write_text
from kdsl_cli.runs.manifest import read_manifest
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
        monkeypatch.setitem(sys.modules, "kdsl_cli.training.storage", storage)

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


def test_both_sides_decide_and_every_row_says_who(space, capsys):
    assert kdsl(["predict"]) == 0
    told = capsys.readouterr()
    found = rows()
    assert {id: (row["prediction"], row["decided_by"], row["strategy"]) for id, row in found.items()} == {
        "t1": ("refund", "rules", "log-odds"),
        "t2": ("parcel", "both", "log-odds"),
        "t3": ("parcel", "large", "log-odds"),
        "t4": ("hurry", "large", "large"),
    }
    assert (found["t1"]["rules_prediction"], found["t1"]["large_prediction"]) == ("refund", "parcel")
    assert (found["t1"]["fired"], found["t3"]["fired"]) == (["r-money"], [])
    assert "scene (log-odds): 3 dialogues: 1 by the rules, 1 by the large model, 1 by both" in told.out
    assert "rules that fired most: r-box (1), r-money (1)" in told.out
    assert "runs/predict/test/predictions.parquet" in told.out
    assert "wish has no rules: the large model decides alone" in told.err
    manifest = read_manifest(Path("runs/predict/test"))
    assert (manifest.status, manifest.counts.total, manifest.counts.ok) == ("success", 4, 4)
    assert manifest.config["strategy"] == "log-odds"


def test_weights_are_learnt_from_the_training_split_alone(space):
    assert kdsl(["predict", "-q"]) == 0
    told = arbiter()
    scene = told["tasks"]["scene"]
    assert (told["schema"], scene["learnt_from"]) == ("kdsl.arbiter/1", 40)
    assert scene["weights"]["rules"] > 1  # the rules are right wherever they speak, the model never helps
    assert scene["losses"]["together"] < scene["losses"]["large"]
    assert told["tasks"]["wish"]["learnt_from"] == 0
    before = (arbiter(), rows()["t1"]["scores"])
    Path("data/test.jsonl").write_text("".join(line(*row[:3], None) for row in TEST))
    assert kdsl(["predict", "-q", "--force"]) == 0
    assert (arbiter(), rows()["t1"]["scores"]) == before


def test_a_second_run_is_up_to_date_prints_the_same_and_asks_nobody(space, capsys):
    kdsl(["predict"])
    first = capsys.readouterr().out
    before = Path("runs/predict/test/predictions.parquet").read_bytes()
    Model.asked.clear()
    assert kdsl(["predict"]) == 0
    second = capsys.readouterr()
    assert second.out == first and "up to date" in second.err and Model.asked == []
    assert kdsl(["predict", "--force"]) == 0
    assert Path("runs/predict/test/predictions.parquet").read_bytes() == before


def test_json_and_quiet_are_results_and_nothing_else(space, capsys):
    assert kdsl(["predict", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["tasks"]["scene"]["n"] == 3
    assert told["fired"] == {"r-box": 1, "r-money": 1}
    assert kdsl(["predict", "-q"]) == 0
    assert capsys.readouterr().out == "runs/predict/test/predictions.parquet\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--strategy", "rules"], {"t1": "refund", "t2": "parcel", "t3": None, "t4": None}),
        (["--strategy", "large"], {"t1": "parcel", "t2": "parcel", "t3": "parcel", "t4": "hurry"}),
        (["--strategy", "rules-first"], {"t1": "refund", "t2": "parcel", "t3": "parcel", "t4": "hurry"}),
        (
            ["--strategy", "rules-first", "--override-precision", "0.96"],
            {"t1": "parcel", "t2": "parcel", "t3": "parcel", "t4": "hurry"},
        ),
    ],
)
def test_each_strategy_decides_in_its_own_way(space, arguments, said):
    assert kdsl(["predict", *arguments]) == 0
    assert {id: row["prediction"] for id, row in rows().items()} == said


def test_other_options_in_a_finished_folder_ask_for_force(space, capsys):
    kdsl(["predict"])
    assert kdsl(["predict", "--strategy", "rules"]) == 2
    assert "--force" in capsys.readouterr().err
    assert kdsl(["predict", "--strategy", "rules", "--out", "elsewhere"]) == 0
    assert Path("elsewhere/predictions.parquet").is_file()


def test_what_cannot_be_decided_is_named_and_never_gets_a_label(space, capsys):
    more = line("t5", "scnee", "hello", None) + line("t6", "scene", "my money", "refund")
    Path("data/test.jsonl").write_text("".join(line(*row) for row in TEST) + more)
    extract([facts(id, text) for id, _, text, _ in [*TEST, ("t5", "", "hello", "")]])
    assert kdsl(["predict"]) == 1
    told = capsys.readouterr()
    assert "failed: t5: unknown task 'scnee'. Did you mean 'scene'?" in told.out
    assert "failed: t6: there is no evidence of it; run: kdsl extract --split test" in told.out
    assert "2 of 6 dialogues could not be decided" in told.err
    for id in ("t5", "t6"):
        assert (rows()[id]["prediction"], rows()[id]["scores"], rows()[id]["decided_by"]) == (
            None,
            None,
            "none",
        )
    counts = read_manifest(Path("runs/predict/test")).counts
    assert (counts.total, counts.ok, counts.failed) == (6, 4, 2)
    assert kdsl(["predict", "--max-failed", "0.5"]) == 0


def test_a_dialogue_with_an_unread_picture_is_decided_and_counted(space, capsys):
    unread = facts("t1", "my money", images=(ImageFact(0, error="truncated"),))
    extract([unread, *(facts(id, text) for id, _, text, _ in TEST[1:])])
    assert kdsl(["predict"]) == 0
    assert "1 of them have a picture that could not be read: t1" in capsys.readouterr().out
    assert (rows()["t1"]["prediction"], rows()["t1"]["fired"]) == ("refund", ["r-money"])


def test_without_evidence_the_command_that_makes_it_is_named(space, capsys):
    assert kdsl(["predict", "--split", "val"]) == 2
    assert "Run: kdsl data split" in capsys.readouterr().err
    Path("data/val.jsonl").write_text("")
    assert kdsl(["predict", "--split", "val"]) == 2
    assert "Run: kdsl extract --split val" in capsys.readouterr().err
    assert not Path("runs/predict").exists()


def test_dialogues_edited_after_the_extraction_are_pointed_out(space, capsys):
    Path("data/test.jsonl").write_text("".join(line(*row) for row in TEST[:2]))
    assert kdsl(["predict"]) == 0
    assert "is not the file that was extracted" in capsys.readouterr().err


def test_without_a_large_model_only_the_rules_may_decide(space, capsys):
    Path("runs/large").rename(space / "away")
    for strategy in ("log-odds", "rules-first", "large"):
        assert kdsl(["predict", "--strategy", strategy]) == 2
        assert "there is no large model. Run: kdsl train-large" in capsys.readouterr().err
    assert kdsl(["predict", "--strategy", "rules"]) == 0
    assert rows()["t1"]["large_prediction"] is None
    assert kdsl(["predict", "--large", "away", "--out", "other"]) == 0


def test_a_task_that_the_large_model_does_not_know_is_left_to_the_rules(space, large_model, capsys):
    large_model(Model(scene=INTENTS["scene"]))
    assert kdsl(["predict"]) == 2
    assert "wish has no large model that knows it" in capsys.readouterr().err
    everything = Path("data/test.jsonl").read_text()
    Path("data/test.jsonl").write_text("".join(line(*row) for row in TEST[:3]))  # nobody asks about wishes
    assert kdsl(["predict", "--out", "scenes"]) == 0
    Path("data/test.jsonl").write_text(everything)
    Path("rules/wish.yaml").write_text(
        RULES.replace("scene", "wish").replace("parcel", "thanks").replace("refund", "hurry")
    )
    assert kdsl(["predict", "--force"]) == 0
    assert "wish: the large model does not know it, the rules decide alone" in capsys.readouterr().err
    assert {id: row["strategy"] for id, row in rows().items()} == {
        "t1": "log-odds", "t2": "log-odds", "t3": "log-odds", "t4": "rules",
    }  # fmt: skip


def test_a_large_model_with_another_order_of_intents_is_refused(space, large_model, capsys):
    large_model(Model(scene=["parcel", "refund"]))
    assert kdsl(["predict"]) == 2
    assert "runs/large: scene: its intents stand in another order" in capsys.readouterr().err
    assert Model.asked == []


def test_a_large_model_that_was_not_finished_is_not_used(space, capsys):
    manifest = Path("runs/large/manifest.json")
    manifest.write_text(manifest.read_text().replace('"success"', '"started"'))
    assert kdsl(["predict"]) == 2
    assert "was killed, or is still at work" in capsys.readouterr().err
    assert kdsl(["predict", "--strategy", "rules"]) == 0
    assert Model.asked == []


def test_out_of_fold_scores_in_another_order_are_refused(space, capsys):
    out_of_fold("train", "runs/large", lambda label: [0.4, 0.6], {**INTENTS, "scene": ["parcel", "refund"]})
    assert kdsl(["predict"]) == 2
    told = capsys.readouterr().err
    assert "scene: its intents stand in another order than in the catalogue" in told
    assert "kdsl train-large" in told
    assert not Path("runs/predict/test/predictions.parquet").exists()


def test_where_there_is_nothing_to_learn_from_both_sides_count_as_they_come(space, capsys):
    assert kdsl(["predict", "--rules", "rules", "--out", "a"]) == 0
    assert (
        "these rules have no out-of-fold scores, so both sides count as they come" in capsys.readouterr().err
    )
    Path("runs/prune").rename(space / "away")
    assert kdsl(["predict"]) == 0
    assert "there is no runs/prune/oof.parquet" in capsys.readouterr().err
    assert arbiter()["tasks"]["scene"]["weights"] == {"rules": 1.0, "large": 1.0}


def test_a_wrong_rule_file_is_told_with_its_line(space, capsys):
    Path("rules/scene.yaml").write_text(RULES.replace('intent: "refund"', 'intent: "refnd"'))
    assert kdsl(["predict"]) == 2
    assert "rules/scene.yaml:5" in capsys.readouterr().err
    Path("rules/scene.yaml").write_text('schema: "kdsl.rules/1"\ntask: "wish"\nrules: []\n')
    assert kdsl(["predict"]) == 2
    assert "the rules are for the task 'wish'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--strategy", "logodds"], "Did you mean 'log-odds'?"),
        (["--override-precision", "2"], "--override-precision"),
        (["--input", "new.jsonl"], "comes with --out and without --split"),
        (["--input", "new.jsonl", "--out", "o", "--split", "test"], "comes with --out and without --split"),
        (["--input", "new.jsonl", "--out", "o"], "new.jsonl: no such file"),
        (["--rules", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_mistakes_on_the_command_line_are_told(space, capsys, arguments, told):
    assert kdsl(["predict", *arguments]) == 2
    assert told in capsys.readouterr().err


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
    from kdsl_cli.training.model import LinearModels
    from kdsl_cli.training.outoffold import write_out_of_fold
    from kdsl_cli.training.sample import samples
    from kdsl_cli.training.trainer import train

    monkeypatch.delitem(sys.modules, "kdsl_cli.training.storage")
    from kdsl_cli.training.storage import save

    told = [Dialogue(id, task, (Turn("customer", text),), None, label) for id, task, text, label in TRAIN]
    page = tuple(OcrLine(0, seq, "page", 1.0, (0.1, y, 0.9, y + 0.1)) for seq, y in enumerate((0.0, 0.9)))
    known = {
        id: Facts(id, (TurnFact(0, "service", "yes?"), TurnFact(1, "customer", text)), page, (ImageFact(0),))
        for id, _, text, _ in TRAIN
    }
    catalogue = Catalogue(Catalogue.load(Path("intents.yaml")).tasks[:1])  # no wish was ever labelled
    trained = [train(sample, seed=0) for sample in samples(told, known, catalogue, "train")]
    folder = Path("runs/large")
    with Stage("train", folder, force=True).run() as run:
        for name in ("model.json", "weights.npz", "oof.parquet"):
            run.output(folder / name)
        save(folder, LinearModels({one.sample.task.name: one.model for one in trained}, 0))
        write_out_of_fold(folder / "oof.parquet", trained)
    Path("data/test.jsonl").write_text("".join(line(*row) for row in TEST[:3]))
    assert kdsl(["predict"]) == 0
    assert {id: row["large_prediction"] for id, row in rows().items() if id != "t3"} == {
        "t1": "refund",
        "t2": "parcel",
    }
    assert arbiter()["tasks"]["scene"]["learnt_from"] == 40
