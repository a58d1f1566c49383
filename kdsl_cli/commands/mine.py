"""``kdsl mine-rules``: search rules for every intent, by Monte-Carlo tree search over what training shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kdsl_cli.commands.console import current_argv, current_output
from kdsl_cli.commands.proposing import key_of, opened, told
from kdsl_cli.commands.training_data import TrainingData, load_seed_rules, load_training_data
from kdsl_cli.commands.workspace import Workspace, current_workspace
from kdsl_cli.errors import StageError

if TYPE_CHECKING:
    from kdsl_cli.commands.settings import MineSettings, Settings
    from kdsl_cli.logic.rule import Rule
    from kdsl_cli.mining.campaign import Unit
    from kdsl_cli.mining.learning import Prepared
    from kdsl_cli.mining.miner import Mined
    from kdsl_cli.mining.search_settings import SearchSettings
    from kdsl_cli.mining.table import Findings
    from kdsl_cli.runs.appendlog import AppendLog
    from kdsl_cli.runs.recording import StageRun
    from kdsl_cli.runs.stage import Stage

Logs = dict["Unit", Sequence[Mapping[str, Any]]]


def command(
    seed_rules: Annotated[
        list[str] | None,
        typer.Option(help="Rule file that competes as drafts; may be repeated.", show_default=False),
    ] = None,
    simulations: Annotated[
        int | None, typer.Option(help="Search steps for one intent, at most.", show_default=False)
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Minutes for all intents, at most.", show_default=False)
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(help="Steps without a better rule before a round ends.", show_default=False),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Same seed and data, same rules.", show_default=False)
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Intents searched at once.", show_default=False)] = None,
    small: Annotated[
        str | None,
        typer.Option(help="Model that proposes too: local:PATH, http:URL#MODEL ...", show_default=False),
    ] = None,
    proposer: Annotated[
        str | None, typer.Option(help="statistical, model or mixed.", show_default=False)
    ] = None,
    max_calls: Annotated[
        int | None, typer.Option(help="Answers of the model, at most.", show_default=False)
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(help="Tokens of the model, at most.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Mine anew, whatever the folder holds.")] = False,
) -> None:
    """Search rules for every intent in the training split; Ctrl-C saves, the same command goes on."""
    from kdsl_cli.commands.settings_sources import current_settings

    given: dict[str, Any] = {
        "mine.seed_rules": seed_rules or None,
        "mine.simulations": simulations,
        "mine.minutes": minutes,
        "mine.patience": patience,
        "mine.seed": seed,
        "mine.workers": workers,
        "mine.proposer": proposer,
        "small.model": small,
        "small.max_calls": max_calls,
        "small.max_tokens": max_tokens,
    }
    mine(current_settings(given), force=force)


def mine(settings: Settings, *, force: bool = False, replace: bool = False) -> None:
    """Do the stage `mine` of the current workspace, or say that it is up to date.

    Raises
    ------
    KdslError
        If an input is missing, wrong or leaks.
    KeyboardInterrupt
        If it was stopped; the finished intents are kept and the same command goes on.
    """
    space = current_workspace()
    data = load_training_data(space, settings)
    seeds = load_seed_rules(space, settings.mine.seed_rules, data.catalogue)
    stage = _stage(space, settings, data, force, replace)
    if stage.up_to_date():
        current_output().note("up to date")
    else:
        _Work(space, settings, data, seeds).do(stage)
    _report(space)


def search_settings(options: MineSettings) -> SearchSettings:
    """Return the options of the settings file as the miner takes them."""
    from kdsl_cli.mining.search_settings import SearchSettings

    return SearchSettings(
        simulations=options.simulations,
        patience=options.patience,
        max_length=options.max_length,
        max_rules=options.max_rules,
        seed=options.seed,
    )


def shaping_options(settings: Settings) -> dict[str, Any]:
    """Return the options that shape what is found, for the stage's key: how many work at once does not."""
    config = {name: value for name, value in settings.mine.resolved().items() if name != "workers"}
    return {**config, **key_of(settings)}


