"""What a large model is tuned on: the training split, and to stop by the validation split; nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl_cli.commands.workspace.layout import Workspace
from kdsl_cli.errors import DatasetError, Problem, StageError

if TYPE_CHECKING:
    from kdsl_cli.commands.train.rule_notes import Noted
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.dialogues.schema import Dialogue
    from kdsl_cli.logic.rule import RuleBase
    from kdsl_cli.training.lora.samples.samples import Sample, View


@dataclass(frozen=True, slots=True)
class TuningData:
    """Samples of all tasks.

    Attributes
    ----------
    catalogue
        Tasks and intents.
    train, val
        Labelled samples, sorted by id; what is learnt, and what is only scored. `val` is empty where no such
        split was drawn.
    view
        How all of them are shown.
    reasons
        Of samples of `train`, by id (`training.lora.rationales.with_reasons`); empty: none are learnt.
    rules
        By task, those whose firing is told in prompts; empty: none is.
    unlabelled
        Ids of training dialogues without a label: nothing is learnt from them.
    files
        All that this was made of, pictures apart.
    """

    catalogue: Catalogue
    train: tuple[Sample, ...]
    val: tuple[Sample, ...]
    view: View
    reasons: Mapping[str, str]
    rules: Mapping[str, RuleBase]
    unlabelled: tuple[str, ...]
    files: tuple[Path, ...]


def load_tuning_data(
    space: Workspace,
    settings: Settings,
    *,
    described: bool = True,
    noted: bool = False,
    reasons: Path | None = None,
) -> TuningData:
    """Open the training and the validation split once no leak between splits is known.

    Parameters
    ----------
    described
        Whether prompts give the intents' descriptions.
    noted
        Whether prompts tell which rules fire; evidence must have been extracted then.
    reasons
        File of reasons. None: none are learnt.

    Raises
    ------
    LeakError
        If `splits.json` says that the same content stands in two splits.
    StageError
        If the split is not there, or what rules need is not.
    DatasetError
        If no dialogue has a label, a label or task is not in the catalogue, or a file is wrong.
    """
    from kdsl_cli.commands.train.rule_notes import rule_notes
    from kdsl_cli.commands.workspace.splits import picture_root
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.dialogues.splits import check_leaks, load_split
    from kdsl_cli.training.lora.samples.samples import view_of

    paths = {name: space.split_dialogues(name) for name in ("train", "val")}
    for path in (space.splits, paths["train"]):
        if not path.is_file():
            raise StageError("no such file", where=str(path), fix="Run: kdsl data split")
    check_leaks(space.splits)
    catalogue_file = space.path(settings.data.catalogue)
    catalogue = Catalogue.load(catalogue_file)
    present = {name: path for name, path in paths.items() if path.is_file()}
    dialogues = {name: load_split(space.data, name) for name in present}
    told = rule_notes(space, settings, catalogue) if noted else None
    shown = [one for own in dialogues.values() for one in own if one.label is not None]
    train = _samples(dialogues["train"], catalogue, paths["train"], told.train if told else {})
    if not train:
        fix = "Label some dialogues, or run: kdsl data import"
        raise DatasetError("no dialogue has a label", where=str(paths["train"]), fix=fix)
    return TuningData(
        catalogue,
        train,
        _samples(dialogues.get("val", ()), catalogue, paths["val"], told.val if told else {}),
        view_of(shown, picture_root(space, settings), described=described),
        {} if reasons is None else _reasons(reasons, train),
        told.rules if told else {},
        tuple(one.id for one in dialogues["train"] if one.label is None),
        _files([*present.values(), catalogue_file, space.splits], told, reasons),
    )


def _samples(
    dialogues: Iterable[Dialogue],
    catalogue: Catalogue,
    where: Path,
    notes: Mapping[str, tuple[str, ...]],
) -> tuple[Sample, ...]:
    from kdsl_cli.training.lora.samples.samples import sample_of

    samples: list[Sample] = []
    problems: list[Problem] = []
    for one in sorted((one for one in dialogues if one.label is not None), key=lambda one: one.id):
        try:
            samples.append(sample_of(one, catalogue.task(one.task), notes.get(one.id, ())))
        except DatasetError as error:
            problems += [replace(problem, where=f"{where}:{one.id}") for problem in error.problems]
    if problems:
        raise DatasetError(problems)
    return tuple(samples)


def _reasons(path: Path, samples: Iterable[Sample]) -> dict[str, str]:
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.training.lora.samples.rationales import read_reasons

    read = read_reasons(path)
    learnt = {sample.id: read[sample.id] for sample in samples if sample.id in read}
    if others := len(read) - len(learnt):
        current_output().note(f"{path}: {others} reasons are of dialogues that are not learnt, and left out")
    return learnt


def _files(files: Iterable[Path], told: Noted | None, reasons: Path | None) -> tuple[Path, ...]:
    more = [*(told.files if told else ()), *([] if reasons is None else [reasons])]
    return tuple(dict.fromkeys([*files, *more]))
