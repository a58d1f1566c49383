"""``kdsl demo`` on a small cut of the shop; the whole of it is run by the nox session `demo`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.commands.run.demo import MARK, fill
from kdsl_cli.commands.workspace import shipped

REQUESTS = ("invoice-request", "change-address", "coupon-problem", "exchange-goods")
PAGES = ("invoice-page", "waybill-photo")
PICTURES = 5


def cut(source: Path, target: Path) -> None:
    """Copy four intents said in words and two shown in a few pictures."""
    rows = [json.loads(line) for line in (source / "dialogues.jsonl").read_text().splitlines()]
    chosen = [
        row for row in rows if row["label"] in REQUESTS and not any(t.get("images") for t in row["turns"])
    ]
    for intent in PAGES:
        chosen += [row for row in rows if row["label"] == intent and len(row["turns"]) == 1][:PICTURES]
    (target / "images").mkdir(parents=True)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in chosen)
    (target / "dialogues.jsonl").write_text("".join(lines))
    shutil.copy(source / "intents.yaml", target)
    for name in {name for row in chosen for turn in row["turns"] for name in turn.get("images", ())}:
        shutil.copy(source / name, target / name)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_environment: None) -> Path:
    cut(shipped.shipped("data/shop"), tmp_path / "shop")
    monkeypatch.setattr(shipped, "shipped", lambda name: tmp_path / "shop")
    for option in ("MINE_SIMULATIONS=60", "MINE_PERMUTATIONS=2", "MINE_WORKERS=1", "EXTRACT_MAX_SIDE=480"):
        monkeypatch.setenv(*f"KDSL_{option}".split("="))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.slow
def test_from_nothing_to_a_score_and_the_second_time_up_to_date(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo"]) == 0
    told = capsys.readouterr()
    demo = small / "kdsl-demo"
    assert "Weighted F1" in told.out and "shop-request" in told.out
    for hint in (
        "kdsl-demo/rules/shop-request.yaml",
        "kdsl-demo/runs/eval/test",
        "kdsl predict --input data/new.jsonl --out runs/new",
    ):
        assert hint in told.out
    assert "data split: " in told.err and "Reading pictures" in told.err and "Searching rules" in told.err
    before = contents(demo)

    assert run(["demo"]) == 0
    again = capsys.readouterr()
    assert again.out == told.out and again.err.count("up to date") == 8
    assert contents(demo) == before

    (demo / "intents.yaml").unlink()  # what is missing is put back, what was changed is left
    (demo / "kdsl.yaml").write_text("eval: {bootstrap: 20}\n")
    assert run(["demo", "kdsl-demo", "-q"]) == 0
    assert capsys.readouterr().out == "kdsl-demo\n"
    assert (demo / "kdsl.yaml").read_text() == "eval: {bootstrap: 20}\n"
    assert (demo / "intents.yaml").read_bytes() == before[str(demo / "intents.yaml")]

    monkeypatch.chdir(demo)
    assert run(["predict", "--input", "data/new.jsonl", "--out", "runs/new"]) == 0  # the step it names
    assert "shop-request (log-odds): 2 dialogues" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["notes.txt", "README.md", "kdsl.yaml"])
def test_a_folder_of_somebody_else_is_left_alone(
    small: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (small / "mine").mkdir()
    (small / "mine" / name).write_text("# Mine\n")
    assert run(["demo", "mine"]) == 2
    told = capsys.readouterr().err
    assert "mine: holds something that 'kdsl demo' did not make" in told and "kdsl demo DIR" in told
    assert contents(small) == {str(small / "mine" / name): b"# Mine\n"}


def test_a_file_is_no_folder(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (small / "mine").write_text("text")
    assert run(["demo", "mine"]) == 2
    assert "mine: is a file" in capsys.readouterr().err


def test_an_empty_folder_will_do_and_one_cut_off_while_it_was_filled_is_filled_up(small: Path) -> None:
    folder = small / "empty"
    folder.mkdir()
    fill(folder)
    whole = contents(folder)
    shutil.rmtree(folder / "data")
    (folder / "kdsl.yaml").unlink()
    assert (folder / "README.md").read_text().startswith(MARK)
    fill(folder)
    assert contents(folder) == whole