def _stage(space: Workspace, settings: Settings, data: TrainingData, force: bool, replace: bool) -> Stage:
    from kdsl_cli.runs.stage import Stage

    options, config = settings.mine, shaping_options(settings)
    return Stage(
        "mine",
        space.mine_out,
        config=config,
        config_given=options.given(),
        inputs=[*data.files, *(space.path(name) for name in options.seed_rules)],
        seeds={"mine": options.seed},
        argv=current_argv(),
        force=force,
        replace=replace,
    )


@dataclass(frozen=True, slots=True)
class _Work:
    space: Workspace
    settings: Settings
    data: TrainingData
    seeds: Mapping[str, Sequence[Rule]]

    def do(self, stage: Stage) -> None:
        from kdsl_cli.mining.table import write_findings
        from kdsl_cli.runs.appendlog import AppendLog
        from kdsl_cli.runs.signals import StopFile, stopping

        output = current_output()
        stop_file = self.space.mine_out / "stop"
        minutes = self.settings.mine.minutes
        deadline = None if minutes is None else time.monotonic() + 60 * minutes
        with stage.run() as run, opened(self.settings, self.space, deadline) as asking:
            candidates, sample = run.output(self.space.candidates), run.output(self.space.mined_sample)
            log_path = run.output(self.space.search_log)
            tasks = [self._prepared(task.task.name, run, deadline) for task in self.data.tasks if task.labels]
            if asking is not None:
                tasks = [asking.joined(one) for one in tasks]
            if asking is not None:
                log_path.unlink(missing_ok=True)  # begun anew: what the model said before costs nothing
            done, logs = _resumed(log_path, tasks) if run.resuming and asking is None else ({}, {})
            ask = "stopping after the intents in work; Ctrl-C again stops at once"
            with (
                AppendLog(log_path) as log,
                stopping(StopFile(stop_file), on_request=lambda: output.note(ask)) as stop,
                run.phase("search"),
            ):
                self._search(tasks, done, logs, log, lambda: stop.requested or _over(deadline))
            findings = [self._finished(one, done, run, not _over(deadline)) for one in tasks]
            write_findings(candidates, sample, findings)
            if asking is not None:
                asking.keep(run, self.space)
            run.count(total=len(done), ok=len(done))
            run.extra["noise"] = {one.labelled.task.name: asdict(one.campaign.noise) for one in tasks}

    def _prepared(self, task: str, run: StageRun, deadline: float | None) -> Prepared:
        from kdsl_cli.mining.learning import Budget, prepare

        labelled = next(one for one in self.data.tasks if one.task.name == task)
        with run.phase("prepare"):
            return prepare(
                labelled,
                self.seeds.get(task, ()),
                search_settings(self.settings.mine),
                folds=self.settings.mine.folds,
                permutations=self.settings.mine.permutations,
                budget=Budget(deadline, self.space.mine_out / "stop"),
            )

    def _search(
        self,
        tasks: Sequence[Prepared],
        done: dict[tuple[str, Unit], Mined],
        logs: Mapping[str, Logs],
        log: AppendLog,
        stop: Callable[[], bool],
    ) -> None:
        """Search every unit that is not done; what comes back is on the disk before the next is looked at."""
        from kdsl_cli.evidence.workers import cores
        from kdsl_cli.mining.campaign import run_campaign
        from kdsl_cli.mining.table import unit_record

        output = current_output()
        todo = {
            one.labelled.task.name: [
                unit for unit in one.campaign.units() if (one.labelled.task.name, unit) not in done
            ]
            for one in tasks
        }
        started, simulations = time.monotonic(), 0
        with output.progress("Searching rules", sum(map(len, todo.values())), "searches") as bar:
            for one in tasks:
                name = one.labelled.task.name
                units = run_campaign(
                    one.campaign,
                    todo[name],
                    workers=self.settings.mine.workers or cores(),
                    logs=logs.get(name),
                    stop=stop,
                )
                for back in units:
                    log.append(unit_record(name, back, one.labelled.ids))
                    done[name, back.unit] = back.mined
                    simulations += back.mined.simulations
                    rate = simulations / (time.monotonic() - started)
                    bar.advance()
                    bar.say(f"{_best(back.mined)} · {rate:,.0f} simulations/s")

    def _finished(
        self, one: Prepared, done: Mapping[tuple[str, Unit], Mined], run: StageRun, in_time: bool
    ) -> Findings:
        """Return what a task's searches found; with time left, they must all have come to their end.

        Raises
        ------
        KeyboardInterrupt
            If somebody stopped them: the log has what is done, and the same command goes on.
        """
        from kdsl_cli.mining.learning import gathered
        from kdsl_cli.mining.miner import Mined
        from kdsl_cli.mining.table import Findings

        name = one.labelled.task.name
        units = one.campaign.units()
        short = [unit for unit in units if (name, unit) not in done or not done[name, unit].complete]
        if short and in_time:
            current_output().note(f"stopped with {len(short)} searches of {name} to go; the rest is saved")
            raise KeyboardInterrupt
        if short:
            run.warn(f"time was up with {len(short)} of {len(units)} searches of {name} unfinished")
        mined = {unit: done.get((name, unit), Mined((), 0, complete=False)) for unit in units}
        return Findings(name, one.labelled.ids, one.campaign.sample, gathered(one, mined))


