"""``kdsl report``, and the page that ``kdsl eval`` leaves: through the program's own door."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kdsl_cli.commands.app import run as kdsl
from kdsl_cli.evidence.table import write_facts
from kdsl_cli.logic.codec import dump_rules
from kdsl_cli.prediction.table import write_predictions
from kdsl_cli.reporting.page import charts
from kdsl_cli.reporting.page.embedding import unpacked
from kdsl_cli.runs.stage import Stage
from tests.reporting.page.made import BASES, INTENTS, draw_pictures, material

EVAL = ["eval", "--max-failed", "1"]
PAGE = Path("runs/eval/test/report.html")


@pytest.fixture
def space(tmp_path, monkeypatch, quiet_environment):
    """A workspace that came as far as predictions, without curves, which take seconds."""
    monkeypatch.setattr(charts, "available", lambda: False)
    monkeypatch.chdir(tmp_path)
    Path("kdsl.yaml").write_text("eval: {bootstrap: 20}\n")
    Path("rules").mkdir()
    for task, base in BASES.items():
        Path(f"rules/{task}.yaml").write_text(dump_rules(base))
    made = material(10)
    out = Path("runs/predict/test")
    with Stage("predict", out).run() as run:
        rows = made.predictions.frame.to_dicts()
        write_predictions(run.output(out / "predictions.parquet"), _predictions(rows), INTENTS)
    return made


def _predictions(rows):
    from kdsl_cli.prediction.table import Prediction

    return [Prediction(**{name: row[name] for name in row}) for row in rows]


@pytest.fixture
def seen(space):
    """The same with dialogues, pictures and evidence."""
    lines = []
    for one in space.dialogues.values():
        turns = [{"role": t.role, "text": t.text, "images": list(t.images)} for t in one.turns]
        lines.append(json.dumps({"id": one.id, "task": one.task, "turns": turns, "label": one.label}))
    Path("data").mkdir()
    Path("data/test.jsonl").write_text("\n".join(lines))
    draw_pictures(Path("data"), space)
    write_facts(Path("runs/evidence/test.parquet"), space.facts.values())
    return space


def held(id: str, path: Path = PAGE):
    found = re.search(rf'id="{id}">([^<]*)<', path.read_text())
    assert found is not None
    return unpacked(found[1])


def test_eval_leaves_the_page_and_says_where(space, capsys):
    assert kdsl(EVAL) == 0
    assert f"page: {PAGE}" in capsys.readouterr().out
    assert held("rows")["columns"]["id"] == space.predictions.frame["id"].to_list()


def test_a_page_that_is_there_is_left_alone_and_one_that_is_gone_is_made_again(space, capsys):
    kdsl(EVAL)
    PAGE.write_text("mine")
    assert kdsl(EVAL) == 0 and PAGE.read_text() == "mine"
    PAGE.unlink()
    assert kdsl(EVAL) == 0 and held("rows")
    PAGE.write_text("old")
    assert kdsl([*EVAL, "--force"]) == 0 and held("rows")


def test_report_writes_it_anew_with_what_is_there_by_now(seen, capsys):
    kdsl(EVAL)
    PAGE.unlink()
    assert kdsl(["report"]) == 0
    assert re.search(rf"{PAGE}: 18 dialogues, \d\.\d MB", capsys.readouterr().out)
    card = held("cards-0")[held("rows")["columns"]["id"].index("s000")]
    assert card["pictures"][0]["src"].startswith("data:image/webp") and len(card["pictures"][0]["boxes"]) == 1


def test_pictures_are_linked_or_left_out_by_option_and_by_setting(seen, capsys):
    kdsl(EVAL)
    assert kdsl(["report", "--pictures", "linked", "-q"]) == 0
    card = held("cards-0")[held("rows")["columns"]["id"].index("s000")]
    assert card["pictures"][0]["src"] == "../../../data/s000.png"
    Path("kdsl.yaml").write_text("eval: {bootstrap: 20, pictures: none}\n")
    assert kdsl(["report", "-q"]) == 0
    assert held("cards-0")[held("rows")["columns"]["id"].index("s000")]["pictures"][0]["src"] is None


def test_it_can_lie_elsewhere_and_scripts_get_its_path(seen, capsys):
    kdsl(EVAL)
    capsys.readouterr()
    assert kdsl(["report", "--out", "out/page.html", "--pictures", "linked", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["path"] == "out/page.html" and told["dialogues"] == 18
    assert told["bytes"] == Path("out/page.html").stat().st_size
    assert held("cards-0", Path("out/page.html"))[4]["pictures"][0]["src"].startswith("../data/")


def test_without_an_evaluation_it_says_what_to_run(space, capsys):
    assert kdsl(["report"]) == 2
    assert "kdsl eval --split test" in capsys.readouterr().err


def test_without_the_extra_it_says_how_to_get_the_curves(space, capsys):
    kdsl(EVAL)
    assert "pip install 'kdsl-cli[report]'" in capsys.readouterr().err
