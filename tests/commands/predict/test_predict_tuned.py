"""``kdsl predict`` with a tuned model: through the program, on the tiny checkpoint."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.prediction.table import read_predictions
from kdsl_cli.runs.atomic import write_text
from tests.backends.http.conftest import shop_url
from tests.commands.tuned_space import PIXELS, ROWS, checkpoint, tuned, tuned_space, untuned_space

__all__ = ["checkpoint", "shop_url", "tuned_space", "untuned_space"]

pytestmark = [pytest.mark.local, pytest.mark.slow, pytest.mark.usefixtures("quiet_environment")]

OUT = Path("runs/predict/test")


def rows() -> dict[str, dict[str, Any]]:
    frame = read_predictions(OUT / "predictions.parquet").frame
    return {row["id"]: row for row in frame.iter_rows(named=True)}


def large() -> dict[str, Any]:
    return dict(json.loads((OUT / "manifest.json").read_text())["extra"]["large"])


def test_every_dialogue_gets_probabilities_of_its_tasks_intents_and_a_second_time_costs_no_call(
    tuned_space: Path,
) -> None:
    assert run(["predict"]) == 0
    first = rows()
    assert len(first) == len(ROWS)
    for row in first.values():
        assert row["error"] is None and row["large_method"] == "likelihood"
        assert len(row["large_scores"]) == (2 if row["task"] == "scene" else 3)
        assert sum(row["large_scores"]) == pytest.approx(1)
    assert large()["calls"] == len(ROWS) and large()["known"] == 0
    assert large()["model"]["quant"] == "nf4" and large()["model"]["adapter"].startswith("sha256:")
    assert run(["predict", "--force"]) == 0
    assert large()["calls"] == 0 and large()["known"] == len(ROWS)
    assert rows() == first


def test_the_model_sees_the_picture_and_the_words(tuned_space: Path) -> None:
    run(["predict"])
    before = rows()
    shutil.copy("data/blue.png", "data/red.png")
    text = Path("data/test.jsonl").read_text(encoding="utf-8").replace("please be quick", "no hurry at all")
    write_text(Path("data/test.jsonl"), text)
    assert run(["predict", "--force"]) == 0
    changed = {id for id, row in rows().items() if row["large_scores"] != before[id]["large_scores"]}
    assert changed == {"t-t1", "t-t3"}
    assert large()["calls"] == 2


def test_pictures_that_changed_their_names_are_not_up_to_date(
    tuned_space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["predict"]) == 0
    assert run(["predict"]) == 0
    assert "up to date" in capsys.readouterr().err
    red, blue = (Path(f"data/{name}.png").read_bytes() for name in ("red", "blue"))
    Path("data/red.png").write_bytes(blue)
    Path("data/blue.png").write_bytes(red)
    assert run(["predict"]) == 2
    assert "--force" in capsys.readouterr().err


def test_a_dialogue_whose_picture_is_gone_fails_by_name_and_the_others_are_decided(
    tuned_space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("data/red.png").unlink()
    assert run(["predict"]) == 1
    assert "t-t1: the large model: red.png: cannot be read" in capsys.readouterr().out
    assert {id for id, row in rows().items() if row["error"]} == {"t-t1"}
    assert rows()["t-t1"]["prediction"] is None
    assert run(["predict", "--max-failed", "0.5", "--force"]) == 0


def test_temperature_and_descriptions_are_the_records(
    untuned_space: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tuned(untuned_space, checkpoint)
    run(["predict"])
    plain = rows()
    tuned(untuned_space, checkpoint, tasks=record.at({"wish": 4.0}).tasks)
    assert run(["predict", "--force"]) == 0
    hot = rows()
    assert max(hot["t-t3"]["large_scores"]) < max(plain["t-t3"]["large_scores"])
    assert hot["t-t1"]["large_scores"] == plain["t-t1"]["large_scores"]
    assert large()["calls"] == 0  # another temperature is no other question
    tuned(untuned_space, checkpoint, described=False)
    assert run(["predict", "--force"]) == 0
    assert rows()["t-t1"]["large_scores"] != plain["t-t1"]["large_scores"]
    assert large()["known"] == 3  # the wishes have no descriptions to leave out


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"revision": "sha256:00"}, "revision is sha256:"),
        ({"processor": "00"}, "processor is "),
        ({"prompts": "0"}, "prompts is "),
    ],
)
def test_what_is_not_as_in_training_is_refused(
    untuned_space: Path,
    checkpoint: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    told: str,
) -> None:
    tuned(untuned_space, checkpoint, **changes)
    assert run(["predict"]) == 2
    err = capsys.readouterr().err
    assert told in err and "in training it was" in err
    assert not (OUT / "predictions.parquet").exists()


def test_another_adapter_in_its_place_is_refused(
    tuned_space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tuned_space / "runs/large/adapter/adapter_model.safetensors").write_bytes(b"other")
    assert run(["predict"]) == 2
    assert "runs/large" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["head", "prompt", "full"])
def test_whatever_was_learnt_predicts(
    untuned_space: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    tuned(untuned_space, checkpoint)
    run(["predict"])
    by_lora = rows()
    tuned(untuned_space, checkpoint, kind=kind, quant="none" if kind == "full" else "nf4")
    assert run(["predict", "--force"]) == 0
    found = rows()
    for id, row in found.items():
        assert row["error"] is None and sum(row["large_scores"]) == pytest.approx(1)
        assert row["large_scores"] != by_lora[id]["large_scores"]
    assert large()["calls"] == len(ROWS)
    assert run(["predict", "--force"]) == 0
    assert large()["calls"] == 0 and rows() == found
    assert run(["predict", "--through", "http:http://localhost:1/v1#tuned", "--force"]) == 2
    assert ("no server knows" in capsys.readouterr().err) is (kind != "full")


def test_a_base_that_was_moved_is_found_with_through(
    tuned_space: Path, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["predict"]) == 0
    first = rows()
    shutil.copytree(checkpoint, tmp_path / "moved")
    assert run(["predict", "--through", "local:moved", "--force"]) == 0
    assert rows() == first
    weights = tmp_path / "moved" / "generation_config.json"
    weights.write_text(weights.read_text() + "\n")  # another checkpoint, as far as anybody can tell
    assert run(["predict", "--through", "local:moved", "--force"]) == 2
    assert "revision is" in capsys.readouterr().err


def test_whoever_serves_it_is_asked_by_the_records_choices(
    tuned_space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_text(
        Path("served.yaml"),
        'answers:\n- {match: back, choose: "return"}\n- {logprobs: {"hurry": -1.0, "return": -2.0, '
        '"thanks": -3.0, "退款页面": -1.0, "parcel": -4.0}}\n',
    )
    assert run(["predict", "--through", "scripted:served.yaml"]) == 0
    assert rows()["t-t1"]["large_prediction"] == "退款页面"
    assert rows()["t-t4"]["large_method"] == "choice"
    assert large()["methods"] == {"likelihood": 4, "choice": 1}
    assert "1 answers of the large model were got by 'choice'" in capsys.readouterr().err


def test_a_server_that_tells_likelihoods_is_asked_for_them(
    tuned_space: Path, shop_url: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["predict", "--through", f"http:{shop_url('likelihood')}#shop"]) == 0
    for row in rows().values():
        assert row["large_method"] == "likelihood"
        assert sum(row["large_scores"]) == pytest.approx(1)
    assert large()["model"]["kind"] == "http" and large()["model"]["max_pixels"] == str(PIXELS)
    assert "not by likelihood" not in capsys.readouterr().err


def test_where_rules_decide_alone_nothing_is_loaded(
    untuned_space: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tuned(untuned_space, checkpoint, base="local:/no/such/folder")
    assert run(["predict", "--strategy", "rules"]) == 0
    assert "not asked" in capsys.readouterr().err
    assert {row["large_scores"] for row in rows().values()} == {None}


def test_eval_scores_what_the_tuned_model_said(tuned_space: Path) -> None:
    assert run(["predict"]) == 0
    assert run(["eval", "--bootstrap", "20"]) == 0
    assert (tuned_space / "runs/eval/test/overall.parquet").is_file()


def test_other_intents_than_the_catalogues_are_refused(
    tuned_space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue = Path("intents.yaml").read_text(encoding="utf-8")
    write_text(Path("intents.yaml"), catalogue.replace('{name: "thanks"}', '{name: "praise"}'))
    write_text(Path("data/test.jsonl"), Path("data/test.jsonl").read_text(encoding="utf-8"))
    assert run(["predict"]) == 2
    assert "thanks" in capsys.readouterr().err
