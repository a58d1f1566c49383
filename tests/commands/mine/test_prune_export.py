"""``kdsl prune-rules`` and ``kdsl export-rules``: from what was found to files that a person edits."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.logic.codec import load_rules
from tests.commands.planted import copied, fill

TALK = Path("rules/talk.yaml")


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    space = tmp_path_factory.mktemp("pruned") / "space"
    fill(space)
    for verb in ("mine-rules", "prune-rules"):
        assert run([verb, "-q", "--config-file", str(space / "kdsl.yaml")]) == 0
    return space


@pytest.fixture
def space(pruned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_environment: None) -> Path:
    monkeypatch.chdir(copied(pruned, tmp_path))
    return tmp_path


def kept() -> pl.DataFrame:
    return pl.read_parquet("runs/prune/kept.parquet")


def test_pruning_says_how_many_rules_went_and_why(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prune-rules"]) == 0
    told = capsys.readouterr()
    found = pl.read_parquet("runs/mine/candidates.parquet").filter(pl.col("fold") == -1)
    after = kept()["task"].value_counts()
    for task, number in after.iter_rows():
        before = found.filter(pl.col("task") == task).height
        assert f"{task}: {before} rules before, {number} after  (-" in told.out
    assert told.err == "up to date\n"
    assert run(["prune-rules", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["steps"]) == {"talk", "mood"}
    assert run(["prune-rules", "-q"]) == 0
    assert capsys.readouterr() == ("runs/prune/kept.parquet\n", "")


def test_a_cap_holds_for_every_intent(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prune-rules", "--cap-per-intent", "1"]) == 2
    assert "--force" in capsys.readouterr().err
    assert run(["prune-rules", "--cap-per-intent", "1", "--force", "-q"]) == 0
    assert kept()["intent"].value_counts()["count"].to_list() == [1] * 5


def test_every_training_dialogue_is_judged_by_rules_that_did_not_see_it(space: Path) -> None:
    judged = pl.read_parquet("runs/prune/oof.parquet")
    sample = pl.read_parquet("runs/mine/sample.parquet")
    assert sorted(judged.select("id", "fold").rows()) == sorted(sample.select("id", "fold").rows())
    signs = judged.filter(pl.col("id").str.starts_with("angry"))
    assert signs["scores"].null_count() == 0


def test_pruning_anew_leaves_the_same_bytes(space: Path) -> None:
    files = [Path("runs/prune/kept.parquet"), Path("runs/prune/oof.parquet")]
    before = [path.read_bytes() for path in files]
    assert run(["prune-rules", "-q", "--force"]) == 0
    assert [path.read_bytes() for path in files] == before


@pytest.mark.slow
def test_the_rules_are_written_with_their_evidence_and_a_table_is_printed(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export-rules"]) == 0
    told = capsys.readouterr()
    assert "rules/talk.yaml: written" in told.err and "rules/mood.yaml: written" in told.err
    rules = load_rules(TALK).rules
    assert {rule.intent for rule in rules} == {"refund", "invoice", "parcel"}
    for rule in rules:
        assert rule.status == "mined" and rule.why and rule.evidence and rule.provenance
        assert rule.examples and all(id.startswith(rule.intent) for id in rule.examples.match)
        assert "-" in rule.examples.no_match[0] and not rule.examples.no_match[0].startswith(rule.intent)
    best = max(rules, key=lambda rule: rule.evidence.correct if rule.evidence else 0)
    for word in ("fired", "correct", "at least", "overlaps", "conflicts", best.id):
        assert word in told.out


@pytest.mark.slow
def test_export_as_json_has_every_rule_and_quiet_the_files(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export-rules", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert sorted(row["rule"] for row in rows) == sorted(kept()["id"])
    assert run(["export-rules", "-q", "--out", "elsewhere"]) == 0
    assert capsys.readouterr().out.split() == ["elsewhere/talk.yaml", "elsewhere/mood.yaml"]


@pytest.mark.slow
def test_exporting_again_writes_the_same_bytes(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export-rules", "-q"]) == 0
    before = TALK.read_bytes()
    assert run(["export-rules"]) == 0
    assert "rules/talk.yaml: up to date" in capsys.readouterr().err
    assert TALK.read_bytes() == before


@pytest.mark.slow
def test_what_a_person_wrote_outlives_the_next_export(space: Path) -> None:
    assert run(["export-rules", "-q"]) == 0
    first, second, third = load_rules(TALK).rules[:3]
    text = TALK.read_text()
    for rule, status in ((first, "reviewed"), (second, "disabled")):
        head, mark, rest = text.partition(f'- id: "{rule.id}"')
        text = head + "# asked Wang about it\n" + mark + rest.replace('"mined"', f'"{status}"', 1)
    head, mark, rest = text.partition(f'- id: "{first.id}"')
    text = head + mark + rest.replace(f"weight: {first.weight}", "weight: 3.25", 1)
    text += (
        '- id: "by-hand"\n  intent: "other"\n  status: "draft"\n'
        '  when:\n    text: {contains: "随便"}   # my own\n'
    )
    TALK.write_text(text)
    assert run(["prune-rules", "-q", "--force", "--lasso", "1000"]) == 0
    assert run(["export-rules", "-q"]) == 0

    after = TALK.read_text()
    assert after.count("# asked Wang about it") == 2 and "# my own" in after
    rules = {rule.id: rule for rule in load_rules(TALK).rules}
    assert (rules[first.id].status, rules[first.id].weight) == ("reviewed", 3.25)
    assert rules[second.id].status == "disabled"
    assert rules["by-hand"].status == "draft"
    assert third.id not in rules  # mined, and adds too little now


@pytest.mark.slow
def test_base_rates_are_written_and_a_persons_outlive_the_next_export(space: Path) -> None:
    assert run(["export-rules", "-q"]) == 0
    first, second, *_ = rates = load_rules(TALK).base_rates
    assert {rate.intent for rate in rates} == {
        "refund",
        "invoice",
        "parcel",
    }  # "other" is said without a sign
    assert all(rate.status == "mined" and rate.weight < 0 for rate in rates)
    text = TALK.read_text()
    for rate, said in ((first, '{weight: -7, status: "reviewed"}  # rare here'), (second, "-7")):
        text = text.replace(f'"{rate.intent}": {rate.weight}', f'"{rate.intent}": {said}')
    TALK.write_text(text)
    assert run(["export-rules", "-q"]) == 0
    assert '{weight: -7, status: "reviewed"}  # rare here' in TALK.read_text()
    after = {rate.intent: rate for rate in load_rules(TALK).base_rates}
    assert (after[first.intent].weight, after[first.intent].status) == (-7, "reviewed")
    assert after[second.intent] == second


def test_a_broken_rule_file_is_named_and_left_alone(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    TALK.parent.mkdir()
    broken = 'schema: "kdsl.rules/1"\ntask: "talk"\nrules:\n- id: "r"\n  intnt: "refund"\n'
    TALK.write_text(broken)
    assert run(["export-rules"]) == 2
    told = capsys.readouterr().err
    assert "rules/talk.yaml:5" in told and "Did you mean 'intent'" in told
    assert TALK.read_text() == broken


@pytest.mark.parametrize(
    ("verb", "gone", "told"),
    [
        ("prune-rules", "runs/mine/manifest.json", ("runs/mine", "Run: kdsl mine-rules")),
        ("prune-rules", "runs/mine/candidates.parquet", ("candidates.parquet: gone", "kdsl mine-rules")),
        ("export-rules", "runs/prune/manifest.json", ("runs/prune", "Run: kdsl prune-rules")),
        ("export-rules", "runs/prune/kept.parquet", ("kept.parquet: gone", "kdsl prune-rules")),
    ],
)
def test_what_is_missing_is_told_with_the_verb_that_makes_it(
    space: Path, capsys: pytest.CaptureFixture[str], verb: str, gone: str, told: tuple[str, ...]
) -> None:
    Path(gone).unlink()
    assert run([verb]) == 2
    said = capsys.readouterr().err
    assert all(word in said for word in told), said


def test_an_unfinished_search_is_not_pruned(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path("runs/mine/manifest.json")
    path.write_text(path.read_text().replace('"success"', '"started"'))
    assert run(["prune-rules"]) == 2
    assert "was killed, or is still at work" in capsys.readouterr().err


def test_rules_found_in_another_training_split_are_not_pruned(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", "split", "--seed", "1", "-q"]) == 0
    assert run(["extract", "-q"]) == 0
    capsys.readouterr()
    assert run(["prune-rules"]) == 2
    said = capsys.readouterr().err
    assert "data/train.jsonl: is not what the rules were found in any more" in said
    assert "Run: kdsl mine-rules --force" in said
