"""``kdsl train-large --large local:...`` by the program's own door: what it leaves, how it goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import polars as pl
import pytest

from kdsl_cli.commands.app import run
from kdsl_cli.runs.appendlog import read_log
from kdsl_cli.runs.manifest import read_manifest
from tests.backends.local.conftest import checkpoint  # noqa: F401 - a fixture of these tests too
from tests.commands.planted import copied, write
from tests.conftest import ROOT, environment

pytestmark = pytest.mark.local

SETTINGS = """\
extract: {workers: 1}
train: {max_pixels: 12544, max_length: 512, micro_batch: 8, checkpointing: false, dropout: 0.0, epochs: 1,
        batch: 16, learning_rate: 0.003, folds: 0, described: false, checkpoint_steps: 1}
eval: {bootstrap: 50}
"""


@pytest.fixture(scope="module")
def parted(tmp_path_factory):
    space = tmp_path_factory.mktemp("parted") / "space"
    write(space)
    (space / "kdsl.yaml").write_text(SETTINGS)
    assert run(["data", "split", "-q", "--config-file", str(space / "kdsl.yaml")]) == 0
    return space


@pytest.fixture
def space(parted, tmp_path, monkeypatch, quiet_environment):
    (copied(parted, tmp_path) / "data/test.jsonl").unlink()  # nobody may need it
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tune(model, *more):
    return run(["train-large", "--large", f"local:{model}", *more])


def left(space):
    """Return what a run left, manifests apart."""
    out = space / "runs/large"
    files = [path for path in sorted(out.rglob("*")) if path.is_file() and path.name != "manifest.json"]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files if path.name[0] != "."}


@pytest.mark.slow
def test_adapter_record_scores_and_metrics_are_left_and_nothing_to_go_on_from(space, checkpoint, capsys):
    assert tune(checkpoint, "--folds", "2", "--json") == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    names = {path.name for path in (space / "runs/large").iterdir() if path.name[0] != "."}
    outputs = {"adapter", "metrics.jsonl", "metrics.parquet", "model.json", "oof.parquet"}
    assert names == outputs | {"manifest.json"}
    assert [row["task"] for row in told["tasks"]] == ["talk", "mood"]
    assert all(row["out_of_fold"]["n"] and row["val"]["n"] for row in told["tasks"])
    record = json.loads((space / "runs/large/model.json").read_text("utf-8"))
    assert (record["kind"], record["quant"], record["base"]) == ("lora", "nf4", f"local:{checkpoint}")
    assert record["settings"]["rank"] == 16 and record["adapter_init"] == told["adapter_init"]
    train = [json.loads(line) for line in (space / "data/train.jsonl").read_text("utf-8").splitlines()]
    scores = pl.read_parquet(space / "runs/large/oof.parquet")
    assert scores["id"].to_list() == sorted(row["id"] for row in train) and set(scores["fold"]) == {0, 1}
    metrics = pl.read_parquet(space / "runs/large/metrics.parquet")
    assert metrics["step"].to_list() == list(range(1, metrics.height + 1))
    assert metrics["val_weighted_f1"].drop_nulls().len() == 1
    assert "preset 24g: method lora, quant nf4" in said.err and "memory: about" in said.err
    assert "min left, less where a training ends early" in said.err  # told after ten steps
    assert "loss is on" in said.err and "<|im_end|>" in said.err
    manifest = read_manifest(space / "runs/large")
    assert manifest.counts.ok == len(train) and manifest.config["micro_batch"] == 8
    assert tune(checkpoint, "--folds", "2") == 0
    assert "up to date" in capsys.readouterr().err


@pytest.mark.slow
def test_no_batch_holds_a_dialogue_of_val_or_of_the_fold_that_is_held_out(space, checkpoint, monkeypatch):
    from kdsl_cli.training.lora.steps.objectives import Answers

    def ids(split):
        lines = (space / f"data/{split}.jsonl").read_text("utf-8").splitlines()
        return {json.loads(line)["id"] for line in lines}

    batch, learnt = Answers.batch, []

    def seen(self, samples):
        learnt.append({sample.id for sample in samples})
        return batch(self, samples)

    monkeypatch.setattr(Answers, "batch", seen)  # appends to the list there is now
    assert tune(checkpoint, "--folds", "2") == 0
    assert set.union(*learnt) == ids("train") and not set.union(*learnt) & ids("val")
    scores = pl.read_parquet(space / "runs/large/oof.parquet")
    steps = read_log(space / "runs/large/metrics.jsonl")
    for fold in (0, 1):
        own = [row["samples"] for row in steps if row["training"] == f"fold-{fold}"]
        n_batches = sum(-(-n // 8) for n in own)
        assert not set.union(*learnt[:n_batches]) & set(scores.filter(fold=fold)["id"])
        learnt = learnt[n_batches:]


def started(space, model):
    """Begin, in a process of its own, what the fixture `whole` came to the end of."""
    words = ["-m", "kdsl_cli", "train-large", "--large", f"local:{model}", "--epochs", "2"]
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.DEVNULL, "text": True}
    return subprocess.Popen([sys.executable, *words], cwd=space, env=environment(), **pipes)


@pytest.fixture(scope="module")
def whole(parted, checkpoint, tmp_path_factory):
    space = copied(parted, tmp_path_factory.mktemp("whole"))
    process = started(space, checkpoint)
    process.communicate()
    assert process.returncode == 0
    return space


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_killed_or_stopped_the_same_command_ends_in_the_same_bytes(space, checkpoint, whole, how):
    process, journal = started(space, checkpoint), "runs/large/metrics.jsonl"
    while process.poll() is None and len(read_log(space / journal)) < 3:
        time.sleep(0.02)
    os.kill(process.pid, how)
    _, said = process.communicate()
    assert 3 <= len(read_log(space / journal)) < len(read_log(whole / journal))
    if how == signal.SIGINT:
        assert process.returncode == 130 and "To go on: kdsl train-large --large" in said
    assert (space / "runs/large/checkpoints/all.pt").is_file()
    again = started(space, checkpoint)
    again.communicate()
    assert again.returncode == 0
    assert left(space) == left(whole)


@pytest.mark.slow
def test_what_was_tuned_stays_where_another_tuning_cannot_begin(
    whole, checkpoint, tmp_path, monkeypatch, quiet_environment
):
    monkeypatch.chdir(copied(whole, tmp_path))
    before = left(tmp_path)
    assert tune("nowhere", "--force") == 2
    assert tune(checkpoint, "--max-length", "20", "--force") == 2
    assert left(tmp_path) == before
    assert read_manifest(tmp_path / "runs/large").status == "success"


@pytest.mark.slow
def test_two_processes_end_where_one_does_and_the_second_is_silent(space, checkpoint, tmp_path_factory):
    both = copied(space, tmp_path_factory.mktemp("both"))
    tuning = ["-m", "kdsl_cli", "train-large", "--large", f"local:{checkpoint}"]
    launch = "accelerate.commands.launch --multi_gpu --num_processes 2 --num_machines 1 --main_process_port 0"
    more = "--mixed_precision no --dynamo_backend no"
    done = [
        subprocess.run(
            [sys.executable, *words],
            cwd=where,
            env=environment(OMP_NUM_THREADS="1"),
            capture_output=True,
            text=True,
        )
        for where, words in ((space, tuning), (both, ["-m", *launch.split(), *more.split(), *tuning]))
    ]
    assert [one.returncode for one in done] == [0, 0], done[-1].stderr
    assert done[0].stdout == done[1].stdout and done[1].stderr.count("preset 24g") == 1
    assert read_manifest(both / "runs/large").extra["processes"] == 2
    one, two = (read_log(where / "runs/large/metrics.jsonl") for where in (space, both))
    for mine, theirs in zip(one, two, strict=True):
        exact = {"step", "epoch", "samples", "tokens", "learning_rate"}
        assert {name: mine[name] for name in exact} == {name: theirs[name] for name in exact}
        assert theirs["loss"] == pytest.approx(mine["loss"], rel=1e-3)
    from safetensors.torch import load_file

    file = "runs/large/adapter/adapter_model.safetensors"
    weights, others = load_file(space / file), load_file(both / file)
    assert all(weights[name].numpy() == pytest.approx(others[name].numpy(), abs=1e-3) for name in weights)


@pytest.mark.slow
def test_a_dry_run_tells_all_and_writes_nothing(space, checkpoint, capsys):
    assert tune(checkpoint, "--dry-run", "--json") == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert told["trained_span"]["text"] in said.err and told["settings"]["quant"] == "nf4"
    assert told["lengths"] and told["seconds_a_step"] > 0 and told["estimated_gib"] > 0
    assert not (space / "runs").exists()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["head", "prompt"])
def test_other_methods_leave_a_model_of_their_kind(space, checkpoint, method):
    assert tune(checkpoint, f"--{method}", "--learning-rate", "0.01") == 0
    record = json.loads((space / "runs/large/model.json").read_text("utf-8"))
    assert record["kind"] == method
    assert (space / "runs/large/adapter/head.safetensors").is_file() == (method == "head")


@pytest.mark.slow
def test_a_sample_that_is_too_long_is_named_and_never_cut(space, checkpoint, capsys):
    assert tune(checkpoint, "--max-length", "20") == 2
    said = capsys.readouterr().err
    train = [json.loads(line) for line in (space / "data/train.jsonl").read_text("utf-8").splitlines()]
    assert all(f"error: {row['id']}: " in said for row in train) and "--on-long drop" in said


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--head", "--full"], "--head and --full are different ways to tune"),
        (["--preset", "25g"], "train.preset is '25g'"),
        (["--folds", "1"], "folds must be 0, or 2 or more"),
        (["--large", "linear", "--dry-run"], "--dry-run: comes with --large local:PATH_OR_ID"),
        (["--large", "local:no/such/model"], "no/such/model: there is no such folder"),
    ],
)
def test_what_does_not_go_together_is_told_before_anything_is_loaded(space, capsys, more, told):
    assert tune("nowhere", *more) == 2
    assert told in capsys.readouterr().err


def test_an_adapter_is_not_tuned_on(space, checkpoint, capsys):
    assert tune(f"{checkpoint}+{space}") == 2
    assert "a model is tuned from its own weights, without an adapter in them" in capsys.readouterr().err


def test_the_fsdp_file_of_the_docs_is_one_that_accelerate_takes(tmp_path):
    from accelerate.commands.config.config_args import load_config_from_file
    from transformers.models.qwen2_vl import modeling_qwen2_vl

    page = (ROOT / "docs/tuning.md").read_text("utf-8")
    (tmp_path / "fsdp.yaml").write_text(page.partition("```yaml\n")[2].partition("```")[0])
    found = load_config_from_file(str(tmp_path / "fsdp.yaml"))
    assert str(found.distributed_type).endswith("FSDP")
    assert hasattr(modeling_qwen2_vl, found.fsdp_config["fsdp_transformer_layer_cls_to_wrap"])
