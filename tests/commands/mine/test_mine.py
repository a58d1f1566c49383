"""``kdsl mine-rules`` from the outside, on a small workspace whose rules are known."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.runs.manifest import read_manifest
from tests.commands.planted import copied
from tests.conftest import environment

GOOD = """\
schema: "kdsl.rules/1"
task: "talk"
rules:
- id: "expert-invoice"
  intent: "invoice"
  weight: 2.0
  when:
    text: {contains_any: ["发票", "税号"]}
  why: "An invoice or its tax number."
- id: "nonsense"
  intent: "parcel"
  weight: 2.0
  when:
    text: {contains_any: ["甲", "乙"]}
"""
OUTPUTS = ("candidates.parquet", "sample.parquet")


@pytest.fixture(scope="module")
def mined(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    space = copied(template, tmp_path_factory.mktemp("mined"))
    assert run(["mine-rules", "-q", "--config-file", str(space / "kdsl.yaml")]) == 0
    return space


@pytest.fixture
def done(mined: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_environment: None) -> Path:
    monkeypatch.chdir(copied(mined, tmp_path))
    return tmp_path


def left(space: Path) -> dict[str, bytes]:
    return {name: (space / "runs/mine" / name).read_bytes() for name in OUTPUTS}


def start(*words: str, space: Path) -> subprocess.Popen[str]:
    """Begin to mine in a process group of its own, so that Ctrl-C can reach all of it."""
    return subprocess.Popen(
        [sys.executable, "-m", "kdsl_cli", "mine-rules", *words],
        cwd=space,
        env=environment(OMP_NUM_THREADS="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_planted_phrases_are_found_in_what_is_left(done: Path) -> None:
    rules = pl.read_parquet("runs/mine/candidates.parquet").filter(pl.col("fold") == -1)
    best = rules.sort("value", descending=True).unique("intent", keep="first")
    conditions = dict(best.select("intent", "condition").iter_rows())
    for intent, phrases in {
        "refund": ("退款",),
        "invoice": ("发票", "税号"),
        "parcel": ("快递",),
        "angry": ("投诉",),
        "calm": ("谢谢",),
    }.items():
        assert all(phrase in conditions[intent] for phrase in phrases), conditions[intent]
    assert "other" not in conditions  # filler alone makes no rule


def test_the_summary_counts_rules_and_names_the_level_of_noise(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["mine-rules"]) == 0
    told = capsys.readouterr()
    assert told.err == "up to date\n"
    assert re.search(r"talk: \d+ rules found for 3 of 4 intents in 48 dialogues, 0 seed rules", told.out)
    assert len(re.findall(r"worth of 0\.\d\d", told.out)) == 2


def test_json_is_one_document_and_quiet_is_one_path(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mine-rules", "--json"]) == 0
    talk, mood = json.loads(capsys.readouterr().out)
    assert (talk["task"], mood["task"], talk["seeds"]) == ("talk", "mood", 0)
    assert talk["found"] >= 3 and set(talk["noise"]) >= {"threshold", "best_by_chance"}
    assert run(["mine-rules", "-q"]) == 0
    assert capsys.readouterr() == ("runs/mine/candidates.parquet\n", "")


@pytest.mark.slow
def test_the_same_seed_finds_the_same_with_one_worker_or_two(done: Path) -> None:
    first = left(done)
    for workers in ("1", "2"):
        assert run(["mine-rules", "-q", "--force", "--workers", workers]) == 0
        assert left(done) == first
    assert run(["mine-rules", "-q", "--force", "--seed", "1"]) == 0
    assert left(done)["sample.parquet"] != first["sample.parquet"]  # other folds


def test_other_options_need_force(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = left(done)
    assert run(["mine-rules", "--simulations", "61"]) == 2
    assert "To replace it: kdsl mine-rules --simulations 61 --force" in capsys.readouterr().err
    assert left(done) == before


@pytest.mark.slow
def test_seed_rules_compete_and_nonsense_loses(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("pack.yaml").write_text(GOOD)
    assert run(["mine-rules", "--seed-rules", "pack.yaml"]) == 0
    assert "2 seed rules beside them" in capsys.readouterr().out
    assert run(["prune-rules", "-q"]) == 0
    kept = {row["id"]: row for row in pl.read_parquet("runs/prune/kept.parquet").iter_rows(named=True)}
    good = kept["expert-invoice"]
    assert good["proposer"] == "seed" and good["why"] == "An invoice or its tax number."
    assert (good["fired"], good["correct"]) == (12, 12)
    assert "nonsense" not in kept or kept["nonsense"]["weight"] < min(1.0, good["weight"])


@pytest.mark.slow
def test_what_seed_rules_ask_stays_unknown_and_it_is_said(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asking = '{answer: {question: "Is money asked back?", is: "yes"}}'
    Path("pack.yaml").write_text(GOOD.replace('text: {contains_any: ["甲", "乙"]}', asking[1:-1]))
    assert run(["mine-rules", "--seed-rules", "pack.yaml", "--simulations", "5"]) == 0
    told = capsys.readouterr()
    assert "warning: questions of the rules without answers for 'the seed rules of mining'" in told.err
    assert "2 seed rules beside them" in told.out


@pytest.mark.slow
def test_when_time_is_up_what_was_found_is_left_with_a_warning(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["mine-rules", "--minutes", "0.0001"]) == 0
    told = capsys.readouterr()
    assert "warning: time was up with 16 of 16 searches of talk unfinished" in told.err
    assert "talk: 0 rules found" in told.out
    manifest = read_manifest(space / "runs/mine")
    assert manifest is not None and len(manifest.warnings) == 2
    assert run(["mine-rules", "--minutes", "0.0001"]) == 0
    assert "warning: time was up" in capsys.readouterr().err  # up to date, and still not all there is
    assert run(["prune-rules", "-q"]) == 0


@pytest.mark.slow
def test_a_stop_file_stops_and_without_it_the_search_goes_on(
    space: Path, mined: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop = space / "runs/mine/stop"
    stop.parent.mkdir()
    stop.touch()
    assert run(["mine-rules"]) == 130
    told = capsys.readouterr().err
    assert "searches of talk to go; the rest is saved" in told and "To go on: kdsl mine-rules" in told
    stop.unlink()
    assert run(["mine-rules", "-q"]) == 0
    assert left(space) == left(mined)


def kept_units(space: Path) -> int:
    log = space / "runs/mine/search.jsonl"
    return log.read_bytes().count(b"\n") if log.exists() else 0


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_in_the_same_files(space: Path, mined: Path) -> None:
    moments, manifest, cut = random.Random(0), space / "runs/mine/manifest.json", 0
    for _ in range(4):
        before = manifest.read_bytes() if manifest.exists() else b""
        process = start("--workers", "2", space=space)
        while process.poll() is None and (manifest.read_bytes() if manifest.exists() else b"") == before:
            time.sleep(0.005)
        time.sleep(moments.uniform(0.05, 0.9))
        done = kept_units(space)
        process.kill()
        process.communicate(timeout=60)
        if process.returncode == 0:
            break
        cut += 1
        assert kept_units(space) >= done
        found = read_manifest(space / "runs/mine")
        assert found is not None and found.status != "success"
    assert cut, "the run was over before it could be killed"
    assert run(["mine-rules", "-q"]) == 0
    assert left(space) == left(mined)


@pytest.mark.slow
def test_ctrl_c_saves_says_how_to_go_on_and_does(space: Path, mined: Path) -> None:
    process = start("--workers", "1", space=space)
    while process.poll() is None and kept_units(space) < 2:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)  # of a terminal it reaches the whole group
    out, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopping after the intents in work" in told and "the rest is saved" in told
    assert "To go on: kdsl mine-rules --workers 1" in told and "Traceback" not in told
    assert out == ""
    found, done = read_manifest(space / "runs/mine"), kept_units(space)
    assert found is not None and found.status == "interrupted" and 2 <= done < 24

    again = start("--workers", "1", space=space)
    assert f"resuming: {done} searches are done already" in again.communicate(timeout=60)[1]
    assert left(space) == left(mined)


def test_a_leak_is_refused_by_name(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(Path("data/splits.json").read_text())
    train, test = record["splits"]["train"][0], record["splits"]["test"][0]
    record["fingerprints"][test] = record["fingerprints"][train]
    Path("data/splits.json").write_text(json.dumps(record))
    assert run(["mine-rules"]) == 1
    told = capsys.readouterr().err
    assert f"'{train}'" in told and f"'{test}'" in told
    assert not Path("runs/mine").exists()


def without_labels(text: str) -> str:
    return re.sub(r'"label": *"\w+"', '"label": null', text)


@pytest.mark.parametrize(
    ("name", "edit", "words", "told"),
    [
        ("kdsl.yaml", lambda text: "mine: {proposer: magic}", [], ("magic", "statistical")),
        ("kdsl.yaml", lambda text: "mine: {simulatons: 3}", [], ("simulatons", "Did you mean 'simulations'")),
        ("pack.yaml", None, ["--seed-rules", "pack.yaml"], ("pack.yaml: no such file", "--seed-rules")),
        (
            "pack.yaml",
            lambda text: GOOD.replace('"talk"', '"tlak"'),
            ["--seed-rules", "pack.yaml"],
            ("pack.yaml", "no task 'tlak'", "Did you mean 'talk'"),
        ),
        (
            "pack.yaml",
            lambda text: GOOD.replace('"parcel"', '"parcl"'),
            ["--seed-rules", "pack.yaml"],
            ("pack.yaml:11", "parcl", "Did you mean 'parcel'"),
        ),
        ("data/train.jsonl", None, [], ("data/train.jsonl", "kdsl data split")),
        ("data/splits.json", None, [], ("data/splits.json", "kdsl data split")),
        ("runs/evidence/manifest.json", None, [], ("runs/evidence", "kdsl extract --split train")),
        ("runs/evidence/train.parquet", None, [], ("train.parquet", "Run again: kdsl extract")),
        ("intents.yaml", None, [], ("intents.yaml",)),
        ("intents.yaml", lambda text: text.replace("refund", "refnd"), [], ("no intent 'refund'", "refnd")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mistakes_are_told_with_place_and_way_out(
    space: Path, capsys: pytest.CaptureFixture[str], name: str, edit, words: list[str], told: tuple[str, ...]
) -> None:
    path = Path(name)
    if edit is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(edit(path.read_text() if path.exists() else ""))
    assert run(["mine-rules", *words]) == 2
    said = capsys.readouterr().err
    assert all(word in said for word in told), said
    assert "Traceback" not in said and "internal error" not in said
    assert not Path("runs/mine").exists()


def test_dialogues_without_a_label_teach_nothing(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = Path("data/train.jsonl")
    train.write_text(without_labels(train.read_text()))
    assert run(["extract", "-q"]) == 0
    assert run(["mine-rules"]) == 2
    assert "data/train.jsonl: no dialogue has a label. Label some" in capsys.readouterr().err
