"""``kdsl compare`` through the program's own door."""

from __future__ import annotations

import json
import shutil

from kdsl_cli.commands.app import run as kdsl
from tests.commands.deciding import large_model, out_of_fold, space  # noqa: F401 fixtures


def test_workspaces_folders_and_files_are_runs(space, capsys):
    assert kdsl(["predict", "-q"]) == 0
    assert kdsl(["predict", "-q", "--strategy", "large", "--out", "other"]) == 0
    capsys.readouterr()
    assert kdsl(["compare", ".", "other/predictions.parquet"]) == 0
    said = capsys.readouterr()
    assert (
        "A: runs/predict/test/predictions.parquet" in said.out and "B: other/predictions.parquet" in said.out
    )
    assert "A alone is right on 1, B alone on 0, exact McNemar p = 1.000; 1 of 2 answers differ" in said.out
    assert "t1" in said.out and "1 not compared, without a label: t3" in said.out
    assert "rows, answered alike by A and B (Accuracy" in said.out and "MDE, the minimum detec" in said.out
    assert "scene: 2 rows are too few to tell these differences from chance" in said.err
    assert kdsl(["compare", "runs/predict/test", "other", "--json"]) == 0
    scene, wish = json.loads(capsys.readouterr().out)["tasks"]
    assert (scene["task"], scene["n"], scene["mcnemar"]["first_only"]) == ("scene", 2, 1)
    assert scene["too_small"] == ["accuracy", "weighted_f1", "macro_f1"]
    assert wish["flips"] == []
    assert kdsl(["compare", ".", "other", "-q"]) == 0
    assert capsys.readouterr().out == "t1\n"


def test_the_same_seed_gives_the_same_intervals(space, capsys):
    assert kdsl(["predict", "-q"]) == 0
    shutil.copytree(".", "../again", dirs_exist_ok=True)
    kdsl(["predict", "-q", "--strategy", "rules", "--force"])
    told = []
    for seed in ("0", "0", "1"):
        capsys.readouterr()
        assert kdsl(["compare", ".", "../again", "--json", "--seed", seed, "--bootstrap", "100"]) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]


def test_what_is_no_run_is_told(space, capsys):
    assert kdsl(["compare", ".", "data"]) == 2
    assert "nothing was predicted for the split 'test'" in capsys.readouterr().err
    kdsl(["predict", "-q"])
    assert kdsl(["compare", ".", "data"]) == 2
    assert "data: no run is here" in capsys.readouterr().err
    assert kdsl(["compare", ".", "intents.yaml"]) == 2
    assert "not a whole Parquet file" in capsys.readouterr().err