def _over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline


def _resumed(path: Path, tasks: Sequence[Prepared]) -> tuple[dict[tuple[str, Unit], Mined], dict[str, Logs]]:
    """Return what an earlier run of the same key had finished, and the events of what it had begun."""
    from kdsl_cli.mining.table import unit_mined
    from kdsl_cli.runs.appendlog import read_log

    done: dict[tuple[str, Unit], Mined] = {}
    logs: dict[str, Logs] = {}
    ids = {one.labelled.task.name: one.labelled.ids for one in tasks}
    for record in read_log(path) if path.is_file() else ():
        task = record["task"]
        if task not in ids:
            raise StageError(f"a search of an unknown task '{task}'", where=str(path), fix="Add --force")
        unit, mined = unit_mined(record, ids[task])
        if mined.complete:
            done[task, unit] = mined
        else:
            begun = logs.setdefault(task, {})
            begun[unit] = [*begun.get(unit, ()), *record["events"]]
    if done:
        current_output().note(f"resuming: {len(done)} searches are done already")
    return done, logs


def _best(mined: Mined) -> str:
    from kdsl_cli.logic.describing import describe

    if not mined.found:
        return "no rule above noise"
    best = max(mined.found, key=lambda one: one.value)
    return f"{best.intent}: {describe(best.condition)} ({best.value:.2f})"


def _report(space: Workspace) -> None:
    from kdsl_cli.mining.campaign import WHOLE
    from kdsl_cli.mining.table import read_findings
    from kdsl_cli.runs.manifest import read_manifest

    manifest = read_manifest(space.mine_out)
    assert manifest is not None  # the stage succeeded, or was found to have
    for text in manifest.warnings:
        current_output().warn(text)
    findings = read_findings(space.candidates, space.mined_sample)
    noise: Mapping[str, Mapping[str, Any]] = manifest.extra.get("noise", {})
    lines, data = [], []
    for one in findings:
        found = [rule for rule in one.runs[WHOLE] if not rule.seed]
        seeds = len(one.runs[WHOLE]) - len(found)
        lines.append(
            f"{one.task}: {len(found)} rules found for {len({rule.intent for rule in found})} of "
            f"{len(one.sample.intents)} intents in {len(one.ids)} dialogues, {seeds} seed rules beside them"
        )
        level = noise.get(one.task, {})
        lines += [f"  {_noise(level)}", *told(manifest.extra, one.task)]
        asked = manifest.extra.get("proposals", {}).get(one.task)
        data.append(
            {"task": one.task, "found": len(found), "seeds": seeds, "noise": level, "proposals": asked}
        )
    current_output().result("\n".join(lines), data, [str(space.candidates)])


def _noise(level: Mapping[str, Any]) -> str:
    threshold, best = level["threshold"], level["best_by_chance"]
    return (
        f"kept from a worth of {threshold:.2f}: there, shuffled labels yield {level['by_chance']:.1f} rules "
        f"an intent and the real ones {level['real']:.1f}; the best by chance reached {best:.2f}"
    )
