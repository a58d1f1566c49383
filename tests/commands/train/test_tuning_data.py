"""What a large model is tuned on: never a dialogue of the test split, never a rule that saw the dialogue."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.commands.train.tuning_data import TuningData, load_tuning_data
from kdsl_cli.commands.workspace.layout import Workspace, current_workspace, set_config_file
from kdsl_cli.commands.workspace.settings_sources import current_settings
from kdsl_cli.errors import DatasetError, LeakError, RuleFileError, StageError
from kdsl_cli.mining import table
from kdsl_cli.mining.campaign import WHOLE
from tests.commands.planted import copied, fill, write

WRITTEN = """\
schema: "kdsl.rules/1"
task: "mood"
rules:
- id: "r-1"
  intent: "angry"
  when: {text: {in: "any", contains: "投诉"}}
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    space = tmp_path_factory.mktemp("exported") / "space"
    fill(space)
    for verb in ("mine-rules", "prune-rules", "export-rules"):
        assert run([verb, "-q", "--config-file", str(space / "kdsl.yaml")]) == 0
    return space


@pytest.fixture
def space(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_environment: None) -> Path:
    monkeypatch.chdir(copied(exported, tmp_path))
    set_config_file(None)
    return tmp_path


@pytest.fixture
def unseen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_environment: None) -> Path:
    """A workspace that was split and not extracted."""
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run(["data", "split"]) == 0
    return tmp_path


def loaded(**options: Any) -> TuningData:
    return load_tuning_data(current_workspace(), current_settings(), **options)


def ids(split: str) -> list[str]:
    path = Workspace(Path()).split_dialogues(split)
    return sorted(json.loads(line)["id"] for line in path.read_text("utf-8").splitlines())


def change(path: str, id: str, **to: Any) -> None:
    rows = [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]
    rows = [row | to if row["id"] == id else row for row in rows]
    Path(path).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def test_train_and_val_are_samples_and_test_is_not_opened(unseen: Path) -> None:
    Path("data/test.jsonl").unlink()
    data = loaded()
    assert [one.id for one in data.train] == ids("train") and [one.id for one in data.val] == ids("val")
    assert {one.task for one in data.train} == {"talk", "mood"}
    assert all(one.right.name == one.id.rpartition("-")[0] for one in (*data.train, *data.val))
    assert (data.rules, data.reasons, data.unlabelled) == ({}, {}, ())
    assert {path.name for path in data.files} == {"train.jsonl", "val.jsonl", "intents.yaml", "splits.json"}


def test_what_has_no_label_is_named(unseen: Path) -> None:
    first, *others = ids("train")
    change("data/train.jsonl", first, label=None)
    data = loaded()
    assert data.unlabelled == (first,) and [one.id for one in data.train] == others


def test_reasons_of_other_splits_are_left_out_and_counted(
    unseen: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"id": id, "reason": "so it is"} for id in (ids("train")[0], ids("val")[0], ids("test")[0])]
    Path("reasons.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = loaded(reasons=Path("reasons.jsonl"))
    assert data.reasons == {ids("train")[0]: "so it is"}
    assert "2 reasons are of dialogues that are not learnt" in capsys.readouterr().err
    assert Path("reasons.jsonl") in data.files


def test_every_label_that_is_no_intent_is_named(unseen: Path) -> None:
    first, second = ids("train")[:2]
    change("data/train.jsonl", first, label="angri")
    change("data/train.jsonl", second, task="mod")
    with pytest.raises(DatasetError) as error:
        loaded()
    assert [problem.where.rpartition(":")[2] for problem in error.value.problems] == [first, second]
    assert "Did you mean 'angry'?" in str(error.value)


def test_a_leak_between_splits_ends_it(unseen: Path) -> None:
    splits = json.loads(Path("data/splits.json").read_text("utf-8"))
    Path("data/splits.json").unlink()
    with pytest.raises(StageError, match="kdsl data split"):
        loaded()
    learnt, held = ids("train")[0], ids("test")[0]
    splits["fingerprints"][learnt] = splits["fingerprints"][held]
    Path("data/splits.json").write_text(json.dumps(splits), "utf-8")
    with pytest.raises(LeakError, match=learnt):
        loaded()


def test_rules_that_fire_are_told_and_those_of_prediction_kept(space: Path) -> None:
    data = loaded(noted=True)
    assert data.rules.keys() == {"talk", "mood"}
    for samples in (data.train, data.val):
        angry = [one for one in samples if one.right.name == "angry"]
        told = [one for one in angry if any(note.endswith("speaks for angry") for note in one.notes)]
        assert len(told) > 0.8 * len(angry)
    plain = loaded()
    assert [replace(one, notes=()) for one in data.train] == list(plain.train)
    assert {"mood.yaml", "candidates.parquet"} <= {path.name for path in data.files}


def test_a_mined_rule_speaks_in_training_only_where_its_search_had_not_seen(
    space: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the rules of the search that did not see fold 0, nothing is known of fold 0."""
    read = table.read_findings
    folds: dict[str, int] = {}

    def forgetful(candidates: Path, sample: Path) -> tuple[table.Findings, ...]:
        found = read(candidates, sample)
        for one in found:
            for place, id in enumerate(one.ids):
                folds[id] = next(n for n, mask in enumerate(one.sample.folds) if mask >> place & 1)
        assert all(one.runs[WHOLE] for one in found)
        return tuple(replace(one, runs={**one.runs, 0: ()}) for one in found)

    monkeypatch.setattr(table, "read_findings", forgetful)
    train = loaded(noted=True).train
    assert not any(one.notes for one in train if folds[one.id] == 0)
    assert any(one.notes for one in train if folds[one.id] != 0)


def test_a_rule_that_a_person_wrote_speaks_everywhere(space: Path) -> None:
    Path("rules/talk.yaml").unlink()
    Path("rules/mood.yaml").write_text(WRITTEN, "utf-8")
    for folder in ("mine", "prune"):
        Path("runs", folder, "manifest.json").unlink()  # nothing of the miner is needed
    data = loaded(noted=True)
    for one in (*data.train, *data.val):
        fires = one.right.name == "angry"
        assert one.notes == (('a message contains "投诉", which speaks for angry',) if fires else ())


def test_notes_need_rules_evidence_and_what_they_were_mined_from(space: Path) -> None:
    change("data/train.jsonl", ids("train")[0], group="another")
    with pytest.raises(StageError, match="mine-rules"):
        loaded(noted=True)
    Path("rules/mood.yaml").write_text(WRITTEN.replace("angry", "angri"), "utf-8")
    with pytest.raises(RuleFileError, match="angri"):
        loaded(noted=True)
    for path in Path("rules").glob("*.yaml"):
        path.unlink()
    with pytest.raises(StageError, match="kdsl export-rules"):
        loaded(noted=True)


def test_notes_need_evidence(unseen: Path) -> None:
    Path("rules").mkdir()
    Path("rules/mood.yaml").write_text(WRITTEN, "utf-8")
    with pytest.raises(StageError, match="kdsl extract"):
        loaded(noted=True)
