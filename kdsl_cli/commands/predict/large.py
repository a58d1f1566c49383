"""The large model as ``kdsl predict`` asks it: the linear one by facts, a tuned one by dialogues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.models.tuned import Tuned, find_tuned, remembered
from kdsl_cli.errors import StageError

if TYPE_CHECKING:
    from kdsl_cli.commands.extract.rule_questions import Questions
    from kdsl_cli.commands.predict.sources import Source
    from kdsl_cli.commands.workspace.layout import Workspace
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.logic.facts import Facts
    from kdsl_cli.prediction.predict import AskLarge, LargeSide
    from kdsl_cli.prediction.strategies import Floats
    from kdsl_cli.runs.recording import StageRun
    from kdsl_cli.training.linear.model import LinearModels
    from kdsl_cli.training.lora.answers.model import Told

Intents = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class LinearLarge:
    """The linear model: it needs no more than facts, and is asked while rows are made."""

    models: LinearModels
    intents: Intents

    def config(self) -> dict[str, Any]:
        """Return what shapes its answers beside its files and the facts."""
        return {}

    def questions(self) -> Questions:
        """Return the questions whose answers it learnt from."""
        return {task: asked for task, asked in self.models.questions.items() if task in self.intents}

    def side(self, facts: Mapping[str, Facts], run: StageRun) -> LargeSide:
        """Return it ready to be asked."""
        from kdsl_cli.prediction.predict import LargeSide

        return LargeSide({task: self._of_task(task) for task in self.intents})

    def _of_task(self, task: str) -> AskLarge:
        from kdsl_cli.prediction.predict import in_chunks

        def ask(facts: Sequence[Facts]) -> Floats:
            with current_output().progress(f"Asking about {task}", len(facts), "dialogues") as bar:
                return in_chunks(lambda some: self.models.scores(task, some), bar.advance)(facts)

        return ask


@dataclass(frozen=True, slots=True)
class TunedLarge:
    """A tuned model: it is shown the dialogues themselves, and asked before rows are made."""

    tuned: Tuned
    intents: Intents
    source: Source
    settings: Settings
    space: Workspace

    def config(self) -> dict[str, Any]:
        """Return what shapes its answers beside its files and the facts: who answers, and what is shown."""
        from kdsl_cli.dialogues.pictures import relative
        from kdsl_cli.evidence.extract import find_pictures
        from kdsl_cli.runs.hashing import sha256_json

        digests = find_pictures(self.source.dialogues, self.source.root).digests
        shown = sorted([relative(path, self.source.root), digest] for path, digest in digests.items())
        return {"through": self.settings.large.through, "shown": sha256_json(shown)}

    def questions(self) -> Questions:
        """Return no questions: it is shown the pictures themselves."""
        return {}

    def side(self, facts: Mapping[str, Facts], run: StageRun) -> LargeSide:
        """Ask it about every dialogue of a task it knows.

        Raises
        ------
        StageError
            If the model at hand is not the one that was trained, or prompts are not those of its training.
        BackendError
            If it can answer nothing at all.
        """
        from kdsl_cli.prediction.predict import LargeSide
        from kdsl_cli.training.lora.answers.model import TunedModel
        from kdsl_cli.training.lora.samples.samples import view_of

        record = self.tuned.record
        pictures = view_of(self.source.dialogues, self.source.root, described=record.described).pictures
        asked = [one for one in self.source.dialogues if one.task in self.intents and one.id in facts]
        told: dict[str, Told] = {}
        with (
            remembered(self.tuned, self.settings.large, self.space) as backend,
            current_output().progress("Asking the large model", len(asked), "dialogues") as bar,
        ):
            model = TunedModel(record, backend, pictures.__getitem__)
            for task in self.intents:
                some = [one for one in asked if one.task == task]
                notes = self._notes(task, [facts[one.id] for one in some])
                answers = model.told(task, some, notes, bar.advance)
                told |= {one.id: answer for one, answer in zip(some, answers, strict=True)}
            methods = {id: str(one.method) for id, one in told.items() if one.method}
            run.extra["large"] = {
                "model": dict(backend.identity),
                "calls": backend.tally.calls,
                "known": backend.tally.cached,
                "methods": dict(Counter(methods.values())),
            }
        run.warnings.extend(_lesser(methods))
        failed = {id: f"the large model: {one.error}" for id, one in told.items() if one.error}
        return LargeSide({task: _looked_up(told) for task in self.intents}, failed, methods)

    def _notes(self, task: str, facts: Sequence[Facts]) -> dict[str, tuple[str, ...]]:
        """Return what the rules that the model was trained with say of dialogues, by id."""
        from kdsl_cli.logic.codec import loads
        from kdsl_cli.training.lora.answers.record import MODEL
        from kdsl_cli.training.lora.samples.noting import notes

        text = self.tuned.record.task(task).rules
        if not text:
            return {}
        rules = loads(text, self.tuned.folder / MODEL).rules
        unasked = [replace(fact, answers={}) for fact in facts]  # as in training
        return {fact.id: own for fact, own in zip(facts, notes(rules, unasked), strict=True)}


def find_large(
    folder: Path, intents: Intents, source: Source, settings: Settings, space: Workspace
) -> LinearLarge | TunedLarge | None:
    """Return the large model of a folder; None where the strategy has no use for what asking it costs.

    Parameters
    ----------
    intents
        What the catalogue says; the model's must be the same, in the same order.

    Raises
    ------
    StageError
        If the model is not whole, or of another catalogue.
    """
    tuned = find_tuned(folder)
    if tuned is not None:
        known = _known(tuned.record.intents, intents, folder)
        if settings.predict.strategy == "rules":
            current_output().note("large model: not asked, the rules decide alone")
            return None
        return TunedLarge(tuned, known, source, settings, space)
    from kdsl_cli.training.linear.storage import load

    models = load(folder)
    return LinearLarge(models, _known(models.intents, intents, folder))


def _known(model: Intents, intents: Intents, folder: Path) -> dict[str, tuple[str, ...]]:
    from kdsl_cli.prediction.outoffold import difference

    known = {task: names for task, names in model.items() if task in intents}
    for task, names in known.items():
        if told := difference(task, names, intents[task]):
            raise StageError(told, where=str(folder), fix="Run: kdsl train-large --force")
    return known


def _looked_up(told: Mapping[str, Told]) -> AskLarge:
    def ask(facts: Sequence[Facts]) -> Floats:
        import numpy as np

        return np.array([told[fact.id].probabilities for fact in facts], dtype=np.float64)

    return ask


def _lesser(methods: Mapping[str, str]) -> Iterable[str]:
    """Yield a sentence for each way of asking that tells less than the one the model was calibrated by."""
    for method, count in sorted(Counter(methods.values()).items()):
        if method != "likelihood":
            yield (
                f"{count} answers of the large model were got by '{method}', not by likelihood: its "
                "temperature and its weight beside the rules were learnt from likelihoods"
            )
