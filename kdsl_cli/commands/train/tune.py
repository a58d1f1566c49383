"""A tuned model's training as a stage: ``kdsl train-large --large local:PATH_OR_ID``."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from kdsl_cli.commands.console import current_argv, current_output, set_output
from kdsl_cli.commands.train.progress import Unheard, shown
from kdsl_cli.commands.workspace.layout import current_workspace

if TYPE_CHECKING:
    from pathlib import Path

    from kdsl_cli.commands.train.setup import Setup
    from kdsl_cli.commands.train.tuning_data import TuningData
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.runs.recording import StageRun
    from kdsl_cli.runs.signals import Stop
    from kdsl_cli.runs.stage import Stage
    from kdsl_cli.training.lora.steps.processes import World
    from kdsl_cli.training.lora.steps.tuning import Tuned

JOURNAL: Final = "metrics.jsonl"

_HEARD = "stopping after this step, a checkpoint is saved; Ctrl-C again stops at once"


def tune_large(settings: Settings, *, force: bool = False, replace: bool = False) -> Path | None:
    """Do the stage `train` of this run's workspace, or say that it is up to date; return its folder.

    Of several processes (``accelerate launch``) the first one alone reads and writes the folder and talks;
    None is what the others return.

    Raises
    ------
    KdslError
        If an input is missing, wrong or leaks, the model cannot be loaded, or memory does not suffice.
    KeyboardInterrupt
        If it was stopped; the same command goes on from there.
    """
    from kdsl_cli.training.lora.steps.processes import World

    world = World.current()
    if not world.first:
        set_output(Unheard())
    data = tuning_data(settings)
    stage = _stage(settings, data, force=force, replace=replace)
    if world.told(stage.up_to_date() if world.first else False):
        current_output().note(f"{stage.out}: up to date")
    elif settings.train.adopt:
        _adopt(stage, settings, data, world)
    else:
        _tune(stage, settings, data, world)
    return stage.out if world.first else None


def tuning_data(settings: Settings) -> TuningData:
    """Open what is learnt and what is scored, as the options say."""
    from kdsl_cli.commands.train.tuning_data import load_tuning_data

    space, options = current_workspace(), settings.train
    return load_tuning_data(
        space,
        settings,
        described=options.described,
        noted=options.rules,
        reasons=space.path(options.reasons) if options.reasons else None,
    )


def shaping_options(settings: Settings) -> dict[str, Any]:
    """Return the options that shape the model, for its stage's key."""
    from kdsl_cli.commands.train.setup import lora_settings

    options = settings.train
    own = ("adopt", "described", "rules", "reasons", "on_long", "folds")
    data = {name: getattr(options, name) for name in own}
    tuning = lora_settings(options).resolved()
    shaping = {name: value for name, value in tuning.items() if not name.startswith("checkpoint_")}
    return {"large": options.large, **shaping, **data}


def _stage(settings: Settings, data: TuningData, *, force: bool, replace: bool) -> Stage:
    from kdsl_cli.commands.train.adopt import adopted_files
    from kdsl_cli.runs.hashing import sha256_json
    from kdsl_cli.runs.stage import Stage

    pictures = sha256_json({name: picture.sha256 for name, picture in data.view.pictures.items()})
    return Stage(
        "train",
        current_workspace().large_out,
        config={**shaping_options(settings), "pictures": pictures},
        config_given=settings.train.given(),
        inputs=[*data.files, *adopted_files(settings)],
        seeds={"train": settings.train.seed},
        argv=current_argv(),
        force=force,
        replace=replace,
    )


