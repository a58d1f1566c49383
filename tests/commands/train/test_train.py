"""``kdsl train-large`` through the program's own door: what it leaves, prints and refuses."""

from __future__ import annotations

import json

import polars as pl
import pytest

from kdsl_cli.commands.app import run as kdsl
from kdsl_cli.dialogues.catalogue import Catalogue
from kdsl_cli.evidence.answers import write_answers
from kdsl_cli.evidence.questions import Answer
from kdsl_cli.evidence.table import write_facts
from kdsl_cli.logic.facts import Facts, ImageFact, TurnFact
from kdsl_cli.runs.manifest import read_manifest
from kdsl_cli.runs.stage import Stage
from kdsl_cli.training.linear.storage import load

INTENTS = """\
tasks:
- name: talk
  intents:
  - {name: refund, synonyms: ["退款"]}
  - {name: parcel, synonyms: ["快递"]}
  - {name: season}
- name: scene
  intents: [{name: bill}, {name: shop}]
"""
RULES = """\
schema: "kdsl.rules/1"
task: "talk"
rules:
- id: "r"
  intent: "refund"
  when:
    text: {contains: "钱"}
"""
ANGRY = "Is the customer angry?"
ASKING = RULES.replace('text: {contains: "钱"}', f'answer: {{question: "{ANGRY}", is: "yes"}}')
TEXTS = {"refund": ("退款", "退钱", "我要退款"), "parcel": ("快递", "快递呢", "物流")}
TRAIN = [(f"a{n}", TEXTS[label][n // 2 % 3], label) for n in range(12) for label in [list(TEXTS)[n % 2]]]
TRAIN.append(("a99", "你好", None))
VAL = [("v1", "退款吗", "refund"), ("v2", "快递吗", "refund")]


def lines(rows):
    told = [
        {"id": id, "task": "talk", "turns": [{"role": "customer", "text": text, "images": []}]}
        | {"group": None, "label": label}
        for id, text, label in sorted(rows)
    ]
    return "".join(json.dumps(row) + "\n" for row in told)


def parted(space, **parts):
    """Write splits with their dialogues and fingerprints, as `kdsl data split` does."""
    record = {
        "schema": "kdsl.splits/1",
        "seed": 0,
        "fractions": {"train": 0.6, "val": 0.2, "test": 0.2},
        "splits": {name: sorted(row[0] for row in rows) for name, rows in parts.items()},
        "fingerprints": {row[0]: [f"exact:{row[0]}"] for rows in parts.values() for row in rows},
    }
    (space / "data/splits.json").write_text(json.dumps(record))
    for name, rows in parts.items():
        (space / f"data/{name}.jsonl").write_text(lines(rows))
    return record


def extract(space, **parts):
    out = space / "runs/evidence"
    with Stage(
        "extract", out, inputs=[space / f"data/{name}.jsonl" for name in parts], force=True
    ).run() as run:
        for name, rows in parts.items():
            broken = (ImageFact(0, error="truncated"),)
            known = [
                Facts(id, (TurnFact(0, "customer", text),), (), broken if id == "a3" else ())
                for id, text, _ in rows
            ]
            write_facts(run.output(out / f"{name}.parquet"), known)


@pytest.fixture
def space(tmp_path, monkeypatch, quiet_environment):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "kdsl.yaml").write_text("")
    (tmp_path / "intents.yaml").write_text(INTENTS)
    (tmp_path / "pack.yaml").write_text(RULES)
    parted(tmp_path, train=TRAIN, val=VAL, test=[("t1", "退款", "refund")])
    (tmp_path / "data/test.jsonl").unlink()  # nobody may need it
    extract(tmp_path, train=TRAIN, val=VAL)
    return tmp_path


def test_model_and_out_of_fold_scores_are_left_with_a_manifest(space, capsys):
    assert kdsl(["train-large", "--json", "--seed", "3"]) == 0
    told = json.loads(capsys.readouterr().out)
    row = told["tasks"][0]
    assert (row["task"], row["out_of_fold"]["n"], row["without_sample"]) == ("talk", 12, ["season"])
    assert row["val"]["n"] == 2 and row["val"]["accuracy"] == 0.5
    assert (told["unlabelled"], told["unread"]) == (["a99"], ["a3"])
    assert told["warnings"][0] == "scene: no labelled dialogue, so there is no model of it"

    models = load(space / "runs/large")
    assert models.intents == {"talk": ("refund", "parcel", "season")} and models.seed == 3
    path = space / "runs/large/oof.parquet"
    frame = pl.read_parquet(path)
    assert frame.columns == ["id", "task", "fold", "scores"]
    assert frame["id"].to_list() == sorted(id for id, _, label in TRAIN if label)
    assert all(sum(scores) == pytest.approx(1) and len(scores) == 3 for scores in frame["scores"])
    note = json.loads(pl.read_parquet_metadata(path)["kdsl"])
    assert note == {"schema": "kdsl.oof/1", "intents": {"talk": ["refund", "parcel", "season"]}}
    manifest = read_manifest(space / "runs/large")
    assert (manifest.status, manifest.seeds) == ("success", {"train": 3})
    assert (manifest.counts.total, manifest.counts.ok, manifest.counts.skipped) == (13, 12, 1)


def test_the_table_names_who_was_left_out_and_a_second_run_prints_the_same(space, capsys):
    assert kdsl(["train-large"]) == 0
    first = capsys.readouterr()
    assert "talk" in first.out and "weighted F1" in first.out
    assert "1 dialogues left out for want of a label: a99" in first.out
    assert "1 dialogues used without pictures that could not be read: a3" in first.out
    assert "no training sample of 'season'" in first.err
    assert kdsl(["train-large"]) == 0
    second = capsys.readouterr()
    assert second.out == first.out and "up to date" in second.err


def test_the_same_seed_leaves_the_same_bytes(space):
    def made():
        assert kdsl(["train-large", "-q", "--force"]) == 0
        return {path.name: path.read_bytes() for path in (space / "runs/large").glob("*.*[zt]")}

    first = made()
    assert set(first) == {"weights.npz", "oof.parquet"}
    assert made() == first


def test_quiet_prints_the_folder_alone(space, capsys):
    assert kdsl(["train-large", "-q"]) == 0
    assert capsys.readouterr().out == "runs/large\n"


def test_knowledge_is_kept_in_the_model_and_another_needs_force(space, capsys):
    assert kdsl(["train-large", "-q"]) == 0
    assert kdsl(["train-large", "--knowledge", "pack.yaml"]) == 2
    assert "--force" in capsys.readouterr().err
    assert kdsl(["train-large", "--knowledge", "pack.yaml", "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tasks"][0]["rules"] == 1
    (space / "pack.yaml").unlink()
    models = load(space / "runs/large", Catalogue(Catalogue.load(space / "intents.yaml").tasks[:1]))
    assert [rule.id for rule in models.models["talk"].knowledge.rules] == ["r"]


def test_seed_rules_of_the_settings_are_knowledge_and_mined_ones_draw_a_warning(space, capsys):
    (space / "kdsl.yaml").write_text('mine: {seed_rules: ["pack.yaml"]}\n')
    (space / "pack.yaml").write_text(RULES.replace('"refund"\n', '"refund"\n  status: "mined"\n'))
    assert kdsl(["train-large"]) == 0
    assert "1 rules of the knowledge were mined" in capsys.readouterr().err


def answered(out, name, **said):
    """Leave answers as a stage that asked would."""
    with Stage(out.name, out, config={"questions": {"talk": [ANGRY]}}, force=True).run() as run:
        rows = [(id, ANGRY, Answer(value)) for id, value in said.items()]
        write_answers(run.output(out / name), rows, {"kind": "test"})


def left(space):
    return {name: (space / "runs/large" / name).read_bytes() for name in ("model.json", "weights.npz")}


def test_answers_to_what_rules_ask_are_evidence_and_others_change_nothing(space, capsys):
    assert kdsl(["train-large", "-q"]) == 0
    before = left(space)
    answered(space / "runs/mine", "answers.parquet", a0=True, a2=True, a1=False)
    (space / "rules").mkdir()
    (space / "rules/talk.yaml").write_text(RULES)
    assert kdsl(["train-large", "-q"]) == 0  # no rule asks: the same run, up to date
    assert left(space) == before and b"questions" not in before["model.json"]
    (space / "rules/talk.yaml").write_text(ASKING)
    assert kdsl(["train-large", "-q"]) == 2  # it was trained without
    assert kdsl(["train-large", "--json", "--force"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out.partition("\n")[2].partition("\n")[2])["tasks"][0]["questions"] == 1
    assert "the score on val is without answers" in told.err
    assert load(space / "runs/large").questions == {"talk": (ANGRY,)} and left(space) != before


def test_other_answers_are_another_training(space):
    (space / "rules").mkdir()
    (space / "rules/talk.yaml").write_text(ASKING)
    answered(space / "runs/mine", "answers.parquet", a0=True, a1=False)
    assert kdsl(["train-large", "-q"]) == 0
    before = left(space)
    answered(space / "runs/mine", "answers.parquet", a0=True, a1=False, a2=True)
    assert kdsl(["train-large", "-q"]) == 2
    assert kdsl(["train-large", "-q", "--force"]) == 0
    assert left(space) != before


def test_a_question_that_no_training_dialogue_answers_is_not_learnt(space):
    (space / "rules").mkdir()
    (space / "rules/talk.yaml").write_text(ASKING)
    assert kdsl(["train-large", "-q"]) == 0
    assert load(space / "runs/large").questions == {}


def test_validation_is_scored_with_its_answers_where_there_are_some(space, capsys):
    (space / "rules").mkdir()
    (space / "rules/talk.yaml").write_text(ASKING)
    angry = {id: label == "refund" for id, _, label in TRAIN if label}
    answered(space / "runs/mine", "answers.parquet", **angry)
    assert kdsl(["train-large", "--json"]) == 0
    without = json.loads(capsys.readouterr().out)["tasks"][0]["val"]
    answered(space / "runs/answers", "val.parquet", v1=True, v2=True)
    assert kdsl(["train-large", "--json", "--force"]) == 0
    told = json.loads(capsys.readouterr().out)["tasks"][0]["val"]
    assert told["log_loss"] < without["log_loss"]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("http:localhost#m", "'http:localhost#m' cannot be trained: its weights are not on this machine"),
        ("liner", "unknown model 'liner'. Allowed: linear, local:PATH_OR_ID. Did you mean 'linear'?"),
    ],
)
def test_other_models_are_refused_before_anything_is_read(tmp_path, monkeypatch, capsys, spec, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kdsl.yaml").write_text("")
    assert kdsl(["train-large", "--large", spec]) == 2
    assert told in capsys.readouterr().err


def test_a_leak_is_refused_with_exit_code_1(space, capsys):
    record = parted(space, train=TRAIN, val=VAL, test=[("t1", "退款", "refund")])
    record["fingerprints"]["t1"] = record["fingerprints"]["a0"]
    (space / "data/splits.json").write_text(json.dumps(record))
    assert kdsl(["train-large"]) == 1
    assert "'a0' in train and 't1' in test are the same" in capsys.readouterr().err
    assert not (space / "runs/large").exists()


def test_without_validation_there_is_no_validation_score(space, capsys):
    extract(space, train=TRAIN)
    (space / "runs/evidence/val.parquet").unlink(missing_ok=True)
    assert kdsl(["train-large", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tasks"][0]["val"] is None


def test_what_is_missing_or_wrong_is_told_with_the_fix(space, capsys):
    extract(space, train=TRAIN[1:], val=VAL)
    assert kdsl(["train-large"]) == 2
    assert "a0" in (told := capsys.readouterr().err) and "kdsl extract" in told
    extract(space, train=TRAIN, val=VAL)
    parted(space, train=[*TRAIN[1:], ("a0", "退款", "refnud")], val=VAL)
    assert kdsl(["train-large"]) == 2
    assert "data/train.jsonl:a0: the task has no intent 'refnud'" in (told := capsys.readouterr().err)
    assert "Did you mean 'refund'?" in told
