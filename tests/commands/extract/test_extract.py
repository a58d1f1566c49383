"""`kdsl extract` from the outside, on a small workspace with real pictures."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from PIL import Image, ImageDraw, ImageFont

import kdsl_cli
from kdsl_cli.commands.app import run
from kdsl_cli.evidence.table import read_facts

pytestmark = pytest.mark.slow  # pictures are read for good

SPLITS = {"train": ["a", "b"], "val": ["c"], "test": ["d"]}


def picture(text: str) -> bytes:
    screen = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(screen).text((20, 60), text, font=ImageFont.load_default(36), fill="black")
    out = io.BytesIO()
    screen.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kdsl.yaml").write_text("extract:\n  workers: 1\n  max_side: 320\n")
    (tmp_path / "data" / "images").mkdir(parents=True)
    for split, ids in SPLITS.items():
        rows = []
        for id in ids:
            (tmp_path / "data" / "images" / f"{id}.png").write_bytes(picture(f"Order {id * 3}"))
            turn = {"role": "customer", "text": "<image>", "images": [f"images/{id}.png"]}
            rows.append({"id": id, "task": "image-scene", "turns": [turn], "group": None, "label": None})
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / "data" / f"{split}.jsonl").write_text(text)
    return tmp_path


def manifest(space: Path) -> dict[str, object]:
    content = json.loads((space / "runs" / "evidence" / "manifest.json").read_text())
    assert isinstance(content, dict)
    return content


def test_splits_come_one_after_the_other_and_nothing_is_read_twice(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden = (space / "data" / "test.jsonl").rename(space / "hidden")
    assert run(["extract", "--split", "train,val", "-q"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "runs/evidence/train.parquet",
        "runs/evidence/val.parquet",
    ]
    assert [line.text for line in read_facts([space / "runs/evidence/train.parquet"])["a"].ocr] == [
        "Order aaa"
    ]
    before = (space / "runs/evidence/train.parquet").read_bytes()

    hidden.rename(space / "data" / "test.jsonl")
    assert run(["extract", "--split", "test", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pictures"] == {
        "in": 4, "ok": 4, "failed": 0, "skipped": 0, "cached": 3,
    }  # fmt: skip
    assert (space / "runs/evidence/train.parquet").read_bytes() == before
    assert manifest(space)["status"] == "success"

    assert run(["extract"]) == 0
    assert "up to date" in capsys.readouterr().err


def test_pictures_that_fail_are_named_counted_and_written(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (space / "data/images/a.png").write_bytes(b"")
    (space / "data/images/c.png").unlink()
    for _ in range(2):  # the second time it is up to date, and still not well
        assert run(["extract"]) == 1
        said = capsys.readouterr()
        assert "images/a.png: empty file" in said.out and "images/c.png: no such file" in said.out
        why = "2 of 4 pictures failed: 50.0%, allowed are 5.0%, for reasons such as: empty file."
        assert why in said.err
    failed = pl.read_parquet(space / "runs/evidence/train.parquet").filter(pl.col("kind") == "failed")
    assert failed.select("id", "error").rows() == [("a", "empty file")]
    assert manifest(space)["counts"] == {"in": 4, "ok": 2, "failed": 2, "skipped": 0, "cached": 0}
    assert run(["extract", "--max-failed", "0.5"]) == 0

    (space / "data/images/a.png").write_bytes(picture("Order aaa"))
    assert run(["extract", "--retry-failed", "--max-failed", "0.3"]) == 0
    assert manifest(space)["counts"] == {"in": 4, "ok": 3, "failed": 1, "skipped": 0, "cached": 2}


def test_other_settings_need_force_and_lose_no_reading(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["extract", "--split", "val", "-q"]) == 0
    assert run(["extract", "--split", "val", "--max-side", "640"]) == 2
    assert "--force" in capsys.readouterr().err
    assert run(["extract", "--split", "val", "--max-side", "640", "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pictures"]["cached"] == 0
    assert run(["extract", "--split", "val", "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pictures"]["cached"] == 1


def test_mistakes_are_told_with_the_fix(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["extract", "--split", "tran"]) == 2
    assert "Did you mean 'train'?" in capsys.readouterr().err
    (space / "data" / "val.jsonl").unlink()
    assert run(["extract"]) == 2
    assert "Run: kdsl data split" in capsys.readouterr().err
    assert not (space / "runs").exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_cut_off_goes_on_from_where_it_was(space: Path, how: signal.Signals) -> None:
    images = [f"images/{number}.png" for number in range(10)]
    for number, name in enumerate(images):
        (space / "data" / name).write_bytes(picture(f"No {number}"))
    turn = {"role": "customer", "text": "", "images": images}
    row = {"id": "many", "task": "image-scene", "turns": [turn], "group": None, "label": None}
    (space / "data" / "val.jsonl").write_text(json.dumps(row) + "\n")
    command = [sys.executable, "-m", "kdsl_cli", "extract", "--split", "val"]
    environment = {**os.environ, "PYTHONPATH": str(Path(kdsl_cli.__file__).parents[1])}
    process = subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    store = space / "runs" / "evidence" / "observations.jsonl"
    while process.poll() is None and (not store.exists() or store.read_bytes().count(b"\n") < 2):
        time.sleep(0.01)
    # Ctrl-C reaches every process of the terminal's group, a kill only the one it names.
    (os.killpg if how == signal.SIGINT else os.kill)(process.pid, how)
    told = process.communicate(timeout=60)[1]
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "To go on: kdsl extract --split val" in told and "Traceback" not in told
    assert manifest(space)["status"] == ("interrupted" if how == signal.SIGINT else "started")
    kept = store.read_bytes().count(b"\n")
    assert 2 <= kept < 10
    assert not (space / "runs/evidence/val.parquet").exists()

    assert run(["extract", "--split", "val", "-q"]) == 0
    assert manifest(space)["counts"] == {"in": 10, "ok": 10, "failed": 0, "skipped": 0, "cached": kept}
    whole = (space / "runs/evidence/val.parquet").read_bytes()
    store.unlink()
    assert run(["extract", "--split", "val", "--force", "-q"]) == 0
    assert (space / "runs/evidence/val.parquet").read_bytes() == whole