def _tune(stage: Stage, settings: Settings, data: TuningData, world: World) -> None:
    from kdsl_cli.commands.train.prepare import prepare
    from kdsl_cli.runs.signals import StopFile, stopping
    from kdsl_cli.training.lora.steps.tuning import tune

    output = current_output()
    if world.first:
        stage.check()
    with ExitStack() as stack:
        heard = stopping(StopFile(stage.out / "stop"), on_request=lambda: output.note(_HEARD))
        stop: Stop = stack.enter_context(heard)
        setup = prepare(settings, data, stage.out / JOURNAL, world, stop)
        # What was tuned before is given up once there is a model to tune, and samples that fit it.
        run = stack.enter_context(stage.run()) if world.first else None
        if run:
            _clear(stage.out, run)
        world.told(None)  # the others wait until the folder is theirs to read
        setup.announce(settings.train.preset)
        with shown(setup.loop, setup.work) as (loop, scoring):
            tuned = tune(loop, setup.model, setup.work, scoring)
        if run:
            _keep(run, setup, tuned, data)


def _adopt(stage: Stage, settings: Settings, data: TuningData, world: World) -> None:
    from kdsl_cli.commands.train.adopt import adopt

    if world.first:
        with stage.run() as run:
            adopt(run, settings, data)


def _clear(out: Path, run: StageRun) -> None:
    """Remove what an earlier run was going on from, unless this one goes on from it."""
    from kdsl_cli.training.lora.steps.tuning import CHECKPOINTS

    if not run.resuming:
        shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
        (out / JOURNAL).unlink(missing_ok=True)
    run.output(out / JOURNAL)


def _keep(run: StageRun, setup: Setup, tuned: Tuned, data: TuningData) -> None:
    """Write what came of it; what there was to go on from is removed last."""
    from kdsl_cli.runs.outoffold import write_out_of_fold
    from kdsl_cli.training.lora.answers.calibrating import out_of_fold, temperatures
    from kdsl_cli.training.lora.answers.record import ADAPTER, MODEL, adapter_hash, save
    from kdsl_cli.training.lora.steps.tuning import CHECKPOINTS

    out = run.folder
    adapter, model = run.output(out / ADAPTER), run.output(out / MODEL)
    shutil.rmtree(adapter, ignore_errors=True)
    setup.loop.adapted.save(adapter, setup.identity["model"])
    learnt = temperatures(tuned.out_of_fold or tuned.val)
    record = setup.record.model_copy(update={"adapter": adapter_hash(adapter)}).at(learnt)
    save(model.parent, record)
    if tuned.out_of_fold:
        rows = out_of_fold(tuned.out_of_fold)
        write_out_of_fold(run.output(out / "oof.parquet"), rows, record.intents)
    _metrics(out, run)
    run.warnings.extend(setup.warnings())
    run.extra |= {"tasks": _tasks(setup, tuned, learnt), "unlabelled": list(data.unlabelled)}
    run.extra |= setup.told() | {"adapter": record.adapter}
    n_learnt = len({sample.id for sample in setup.work.samples})
    left_out = len(data.train) - n_learnt + len(data.unlabelled)
    run.count(total=n_learnt + left_out, ok=n_learnt, skipped=left_out)
    shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)


def _metrics(out: Path, run: StageRun) -> None:
    """Write the steps of the training that was kept as a table; those of the folds stay in the journal."""
    import polars as pl

    from kdsl_cli.runs.atomic import write_parquet
    from kdsl_cli.training.lora.steps.tuning import ALL

    frame = pl.read_ndjson(out / JOURNAL, infer_schema_length=None)
    kept = frame.filter(pl.col("training") == ALL).with_columns(
        pl.col("val_weighted_f1", "val_log_loss").cast(pl.Float64)
    )
    write_parquet(run.output(out / "metrics.parquet"), kept.drop("training"))


def _tasks(setup: Setup, tuned: Tuned, temperatures: dict[str, float]) -> list[dict[str, Any]]:
    from kdsl_cli.training.lora.steps.validating import by_task

    intents = setup.record.intents
    own, val = (by_task(held, intents, temperatures) for held in (tuned.out_of_fold, tuned.val))
    labelled = {(sample.task, sample.right.name) for sample in setup.work.samples}
    return [
        {
            "task": task,
            "intents": len(names),
            "without_sample": [name for name in names if (task, name) not in labelled],
            "temperature": temperatures.get(task, 1.0),
            "out_of_fold": asdict(own[task]) if task in own else None,
            "val": asdict(val[task]) if task in val else None,
        }
        for task, names in intents.items()
    ]
