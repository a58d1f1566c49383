"""``kdsl eval --cv``: the whole chain on every fold of what may be learnt from; the test split stays shut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl_cli.commands.console import current_argv, current_output
from kdsl_cli.commands.extract.training_data import load_seed_rules, load_training_data
from kdsl_cli.commands.judge.chain import Chain
from kdsl_cli.commands.workspace.layout import Workspace, current_workspace
from kdsl_cli.errors import ConfigError

if TYPE_CHECKING:
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.dialogues.schema import Dialogue
    from kdsl_cli.evidence.labelled import Labelled
    from kdsl_cli.prediction.table import PredictionTable
    from kdsl_cli.reporting.cross_validation import CrossValidation, Fold
    from kdsl_cli.runs.stage import Stage

LEARNT_FROM = ("train", "val")
"""Splits that are parted into folds, as far as they are there and hold labelled dialogues."""


def cross_validated(
    settings: Settings, *, n_folds: int, n_seeds: int, force: bool = False
) -> CrossValidation:
    """Run the chain on the folds of ``n_seeds`` partings and score what it says of the held-out parts.

    Each fold is on the disk before the next begins; the same command goes on from there.

    Raises
    ------
    KdslError
        If an input is missing, wrong or leaks, or the large model is one that no fold can train.
    """
    from kdsl_cli.evidence.workers import cores
    from kdsl_cli.reporting.cross_validation import cross_validate
    from kdsl_cli.runs.atomic import write_parquet

    _refuse_tuned(settings)
    space = current_workspace()
    present = _present(space)
    parts = [load_training_data(space, settings, split) for split in present]
    tasks = _joined([part.tasks for part in parts], space)
    seeds = load_seed_rules(space, settings.mine.seed_rules, parts[0].catalogue)
    dialogues = _dialogues(space, present)
    chain = Chain(tasks, dialogues, seeds, settings, settings.mine.workers or cores())
    inputs = dict.fromkeys(file for part in parts for file in part.files)
    stage = _stage(space, settings, [*inputs], n_folds, n_seeds, force)
    folds = list(_folds(tasks, n_folds, n_seeds))
    output = current_output()
    if alone := _counting_alone(settings, space):
        output.warn(alone)
    if stage.up_to_date():
        output.note(f"{stage.out}: up to date")
        kept = {_key(fold): _file(stage.out, fold) for fold in folds}
        return cross_validate(folds, lambda fold: _read(kept[_key(fold)]), **_intervals(settings))
    with stage.run() as run, output.progress("Cross-validating", len(folds), "folds") as bar:
        outs = {_key(fold): run.output(_file(stage.out, fold)) for fold in folds}

        def judge(fold: Fold) -> PredictionTable:
            path = outs[_key(fold)]
            done = run.resuming and path.is_file()
            table = _read(path) if done else _write(path, chain, fold)
            bar.advance()
            return table

        found = cross_validate(folds, judge, **_intervals(settings))
        if alone:
            run.warn(alone)
        for name in ("summary", "per_seed", "per_fold"):
            write_parquet(run.output(stage.out / f"{name}.parquet"), getattr(found, name))
        run.count(total=len(folds), ok=len(folds))
    return found


def _refuse_tuned(settings: Settings) -> None:
    """Do nothing if folds train the large model that the settings name.

    Raises
    ------
    ConfigError
        If it is one that is tuned: hours a fold, and figures of the linear model in its place would not be
        its own.
    """
    if settings.train.large != "linear":
        raise ConfigError(
            f"no fold tunes '{settings.train.large}'",
            where="train.large",
            allowed="linear",
            fix="A tuned model is scored out of fold by kdsl train-large, and on a split by kdsl eval; for "
            "the chain with the linear model: KDSL_TRAIN_LARGE=linear kdsl eval --cv 5",
        )


def _counting_alone(settings: Settings, space: Workspace) -> str | None:
    """Return a sentence if the rules of the workspace owe something to a small model, which no fold asks.

    What the model invented was invented in view of labels that a fold holds out. To be honest it would have
    to be asked anew, all of it, for each fold.
    """
    if settings.small.model is None and not space.mined_answers.is_file():
        return None
    return (
        "folds are mined by counting alone: the small model is not asked, and what it invented in view of "
        "all labels is not used, so these figures are those of the chain without questions"
    )


def _present(space: Workspace) -> list[str]:
    """Return the splits to part into folds: train, and val if it was drawn and has dialogues."""
    from kdsl_cli.dialogues.splits import Splits

    ids = Splits.load(space.splits).ids if space.splits.is_file() else {}
    return [name for name in LEARNT_FROM if name == "train" or ids.get(name)]


def _stage(
    space: Workspace, settings: Settings, inputs: Sequence[Path], n_folds: int, n_seeds: int, force: bool
) -> Stage:
    from kdsl_cli.runs.stage import Stage

    config = {name: getattr(settings, name).resolved() for name in ("mine", "prune", "train", "predict")}
    return Stage(
        "cross-validate",
        space.eval_out("cv"),
        config={**config, "folds": n_folds, "seeds": n_seeds, "bootstrap": settings.eval.bootstrap},
        inputs=[*inputs, *(space.path(name) for name in settings.mine.seed_rules)],
        seeds={"eval": settings.eval.seed},
        argv=current_argv(),
        force=force,
    )


def _joined(parts: Sequence[Sequence[Labelled]], space: Workspace) -> tuple[Labelled, ...]:
    """Return one sample a task over all splits; dialogues that hang together form one group."""
    from kdsl_cli.dialogues.duplicates import components
    from kdsl_cli.dialogues.splits import Splits

    together = components(Splits.load(space.splits).fingerprints)
    group = {id: f"{place}" for place, ids in enumerate(together) for id in ids}
    return tuple(
        replace(
            same[0],
            ids=tuple(id for one in same for id in one.ids),
            dialogues=tuple(dialogue for one in same for dialogue in one.dialogues),
            labels=tuple(label for one in same for label in one.labels),
            groups=tuple(group[id] for one in same for id in one.ids),
        )
        for same in zip(*parts, strict=True)
    )


def _dialogues(space: Workspace, splits: Sequence[str]) -> Mapping[str, Dialogue]:
    from kdsl_cli.dialogues.splits import load_split

    return {one.id: one for split in splits for one in load_split(space.data, split)}


def _folds(tasks: Sequence[Labelled], n_folds: int, n_seeds: int) -> Iterator[Fold]:
    """Yield the folds of every seed; a fold holds out a part of every task."""
    from kdsl_cli.dialogues.folds import fold_numbers
    from kdsl_cli.reporting.cross_validation import Fold

    for seed in range(n_seeds):
        numbers = [(task, fold_numbers(task.labels, task.groups, n_folds, seed)) for task in tasks]
        for number in range(n_folds):
            ids = [
                id
                for task, folds in numbers
                for id, fold in zip(task.ids, folds.tolist(), strict=True)
                if fold == number
            ]
            yield Fold(seed, number, tuple(ids))


def _key(fold: Fold) -> tuple[int, int]:
    return fold.seed, fold.number


def _file(out: Path, fold: Fold) -> Path:
    return out / f"seed{fold.seed}-fold{fold.number}.parquet"


def _read(path: Path) -> PredictionTable:
    from kdsl_cli.prediction.table import read_predictions

    return read_predictions(path)


def _write(path: Path, chain: Chain, fold: Fold) -> PredictionTable:
    from kdsl_cli.prediction.table import write_predictions

    intents = {task.task.name: task.task.names for task in chain.tasks}
    return write_predictions(path, chain.predict(frozenset(fold.ids)), intents)


def _intervals(settings: Settings) -> dict[str, int]:
    return {"seed": settings.eval.seed, "resamples": settings.eval.bootstrap}
