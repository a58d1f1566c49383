"""``kdsl mislabelled`` and ``kdsl relabel``: from a suspicion to a label that a person decided anew."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from kdsl_cli.commands.app import run as kdsl
from kdsl_cli.commands.workspace.splits import dialogues_in
from tests.commands.deciding import TRAIN, large_model, line, out_of_fold, space  # noqa: F401 fixtures


@pytest.fixture
def doubted(space):
    """Both sides know better than two of the labels: n0 is a parcel and labelled refund, n1 the other way."""
    wrong = {"n0": "refund", "n1": "parcel"}
    rows = [(id, task, text, wrong.get(id, label)) for id, task, text, label in TRAIN]
    Path("data/train.jsonl").write_text("".join(line(*row) for row in rows))
    Path("data/dialogues.jsonl").write_text("".join(line(*row) for row in rows))
    out_of_fold("prune", "runs/prune", lambda label: None if label == "parcel" else [2.0, 0.0])
    out_of_fold("train", "runs/large", lambda label: [0.9, 0.1] if label == "refund" else [0.1, 0.9])
    return space


def labels(path="data/dialogues.jsonl"):
    return {one.id: one.label for one in dialogues_in(Path(path))}


def test_the_planted_labels_are_found_and_what_each_side_says_is_told(doubted, capsys):
    assert kdsl(["mislabelled"]) == 0
    said = capsys.readouterr().out
    assert "2 of 40 labels are suspect; for 1 rules and model both say another intent" in said
    assert kdsl(["mislabelled", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    found = {
        one["id"]: (one["label"], one["suggested"], one["rules"], one["large"]) for one in told["suspects"]
    }
    assert found == {
        "n0": ("refund", "parcel", None, "parcel"),
        "n1": ("parcel", "refund", "refund", "refund"),
    }
    assert kdsl(["mislabelled", "--both", "-q"]) == 0
    assert capsys.readouterr().out == "n1\n"


def test_without_out_of_fold_scores_it_says_what_to_run(doubted, capsys):
    for folder in ("prune", "large"):
        Path(f"runs/{folder}/oof.parquet").unlink()
    assert kdsl(["mislabelled"]) == 2
    assert "kdsl prune-rules, or kdsl train-large" in capsys.readouterr().err
    assert kdsl(["mislabelled", "--task", "scnee"]) == 2


@pytest.mark.parametrize("name", ["suspects.csv", "suspects.jsonl"])
def test_the_table_is_filled_in_and_the_labels_go_into_data_and_splits(name, doubted, capsys):
    assert kdsl(["mislabelled", "--out", name, "-q"]) == 0
    assert capsys.readouterr().out == f"{name}\n"
    frame = pl.read_csv(name) if name.endswith("csv") else pl.read_ndjson(name)
    assert set(frame["id"]) == {"n0", "n1"} and "my money" in "".join(frame["text"])
    assert kdsl(["relabel", name]) == 0
    assert "no row has a new_label" in capsys.readouterr().out
    filled = frame.with_columns(
        pl.when(pl.col("id") == "n0").then(pl.col("suggested")).otherwise(pl.lit("")).alias("new_label")
    )
    (filled.write_csv if name.endswith("csv") else filled.write_ndjson)(name)
    before = labels()
    assert kdsl(["relabel", name, "--dry-run"]) == 0
    assert "n0: refund → parcel" in capsys.readouterr().out and labels() == before
    assert kdsl(["relabel", name]) == 0
    said = capsys.readouterr().out
    assert "1 labels changed in data/dialogues.jsonl, data/train.jsonl" in said
    assert labels() == labels("data/train.jsonl") == {**before, "n0": "parcel"}
    assert labels("data/test.jsonl")["t1"] == "refund"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            "id,new_label\nn0,parcl\n",
            "t.csv:2: the task has no intent 'parcl'. Allowed: refund, parcel. Did you",
        ),
        ("id,new_label\nn00,parcel\n", "t.csv:2: no dialogue has the id 'n00'"),
        ("id,new_label\nn0,parcel\nn0,refund\n", "t.csv:3: 'n0' is to be 'refund', and 'parcel' in line 2"),
        # A text of two turns goes over two lines, and an editor counts both.
        ('id,text,new_label\nn0,"a\nb",\n\nn1,"c",parcl\n', "t.csv:5: the task has no intent 'parcl'"),
        ("id,new_label\nn0\n", "t.csv:2: has 1 fields. Allowed: 2, as the header has."),
        ("id,label\nn0,parcel\n", "t.csv:1: has no column new_label"),
        ("", "t.csv: is empty"),
    ],
)
def test_a_table_that_cannot_be_used_is_told_by_its_row_and_changes_nothing(rows, told, doubted, capsys):
    Path("t.csv").write_text(rows)
    before = labels()
    assert kdsl(["relabel", "t.csv"]) == 2
    assert told in capsys.readouterr().err
    assert labels() == before


def test_a_line_of_json_is_told_by_its_number_too(doubted, capsys):
    Path("t.jsonl").write_text('{"id": "n0", "new_label": ""}\n\n{"id": "n1", "new_label": "parcl"}\n')
    assert kdsl(["relabel", "t.jsonl"]) == 2
    assert "t.jsonl:3: the task has no intent 'parcl'" in capsys.readouterr().err
    Path("t.jsonl").write_text('{"id": "n0", "label": "parcel"}\n')
    assert kdsl(["relabel", "t.jsonl"]) == 2
    assert "t.jsonl:1: has no column new_label" in capsys.readouterr().err
