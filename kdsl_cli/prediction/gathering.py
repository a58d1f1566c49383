"""What a decision stands on: rule files, the large model, and what both said out of fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kdsl_cli.errors import RuleFileError, StageError
from kdsl_cli.logic.codec import load_rules
from kdsl_cli.logic.rule import RuleBase
from kdsl_cli.prediction.outoffold import Intents, Joined, join, read_out_of_fold
from kdsl_cli.runs.inputs import require_success
from kdsl_cli.runs.manifest import read_manifest

OUT_OF_FOLD = "oof.parquet"

_PRUNE, _TRAIN = "kdsl prune-rules", "kdsl train-large"


@dataclass(frozen=True, slots=True)
class Gathered:
    """Whom to ask, and from which files.

    Attributes
    ----------
    rules
        By task; a task without a rule file is not in it.
    rule_files, large_files
        What shapes the answers of either side.
    large
        Folder of the large model. None: there is none.
    out_of_fold
        Of the rules and of the large model. None: there is nothing to learn weights from.
    unlearnt
        Why there is not, if the strategy asks for weights.
    """

    rules: Mapping[str, RuleBase]
    rule_files: tuple[Path, ...]
    large: Path | None
    large_files: tuple[Path, ...]
    out_of_fold: tuple[Path, Path] | None = None
    unlearnt: str | None = None


def gather(strategy: str, intents: Intents, *, rules: Path, large: Path, pruned: Path | None) -> Gathered:
    """Find and check what `strategy` needs.

    Parameters
    ----------
    rules
        Folder of rule files, ``TASK.yaml``.
    large
        Folder of the stage that trained the large model.
    pruned
        Folder of the stage that the rules came from. None: they came from elsewhere.

    Raises
    ------
    RuleFileError
        If a rule file is wrong, or of another task.
    StageError
        If the large model is not there or not whole, though the strategy asks it.
    """
    files = {task: path for task in intents if (path := rules / f"{task}.yaml").is_file()}
    bases = {task: _rules(path, task, intents[task]) for task, path in files.items()}
    model_files = _model_files(large, optional=strategy == "rules")
    both, unlearnt = _out_of_fold(pruned, large) if strategy == "log-odds" else (None, None)
    model = None if model_files is None else large
    return Gathered(bases, tuple(files.values()), model, model_files or (), both, unlearnt)


def learnt_on(gathered: Gathered, intents: Intents, labels: Mapping[str, str]) -> dict[str, Joined]:
    """Return, for each task, what both sides said of training dialogues out of fold; empty without files.

    Parameters
    ----------
    labels
        Intent of each training dialogue, by id.

    Raises
    ------
    StageError
        If a file is not whole or its intents are not the catalogue's, in its order.
    """
    if gathered.out_of_fold is None:
        return {}
    of_rules, of_large = gathered.out_of_fold
    said = read_out_of_fold(of_rules, intents, command=_PRUNE)
    scored = read_out_of_fold(of_large, intents, command=_TRAIN)
    return {task: join(said, scored, labels, task, names) for task, names in intents.items()}


def _rules(path: Path, task: str, intents: tuple[str, ...]) -> RuleBase:
    base = load_rules(path, intents=intents)
    if base.task != task:
        raise RuleFileError(
            f"the rules are for the task '{base.task}'",
            where=str(path),
            allowed=f'task: "{task}", as the file is called',
        )
    return base


def _model_files(large: Path, *, optional: bool) -> tuple[Path, ...] | None:
    made = read_manifest(large)
    if optional and (made is None or made.status != "success"):
        return None
    if made is None:
        raise StageError(
            "there is no large model",
            where=str(large),
            fix=f"Run: {_TRAIN}, or let the rules decide alone: kdsl predict --strategy rules",
        )
    made = require_success(large, command=_TRAIN)
    return tuple(large / record.path for record in made.outputs)


def _out_of_fold(pruned: Path | None, large: Path) -> tuple[tuple[Path, Path] | None, str | None]:
    if pruned is None:
        return None, "these rules have no out-of-fold scores"
    for folder in (pruned, large):
        path = folder / OUT_OF_FOLD
        if not path.is_file():
            return None, f"there is no {path}"
    require_success(pruned, command=_PRUNE, only=[OUT_OF_FOLD])
    require_success(large, command=_TRAIN, only=[OUT_OF_FOLD])
    return (pruned / OUT_OF_FOLD, large / OUT_OF_FOLD), None
