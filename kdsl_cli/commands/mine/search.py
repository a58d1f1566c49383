"""The searches of ``kdsl mine-rules``: prepared, gone on with after a stop, finished and written."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.extract.training_data import TrainingData
from kdsl_cli.commands.mine.proposing import Asking, opened
from kdsl_cli.commands.mine.seeding import answers_for, informed
from kdsl_cli.commands.workspace.layout import Workspace
from kdsl_cli.errors import StageError

if TYPE_CHECKING:
    from kdsl_cli.commands.workspace.settings import MineSettings, Settings
    from kdsl_cli.evidence.labelled import Labelled
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


@dataclass(frozen=True, slots=True)
class Search:
    """All searches of one run of the stage.

    Attributes
    ----------
    space, settings
        Where, and how.
    data
        What rules are searched in.
    seeds
        Rules by task that were there before.
    """

    space: Workspace
    settings: Settings
    data: TrainingData
    seeds: Mapping[str, Sequence[Rule]]

    def do(self, stage: Stage) -> None:
        """Search every intent of every task, and write what was found.

        Raises
        ------
        KeyboardInterrupt
            If it was stopped: what is done is on the disk, and the same command goes on.
        """
        from kdsl_cli.mining.table import write_findings
        from kdsl_cli.runs.appendlog import AppendLog
        from kdsl_cli.runs.signals import StopFile, stopping

        output, stop_file = current_output(), self._stop_file
        minutes = self.settings.mine.minutes
        deadline = None if minutes is None else time.monotonic() + 60 * minutes
        stage.check()
        # What was mined before is given up once there is a model to mine with.
        with opened(self.settings, self.space, deadline) as asking, stage.run() as run:
            candidates, sample = run.output(self.space.candidates), run.output(self.space.mined_sample)
            log_path = run.output(self.space.search_log)
            if asking is not None:
                asking.answers = answers_for(self.seeds, self.data.tasks, asking.shown, asking.backend)
                log_path.unlink(missing_ok=True)  # begun anew: what the model said before costs nothing
            tasks = [self._prepared(labelled, asking, run) for labelled in self.data.labelled]
            done, logs = _resumed(log_path, tasks) if run.resuming else ({}, {})
            ask = "stopping after the intents in work; Ctrl-C again stops at once"
            with (
                AppendLog(log_path) as log,
                stopping(StopFile(stop_file), on_request=lambda: output.note(ask)) as stop,
                run.phase("search"),
            ):
                late = self._search(tasks, asking, done, logs, log, lambda: stop.requested, deadline)
            findings = [self._finished(one, done, run, late) for one in tasks]
            write_findings(candidates, sample, findings)
            if asking is not None:
                asking.keep(run, self.space)
            run.count(total=len(done), ok=len(done))
            run.extra["noise"] = {one.labelled.task.name: asdict(one.campaign.noise) for one in tasks}

    @property
    def _stop_file(self) -> Path:
        return self.space.mine_out / "stop"

    def _prepared(self, labelled: Labelled, asking: Asking | None, run: StageRun) -> Prepared:
        from kdsl_cli.mining.learning import prepare

        options = self.settings.mine
        with run.phase("prepare"):
            return prepare(
                labelled if asking is None else informed(labelled, asking.answers),
                self.seeds.get(labelled.task.name, ()),
                search_settings(options),
                folds=options.folds,
                permutations=options.permutations,
                stop_file=self._stop_file,
            )

    def _search(
        self,
        tasks: Sequence[Prepared],
        asking: Asking | None,
        done: dict[tuple[str, Unit], Mined],
        logs: Mapping[str, Logs],
        log: AppendLog,
        stop: Callable[[], bool],
        deadline: float | None,
    ) -> set[str]:
        """Search every unit that is not done; what comes back is on the disk before the next is looked at.

        Each task in turn has an equal part of the time that is left; those are returned whose time was up.
        """
        from kdsl_cli.backends.budget import Budget
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
        started, simulations, late = time.monotonic(), 0, set[str]()
        with output.progress("Searching rules", sum(map(len, todo.values())), "searches") as bar:
            for place, one in enumerate(tasks, 1):
                name = one.labelled.task.name
                joined = one if asking is None else asking.joined(one, len(tasks) - place)
                turn = Budget(deadline=deadline).share(1 + len(tasks) - place)
                campaign = replace(joined.campaign, deadline=turn.deadline)
                units = run_campaign(
                    campaign,
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
                late |= {name} if campaign.late else set()
        return late

    def _finished(
        self, one: Prepared, done: Mapping[tuple[str, Unit], Mined], run: StageRun, late: Collection[str]
    ) -> Findings:
        """Return what a task's searches found; unless its time was up, they must all have come to their end.

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
        if short and name not in late:
            current_output().note(f"stopped with {len(short)} searches of {name} to go; the rest is saved")
            raise KeyboardInterrupt
        if short:
            run.warn(f"time was up with {len(short)} of {len(units)} searches of {name} unfinished")
        mined = {unit: done.get((name, unit), Mined((), 0, complete=False)) for unit in units}
        return Findings(name, one.labelled.ids, one.campaign.sample, gathered(one, mined))


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
