"""A stage takes from an earlier one only what is whole and as it was left."""

from __future__ import annotations

import pytest

from kdsl_cli.errors import StageError
from kdsl_cli.runs.atomic import write_text
from kdsl_cli.runs.inputs import require_success
from kdsl_cli.runs.stage import Stage


@pytest.fixture
def evidence(tmp_path):
    out = tmp_path / "evidence"
    stage = Stage("extract", out, argv=("kdsl", "extract", "--workers", "2"))
    with stage.run() as run:
        for split in ("train", "test"):
            write_text(run.output(out / f"{split}.parquet"), split)
        write_text(run.output(out / "notes.yaml", editable=True), "yours")
    return out


def refusal(folder, **options):
    with pytest.raises(StageError) as caught:
        require_success(folder, **options)
    return caught.value.problems


def test_a_whole_stage_is_taken(evidence):
    assert require_success(evidence).stage == "extract"


def test_nothing_there_names_the_command(tmp_path):
    (problem,) = refusal(tmp_path / "mine", command="kdsl mine-rules")
    assert problem.where == str(tmp_path / "mine")
    assert problem.fix == "Run: kdsl mine-rules"


@pytest.mark.parametrize("error", [ValueError("no rows"), KeyboardInterrupt()])
def test_a_stage_that_did_not_end_well_is_refused(tmp_path, error):
    with pytest.raises(type(error)), Stage("mine", tmp_path, argv=("kdsl", "mine-rules")).run():
        raise error
    (problem,) = refusal(tmp_path)
    assert problem.fix.endswith("kdsl mine-rules")
    assert ("no rows" in problem.what) == isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("kdsl train-large --large local:big --force", "kdsl train-large --large local:big"),
        ("kdsl -q train-large --preset 24g --json", "kdsl train-large --preset 24g"),
        ("kdsl run --large local:big", "kdsl run --large local:big"),
        ("kdsl demo shop", "kdsl train-large"),
        ("", "kdsl train-large"),
    ],
)
def test_a_stage_goes_on_with_the_options_that_it_had(tmp_path, typed, told):
    with pytest.raises(KeyboardInterrupt), Stage("train", tmp_path, argv=typed.split()).run():
        raise KeyboardInterrupt
    (problem,) = refusal(tmp_path, command="kdsl train-large")
    assert problem.fix == f"Run it again, it goes on from where it was: {told}"


def test_a_stage_at_work_is_refused(tmp_path):
    with Stage("mine", tmp_path).run():
        assert "still at work" in refusal(tmp_path)[0].what


def test_every_output_that_changed_or_went_is_named(evidence):
    (evidence / "train.parquet").write_text("TRAIN")  # of the same size
    (evidence / "test.parquet").unlink()
    test, train = refusal(evidence)
    assert test.what == "gone since the stage 'extract' wrote it"
    assert train.what == "changed since the stage 'extract' wrote it"
    assert train.fix == "Run again: kdsl extract --workers 2 --force"
    assert refusal(evidence, command="kdsl extract --split test")[0].fix == train.fix  # as it was done
    assert refusal(evidence, command="kdsl mine-rules")[0].fix == "Run again: kdsl mine-rules --force"


def test_only_the_named_outputs_are_opened(evidence):
    (evidence / "test.parquet").unlink()
    require_success(evidence, only=["train.parquet"])


def test_a_name_that_is_no_output_is_refused(evidence):
    (problem,) = refusal(evidence, only=["val.parquet"])
    assert problem.allowed == "notes.yaml, test.parquet, train.parquet"
    (problem,) = refusal(evidence, only=["val.parquet"], command="kdsl extract --split val")
    assert problem.fix == "Run: kdsl extract --split val"  # what was run before did not make it


def test_a_file_of_a_person_may_change_but_not_go(evidence):
    (evidence / "notes.yaml").write_text("edited")
    require_success(evidence)
    (evidence / "notes.yaml").unlink()
    assert refusal(evidence)[0].where.endswith("notes.yaml")


def test_a_folder_as_output_is_checked_too(tmp_path):
    with Stage("train", tmp_path).run() as run:
        write_text(run.output(tmp_path / "model") / "weights", "1")
    require_success(tmp_path)
    (tmp_path / "model" / "weights").write_text("2")
    assert refusal(tmp_path)[0].what.startswith("changed")
