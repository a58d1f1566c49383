"""Where things lie in a workspace: the one place that knows the names of its files and folders."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from kdsl_cli.errors import ConfigError

CONFIG_NAME = "kdsl.yaml"

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder with a `kdsl.yaml`. What the settings name instead (dialogues, catalogue) is not here.

    Examples
    --------
    >>> Workspace(Path("shop")).evidence("train").as_posix()
    'shop/runs/evidence/train.parquet'
    """

    root: Path
    config_name: str = CONFIG_NAME

    def path(self, name: str) -> Path:
        """Return the file or folder that the settings call `name`; relative names start from the root."""
        return self.root / name

    @property
    def config(self) -> Path:
        """The settings, a person's to edit."""
        return self.root / self.config_name

    @property
    def catalogue(self) -> Path:
        """The tasks and their intents, unless the settings name another file."""
        return self.root / "intents.yaml"

    @property
    def dialogues(self) -> Path:
        """All dialogues, unless the settings name another file."""
        return self.data / "dialogues.jsonl"

    @property
    def data(self) -> Path:
        """The folder of everything that came from outside."""
        return self.root / "data"

    @property
    def splits(self) -> Path:
        """Which dialogue is in which split."""
        return self.data / "splits.json"

    def split_dialogues(self, split: str) -> Path:
        """Return the file of one split's dialogues: a miner need never open the test split's."""
        return self.data / f"{split}.jsonl"

    @property
    def runs(self) -> Path:
        """The folder that holds one folder a stage; all of it can be made again."""
        return self.root / "runs"

    @property
    def calls(self) -> Path:
        """What models answered, and the log of what asking them cost."""
        return self.runs / "calls.sqlite"

    @property
    def evidence_out(self) -> Path:
        """The folder of the stage `extract`."""
        return self.runs / "evidence"

    def evidence(self, split: str) -> Path:
        """Return the facts of one split's dialogues."""
        return self.evidence_out / f"{split}.parquet"

    @property
    def observations(self) -> Path:
        """The store of what was read in each picture, kept between runs."""
        return self.evidence_out / "observations.jsonl"

    @property
    def answers_out(self) -> Path:
        """The folder of the stage `ask`."""
        return self.runs / "answers"

    def answers(self, split: str) -> Path:
        """Return the small model's answers to the questions that the rules ask of one split's dialogues."""
        return self.answers_out / f"{split}.parquet"

    @property
    def mine_out(self) -> Path:
        """The folder of the stage `mine`."""
        return self.runs / "mine"

    @property
    def candidates(self) -> Path:
        """The rules the search found."""
        return self.mine_out / "candidates.parquet"

    @property
    def search_log(self) -> Path:
        """The steps of the search, to replay or resume from."""
        return self.mine_out / "search.jsonl"

    @property
    def mined_answers(self) -> Path:
        """The small model's answers to the questions that mining asked of training dialogues, if it did."""
        return self.mine_out / "answers.parquet"

    @property
    def prune_out(self) -> Path:
        """The folder of the stage `prune`."""
        return self.runs / "prune"

    @property
    def mined_sample(self) -> Path:
        """On which dialogues they were found, and in which fold each is."""
        return self.mine_out / "sample.parquet"

    @property
    def pruned_out_of_fold(self) -> Path:
        """What rules say of training dialogues that they were not found on."""
        return self.prune_out / "oof.parquet"

    @property
    def kept(self) -> Path:
        """The rules that pay for themselves."""
        return self.prune_out / "kept.parquet"

    @property
    def export_out(self) -> Path:
        """The folder of the stage `export`: what was written into which rule files, which lie elsewhere."""
        return self.runs / "export"

    @property
    def rules_out(self) -> Path:
        """The folder of rule files, a person's to edit."""
        return self.root / "rules"

    def rules(self, task: str) -> Path:
        """Return the rule file of one task."""
        return self.rules_out / f"{task}.yaml"

    @property
    def large_out(self) -> Path:
        """The folder of the stage `train`."""
        return self.runs / "large"

    @property
    def training_metrics(self) -> Path:
        """What was measured while the large model was tuned, if it was one that is tuned."""
        return self.large_out / "metrics.parquet"

    def predict_out(self, split: str) -> Path:
        """Return the folder of the stage `predict` for one split."""
        return self.runs / "predict" / split

    def predictions(self, split: str) -> Path:
        """Return what was decided for one split's dialogues, and why."""
        return self.predict_out(split) / "predictions.parquet"

    def eval_out(self, split: str) -> Path:
        """Return the folder of the stage `eval` for one split."""
        return self.runs / "eval" / split

    def report(self, split: str) -> Path:
        """Return the page on one split's evaluation."""
        return self.eval_out(split) / "report.html"


_config_file: ContextVar[Path | None] = ContextVar("kdsl_config_file", default=None)


def set_config_file(path: Path | None) -> None:
    """Set what ``--config-file`` gave. For `app` and tests."""
    _config_file.set(path)


def find_workspace(start: Path | None = None) -> Workspace | None:
    """Return the workspace that holds `start` (default: the current folder), or None.

    ``--config-file`` wins; else the nearest folder upwards with a `kdsl.yaml`.

    Raises
    ------
    ConfigError
        If ``--config-file`` names a file that is not there.
    """
    given = _config_file.get()
    if given is not None:
        if not given.is_file():
            raise ConfigError("no such file", where=str(given), fix="Check --config-file")
        return Workspace(given.parent, given.name)
    here = Path.cwd() if start is None else start
    for folder in (here, *here.parents):
        if (folder / CONFIG_NAME).is_file():
            return Workspace(_shortest(folder))
    return None


def current_workspace() -> Workspace:
    """Return the workspace of this run.

    Raises
    ------
    ConfigError
        If there is none here or in any folder above.
    """
    found = find_workspace()
    if found is None:
        raise ConfigError(
            f"no {CONFIG_NAME} here or in any folder above",
            where=str(Path.cwd()),
            fix="Run 'kdsl init' to make one, or give --config-file",
        )
    return found


def _shortest(folder: Path) -> Path:
    """Return `folder` as a person here would write it: messages name paths."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder
