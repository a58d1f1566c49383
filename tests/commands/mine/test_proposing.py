"""``kdsl mine-rules --small``: a model proposes and answers, and is asked nothing twice."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.evidence.answers import read_answers
from kdsl_cli.logic.codec import load_rules
from kdsl_cli.runs.manifest import Manifest, read_manifest
from tests.commands.planted import copied
from tests.commands.unwritten import QUESTION, fill
from tests.conftest import environment
from tests.fakes.fault_proxy import Cut, FaultProxy, Status

SMALL = ["--small", "scripted:model.yaml"]
MINE = ["mine-rules", *SMALL]
OUTPUTS = ("candidates.parquet", "sample.parquet", "answers.parquet")
KEY = "sk-0123456789-secret"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    space = tmp_path_factory.mktemp("unwritten") / "space"
    fill(space)
    return space


@pytest.fixture(scope="module")
def mined(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    space = copied(template, tmp_path_factory.mktemp("mined"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(space)
        for words in (MINE, ["prune-rules"], ["export-rules"]):
            assert run([*words, "-q"]) == 0
    return space


@pytest.fixture
def space(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_environment: None) -> Path:
    monkeypatch.chdir(copied(template, tmp_path))
    return tmp_path


@pytest.fixture
def done(mined: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_environment: None) -> Path:
    monkeypatch.chdir(copied(mined, tmp_path))
    return tmp_path


def left(space: Path) -> dict[str, bytes]:
    """Return what mining left, and the rule file if there is one."""
    files = [*(space / "runs/mine" / name for name in OUTPUTS), space / "rules/page.yaml"]
    return {path.name: path.read_bytes() for path in files if path.exists()}


def made(space: Path) -> Manifest:
    found = read_manifest(space / "runs/mine")
    assert found is not None
    return found


@pytest.fixture
def calls(capsys: pytest.CaptureFixture[str]) -> Callable[[str], dict[str, Any]]:
    def of(purpose: str) -> dict[str, Any]:
        capsys.readouterr()
        assert run(["calls", "--json"]) == 0
        rows = [row for row in json.loads(capsys.readouterr().out) if row["purpose"] == purpose]
        return {
            name: sum(row[name] for row in rows) for name in ("calls", "cached", "failed", "prompt_tokens")
        }

    return of


def test_what_is_not_written_becomes_rules_that_ask(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = load_rules(done / "rules/page.yaml").rules
    best = {
        intent: max((r for r in rules if r.intent == intent), key=lambda r: r.weight)
        for intent in ("sold", "sale")
    }
    for rule, answer in ((best["sold"], "yes"), (best["sale"], "no")):
        assert rule.evidence is not None and rule.evidence.correct == rule.evidence.fired == 12
        assert rule.provenance is not None and rule.provenance.proposer in ("model", "both")
        assert f'The answer to "{QUESTION}" is {answer}' in rule.why and rule.why.endswith("So it looks.")
    assert f'answer: {{question: "{QUESTION}", is: "yes"}}' in (done / "rules/page.yaml").read_text()
    answers = read_answers([done / "runs/mine/answers.parquet"])
    assert {id: told[QUESTION] for id, told in answers.items()} == {id: "sold" in id for id in answers}
    assert len(answers) == 36  # the training dialogues and no others
    assert made(done).extra["small"]["kind"] == "scripted"
    assert run(MINE) == 0
    out, err = capsys.readouterr()
    assert "the small model proposed 144 times: 20 valid" in out and "1 questions asked" in out
    assert err == "up to date\n"


@pytest.mark.slow
def test_what_seed_rules_ask_is_answered_before_they_compete(
    space: Path, calls: Callable[[str], dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    asking = f'answer: {{question: "{QUESTION}", is: "yes"}}'
    rule = f'{{id: "grey", intent: "sold", status: "reviewed", when: {{{asking}}}}}'
    Path("pack.yaml").write_text(f'schema: "kdsl.rules/1"\ntask: "page"\nrules:\n- {rule}\n')
    words = [*MINE, "--seed-rules", "pack.yaml", "--simulations", "5", "--force"]
    bare, asked = (planned(capsys, some) for some in (MINE, words))
    assert asked["answers"] == bare["answers"] + 37  # 36 dialogues, and one without content

    assert run([*words, "--max-calls", "10"]) == 0  # ten dialogues are answered, and the first question
    assert "what was not asked stays unknown" in capsys.readouterr().err
    assert run(words) == 0
    assert "without answers" not in capsys.readouterr().err
    answers = read_answers([Path("runs/mine/answers.parquet")])
    assert {id: told[QUESTION] for id, told in answers.items()} == {id: "sold" in id for id in answers}
    before = calls("mine-rules")["calls"]
    assert run([*words, "-q"]) == 0 and calls("mine-rules")["calls"] == before
    assert run(["prune-rules", "-q"]) == 0
    (kept,) = pl.read_parquet("runs/prune/kept.parquet").filter(pl.col("id") == "grey").to_dicts()
    assert (kept["fired"], kept["correct"]) == (12, 12)


def planned(capsys: pytest.CaptureFixture[str], words: list[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*words, "--dry-run", "--json"]) == 0
    plan: dict[str, Any] = json.loads(capsys.readouterr().out)
    (task,) = plan["tasks"]
    return dict(task)


@pytest.mark.slow
def test_the_model_can_propose_alone(space: Path) -> None:
    assert run([*MINE, "--proposer", "model", "-q"]) == 0
    found = pl.read_parquet("runs/mine/candidates.parquet").filter(pl.col("fold") == -1)
    assert set(found["proposer"]) == {"model"}
    assert set(found["intent"]) == {"sale", "sold", "refund"}


@pytest.mark.slow
def test_only_what_is_missing_is_asked_of_other_splits(
    done: Path, calls: Callable[[str], dict[str, Any]]
) -> None:
    assert run(["extract", *SMALL, "-q"]) == 0
    assert calls("extract")["calls"] == 24  # of 60 dialogues, of which mining asked 36
    assert run(["extract", *SMALL, "-q", "--force"]) == 0
    assert calls("extract")["calls"] == 24
    told = read_answers([done / f"runs/answers/{split}.parquet" for split in ("train", "val", "test")])
    assert {id: answer[QUESTION] for id, answer in told.items()} == {id: "sold" in id for id in told}
    assert len(told) == 60


@pytest.mark.slow
def test_a_second_run_makes_no_call_and_finds_the_same(
    done: Path, calls: Callable[[str], dict[str, Any]]
) -> None:
    before, first = left(done), calls("mine-rules")
    assert run([*MINE, "--force", "-q"]) == 0
    assert run(["prune-rules", "-q"]) == run(["export-rules", "-q"]) == 0
    assert left(done) == before
    second = calls("mine-rules")
    assert second["calls"] == first["calls"] and second["cached"] == first["cached"] + first["calls"]


@pytest.mark.slow
def test_another_model_under_the_same_name_shares_no_answer(
    done: Path, calls: Callable[[str], dict[str, Any]]
) -> None:
    first = calls("mine-rules")
    with (done / "model.yaml").open("a") as script:
        script.write("\n# another revision\n")
    assert run([*MINE, "--force", "-q"]) == 0
    second = calls("mine-rules")
    assert (second["calls"], second["cached"]) == (2 * first["calls"], 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "most"),
    [(("--max-calls", "40"), 40), (("--max-tokens", "60000"), 120), (("--max-minutes", "1e-6"), 0)],
)
def test_a_spent_budget_ends_the_asking_and_not_the_search(
    space: Path,
    mined: Path,
    limit: tuple[str, str],
    most: int,
    calls: Callable[[str], dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run([*MINE, *limit]) == 0
    told = capsys.readouterr()
    assert "warning: the small model's budget was spent before the searches were at their end" in told.err
    assert "rules found for" in told.out and "page: 0 rules" not in told.out  # counting goes on
    assert calls("mine-rules")["calls"] <= most
    assert run([*MINE, "--force", "-q"]) == 0
    assert {name: left(space)[name] for name in OUTPUTS} == {name: left(mined)[name] for name in OUTPUTS}
    assert calls("mine-rules")["calls"] == logged(mined)  # nothing was asked twice


def logged(space: Path) -> int:
    """Return how many calls stand in the log, while somebody may be writing it."""
    path = space / "runs/calls.sqlite"
    if not path.exists():
        return 0
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return int(
            connection.execute("SELECT count(*) FROM calls WHERE purpose = 'mine-rules'").fetchone()[0]
        )
    except sqlite3.OperationalError:  # its tables are not made yet
        return 0
    finally:
        connection.close()


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_in_the_same_rules(space: Path, mined: Path) -> None:
    whole, cut = logged(mined), 0
    for share in (0.0, 0.3, 0.7):
        process = subprocess.Popen(
            [sys.executable, "-m", "kdsl_cli", *MINE, "-q"],
            cwd=space,
            env=environment(OMP_NUM_THREADS="1"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        while process.poll() is None and logged(space) <= share * whole:
            time.sleep(0.002)
        process.kill()
        process.communicate(timeout=60)
        cut += process.returncode != 0
        assert logged(space) > share * whole
    assert cut, "it was over before it could be killed"
    assert made(space).status == ("started" if process.returncode else "success")
    for words in (MINE, ["prune-rules"], ["export-rules"]):
        assert run([*words, "-q"]) == 0
    assert left(space) == left(mined)
    assert logged(space) == whole  # what was answered before a kill was not asked again


# Behind a server: one that plays a model for the shop, and knows nothing of these dialogues.


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    script = Path(__file__).parents[2] / "fakes" / "shop_server.py"
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.terminate()
    process.wait()
    process.stdout.close()


@pytest.fixture
def proxy(server: str) -> Iterator[FaultProxy]:
    with FaultProxy(server) as proxy:
        yield proxy


@pytest.mark.local
@pytest.mark.slow
def test_behind_a_server_a_second_run_asks_nothing_and_another_revision_everything(
    space: Path, proxy: FaultProxy, calls: Callable[[str], dict[str, Any]]
) -> None:
    words = ["mine-rules", "--max-calls", "120", "-q"]
    assert run([*words, "--small", f"{proxy.url}#shop@1"]) == 0
    first, asked = calls("mine-rules"), len(proxy.asked)
    assert 0 < first["calls"] <= 120 and asked >= first["calls"]
    assert run([*words, "--small", f"{proxy.url}#shop@1", "--force"]) == 0
    assert calls("mine-rules")["calls"] == first["calls"] and len(proxy.asked) == asked
    assert run([*words, "--small", f"{proxy.url}#shop@2", "--force"]) == 0
    assert calls("mine-rules")["calls"] == 2 * first["calls"]


@pytest.mark.local
@pytest.mark.slow
def test_the_key_reaches_no_file_and_no_line(
    space: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KDSL_API_KEY", KEY)
    words = ["mine-rules", "--max-calls", "40", "--small", f"{proxy.url}#shop", "-vv", "--debug"]
    proxy.script(
        Status(429, {"Retry-After": "0"}, "{key}"), Cut(), *[Status(422, message="you sent {key}")] * 20
    )
    assert run(words) == 0
    proxy.script(*[Status(401, message="Incorrect API key provided: {key}")] * 40)
    assert run([*words, "--seed", "1", "--force"]) == 2
    told = capsys.readouterr()
    assert "refuses the key" in told.err
    assert run(["calls", "--last", "99"]) == 0
    logged = capsys.readouterr().out
    assert "you sent" in logged  # what a server says is told, all but the key
    for text in (told.out, told.err, logged):
        assert KEY not in text
    files = [path for path in space.rglob("*") if path.is_file()]
    assert {"manifest.json", "calls.sqlite", "search.jsonl"} <= {path.name for path in files}
    for path in files:
        assert KEY.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("model", ["scripted:gone.yaml", "local:gone"])
def test_what_was_mined_stays_where_the_model_cannot_be_opened(done: Path, model: str) -> None:
    before, manifest = left(done), made(done)
    assert run(["mine-rules", "--small", model, "--force"]) == 2
    assert (left(done), made(done)) == (before, manifest)
    assert run(["prune-rules"]) == 0
