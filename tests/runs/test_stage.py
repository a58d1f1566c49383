"""A stage's folder: one key, resumed by the same key, never shared with another."""

from __future__ import annotations

import shutil

import pytest

from kdsl_cli.errors import StageError
from kdsl_cli.runs.atomic import write_text
from kdsl_cli.runs.manifest import read_manifest
from kdsl_cli.runs.stage import Stage


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "data" / "train.jsonl"
    write_text(path, '{"id": "1"}\n')
    return path


@pytest.fixture
def stage(tmp_path, source):
    def make(simulations=10, **options):
        out = tmp_path / "runs" / "mine"
        settings = {
            "out": out,
            "config": {"simulations": simulations},
            "seeds": {"seed": 0},
            "inputs": [source],
        }
        return Stage("mine", **(settings | options))

    return make


def finish(stage, name="kept.txt", text="rules"):
    with stage.run() as run:
        write_text(run.output(stage.out / name), text)
    return run


def leave_unfinished(stage, name="search.jsonl"):
    with pytest.raises(KeyboardInterrupt), stage.run() as run:
        write_text(run.output(stage.out / name), "half")
        raise KeyboardInterrupt


def test_a_finished_stage_says_all_it_knows(stage):
    made = stage(argv=("kdsl", "mine-rules"), config_given={"simulations": 10})
    with made.run() as run:
        with run.phase("search"), run.phase("search"):
            write_text(run.output(made.out / "b.txt"), "2")
        write_text(run.output(made.out / "a.txt"), "1")
        run.count(total=2, ok=1)
        run.count(failed=1)
        run.warn("thin data")
        run.extra["noise"] = 0.3
    found = read_manifest(made.out)
    assert found.status == "success"
    assert [record.path for record in found.outputs] == ["a.txt", "b.txt"]
    assert [(record.path, record.rows) for record in found.inputs] == [("../../data/train.jsonl", 1)]
    assert (found.counts.total, found.counts.ok, found.counts.failed) == (2, 1, 1)
    assert (found.warnings, found.extra) == (("thin data",), {"noise": 0.3})
    assert set(found.timings) == {"search", "total"}
    assert found.peak_memory_mb > 1
    assert found.ended >= found.started
    assert sorted(entry.name for entry in made.out.iterdir()) == ["a.txt", "b.txt", "manifest.json"]


def test_up_to_date_means_same_key_success_and_outputs_as_they_were(stage):
    assert not stage().up_to_date()
    finish(stage())
    assert stage().up_to_date()
    assert not stage(force=True).up_to_date()
    assert not stage(simulations=11).up_to_date()
    (stage().out / "kept.txt").write_text("RULES")
    assert not stage().up_to_date()


@pytest.mark.parametrize("change", [{"simulations": 11}, {"seeds": {"seed": 1}}, {"inputs": []}])
def test_options_seeds_and_inputs_make_the_key(stage, change):
    assert stage(**change).key != stage().key


def test_the_content_of_an_input_makes_the_key_and_its_place_does_not(stage, source, tmp_path):
    key = stage().key
    other = tmp_path / "elsewhere" / "train.jsonl"
    other.parent.mkdir()
    shutil.copy(source, other)
    assert stage(inputs=[other], out=tmp_path / "out").key == key
    source.write_text('{"id": "2"}\n')
    assert stage().key != key


def test_an_input_that_is_not_there_is_named_and_nothing_is_made(stage, tmp_path):
    with pytest.raises(StageError, match=r"gone\.jsonl"), stage(inputs=[tmp_path / "gone.jsonl"]).run():
        pass
    assert not (tmp_path / "runs").exists()


def test_the_same_key_resumes_and_force_starts_anew(stage):
    leave_unfinished(stage())
    with pytest.raises(KeyboardInterrupt), stage().run() as run:
        assert run.resuming
        assert (run.output(stage().out / "search.jsonl")).read_text() == "half"
        raise KeyboardInterrupt
    with stage(force=True).run() as run:
        assert not run.resuming
        assert not (stage().out / "search.jsonl").exists()


def test_outputs_changed_by_hand_are_not_resumed_from(stage):
    finish(stage())
    (stage().out / "kept.txt").write_text("RULES")
    with stage().run() as run:
        assert not run.resuming
        assert not (stage().out / "kept.txt").exists()


@pytest.mark.parametrize("leave", [finish, leave_unfinished])
def test_another_key_is_refused_with_the_flag_that_overrides(stage, leave):
    leave(stage())
    before = (stage().out / "manifest.json").read_bytes()
    with pytest.raises(StageError, match="--force"), stage(simulations=11).run():
        pass
    assert (stage().out / "manifest.json").read_bytes() == before


def test_what_is_not_as_it_was_is_named_in_the_refusal(stage, source):
    finish(stage())
    with (
        pytest.raises(StageError, match=r"other inputs or options \(simulations\)"),
        stage(simulations=11).run(),
    ):
        pass
    write_text(source, '{"id": "2"}\n')
    with pytest.raises(StageError, match=r"\(train.jsonl, seed\)"), stage(seeds={"seed": 1}).run():
        pass


@pytest.mark.parametrize("leave", [finish, leave_unfinished])
@pytest.mark.parametrize("option", ["force", "replace"])
def test_another_key_that_may_replace_finds_none_of_the_old_files(stage, leave, option):
    leave(stage(), "old.txt")
    (stage().out / "mine.txt").write_text("of a person")
    made = stage(simulations=11, **{option: True})
    with made.run() as run:
        assert not run.resuming
        assert not (made.out / "old.txt").exists()
    assert (made.out / "mine.txt").exists()


def test_replace_resumes_its_own_key(stage):
    leave_unfinished(stage())
    with stage(replace=True).run() as run:
        assert run.resuming


def test_files_of_a_person_and_files_elsewhere_outlive_a_replacement(stage, tmp_path):
    rules, elsewhere = stage().out / "rules.yaml", tmp_path / "elsewhere.txt"
    with stage().run() as run:
        write_text(run.output(rules, editable=True), "edited")
        write_text(run.output(elsewhere), "")
    with stage(simulations=11, force=True).run():
        assert rules.read_text() == "edited"
        assert elsewhere.exists()


def test_the_folder_of_another_stage_is_refused_even_with_force(stage):
    finish(stage())
    with pytest.raises(StageError, match="--out"), Stage("prune", stage().out, force=True).run():
        pass


def test_an_error_is_kept_in_the_manifest_and_raised(stage):
    with pytest.raises(ValueError, match="broken"), stage().run():
        raise ValueError("broken")
    found = read_manifest(stage().out)
    assert (found.status, found.error, found.outputs) == ("error", "ValueError: broken", ())


def test_a_promise_that_is_not_kept_is_no_success(stage):
    with pytest.raises(StageError, match="ended without this output"), stage().run() as run:
        run.output(stage().out / "kept.txt")
    assert read_manifest(stage().out).status == "error"


def test_while_it_works_a_stage_is_no_success(stage):
    finish(stage())
    with stage(simulations=11, force=True).run() as run:
        assert read_manifest(stage().out).status == "started"
        write_text(run.output(stage().out / "kept.txt"), "new")
        assert read_manifest(stage().out).status == "started"
