"""``kdsl prune-rules``: of the rules found, keep and weigh the few that pay for themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kdsl_cli.commands.console import current_argv, current_output
from kdsl_cli.commands.extract.training_data import load_training_data, mined_answers
from kdsl_cli.commands.workspace.layout import Workspace, current_workspace

if TYPE_CHECKING:
    from kdsl_cli.commands.workspace.settings import PruneSettings as PruneOptions
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.logic.rule import RuleBase
    from kdsl_cli.mining.pruning import PruneSettings
    from kdsl_cli.runs.manifest import Manifest
    from kdsl_cli.runs.recording import StageRun
    from kdsl_cli.runs.stage import Stage


def command(
    cap_per_intent: Annotated[
        int | None, typer.Option(help="Mined rules kept for one intent, at most.", show_default=False)
    ] = None,
    lasso: Annotated[
        float | None,
        typer.Option(help="What a mined rule must add before it gets weight.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Prune anew, whatever the folder holds.")] = False,
) -> None:
    """Drop rules and predicates that do not pay for themselves, and weigh the rest out of fold."""
    from kdsl_cli.commands.workspace.settings_sources import current_settings

    prune(
        current_settings({"prune.cap_per_intent": cap_per_intent, "prune.lasso": lasso}),
        force=force,
    )


def prune(settings: Settings, *, force: bool = False, replace: bool = False) -> None:
    """Do the stage `prune` of the current workspace, or say that it is up to date.

    Raises
    ------
    KdslError
        If the miner's files or the training split are missing, not whole or changed.
    """
    from kdsl_cli.runs.inputs import require_success
    from kdsl_cli.runs.stage import Stage

    space = current_workspace()
    files = [space.candidates, space.mined_sample]
    mined = require_success(space.mine_out, command="kdsl mine-rules", only=[path.name for path in files])
    check_same_data(space, mined)
    stage = Stage(
        "prune",
        space.prune_out,
        config=settings.prune.resolved(),
        config_given=settings.prune.given(),
        inputs=[*files, *mined_answers(space), space.evidence("train")],
        argv=current_argv(),
        force=force,
        replace=replace,
    )
    if stage.up_to_date():
        current_output().note("up to date")
    else:
        _work(space, settings, stage, run_name=f"mine-{mined.key[:8]}", seed=settings.mine.seed)
    _report(space)


def check_same_data(space: Workspace, mined: Manifest) -> None:
    """Do nothing if the training split and its evidence are still those that the rules were found in.

    Raises
    ------
    StageError
        If one changed: which dialogues a rule fires on would be another's.
    """
    from kdsl_cli.errors import StageError
    from kdsl_cli.runs.hashing import sha256_path

    then = {(space.mine_out / record.path).resolve(): record.sha256 for record in mined.inputs}
    for path in (space.split_dialogues("train"), space.evidence("train")):
        if path.is_file() and then.get(path.resolve()) != sha256_path(path):
            fix = "Run: kdsl mine-rules --force"
            raise StageError("is not what the rules were found in any more", where=str(path), fix=fix)


def prune_settings(options: PruneOptions) -> PruneSettings:
    """Return the options of the settings file as the pruner takes them."""
    from kdsl_cli.mining.pruning import PruneSettings

    return PruneSettings(
        cap=options.cap_per_intent,
        ridge=options.ridge,
        seed_ridge=options.seed_ridge,
        seed_scale=options.seed_scale,
        lasso=options.lasso,
    )


def _work(space: Workspace, settings: Settings, stage: Stage, *, run_name: str, seed: int) -> None:
    from kdsl_cli.mining.keeping import as_base, write_kept
    from kdsl_cli.mining.learning import kept_and_out_of_fold
    from kdsl_cli.mining.table import read_findings
    from kdsl_cli.runs.outoffold import write_out_of_fold

    data = load_training_data(space, settings, answered=True)
    facts = {one.task.name: one for one in data.tasks}
    findings = read_findings(space.candidates, space.mined_sample)
    output = current_output()
    bases: list[RuleBase] = []
    rows: list[tuple[str, str, int, Sequence[float] | None]] = []
    with stage.run() as run, output.progress("Pruning rules", len(findings), "tasks") as bar:
        kept_file, oof_file = run.output(space.kept), run.output(space.pruned_out_of_fold)
        for one in findings:
            pruned, judged = kept_and_out_of_fold(
                one, facts[one.task].dialogues, prune_settings(settings.prune)
            )
            bases.append(as_base(one.task, pruned, one.sample, one.ids, run=run_name, seed=seed))
            rows += [(id, one.task, fold, scores) for id, fold, scores in judged]
            _remember(run, one.task, dict(pruned.steps))
            bar.advance()
        intents = {one.task: one.sample.intents for one in findings}
        write_kept(kept_file, bases, intents)
        write_out_of_fold(oof_file, rows, intents)
        run.count(total=sum(len(one.runs[-1]) for one in findings), ok=sum(len(base.rules) for base in bases))


def _remember(run: StageRun, task: str, steps: Mapping[str, int]) -> None:
    run.extra.setdefault("steps", {})[task] = dict(steps)


def _report(space: Workspace) -> None:
    from kdsl_cli.runs.manifest import read_manifest

    manifest = read_manifest(space.prune_out)
    assert manifest is not None  # the stage succeeded, or was found to have
    steps: Mapping[str, Mapping[str, int]] = manifest.extra.get("steps", {})
    lines = [
        f"{task}: {count['found']} rules before, {count['kept']} after  ({_told(count)})"
        for task, count in steps.items()
    ]
    data: dict[str, Any] = {"steps": steps, "file": str(space.kept)}
    current_output().result("\n".join(lines), data, [str(space.kept)])


def _told(count: Mapping[str, int]) -> str:
    same = count["found"] - count["distinct"]
    idle = count["distinct"] - count["useful"]
    over = count["useful"] - count["capped"]
    light = count["capped"] - count["kept"]
    return f"-{same} said the same, -{idle} added nothing, -{over} over the cap, -{light} too light"
