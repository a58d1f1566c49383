"""The whole of a tuning: an adapter of all samples, and scores of each sample by one that had not seen it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from kdsl_cli.dialogues.folds import fold_numbers
from kdsl_cli.runs.atomic import write_json
from kdsl_cli.training.lora.answers.calibrating import Held
from kdsl_cli.training.lora.answers.model import TunedModel
from kdsl_cli.training.lora.samples.lengths import Length
from kdsl_cli.training.lora.samples.samples import Sample
from kdsl_cli.training.lora.steps.loop import Loop
from kdsl_cli.training.lora.steps.trainings import Fitted, Training
from kdsl_cli.training.lora.steps.validating import VALIDATION, by_task, held_out, overall

CHECKPOINTS: Final = "checkpoints"

ALL: Final = "all"
"""The training on all samples, whose weights are kept."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is learnt, and what is only scored.

    Attributes
    ----------
    samples
        Labelled; one may stand twice, with a reason and without.
    lengths
        Of `samples`, one each.
    val
        Labelled; scored, to stop by and to choose the best weights by. May be empty.
    folds
        Parts for scores out of fold. 0: there will be none.
    folder
        Of the run; what is to go on from lies below it until all is done.
    """

    samples: Sequence[Sample]
    lengths: Sequence[Length]
    val: Sequence[Sample]
    folds: int
    folder: Path

    def trainings(self, seed: int) -> Iterator[tuple[Training, tuple[Sample, ...]]]:
        """Yield each training with the samples that it holds out; the one on all samples comes last.

        Groups and the two forms of a sample with a reason stay together.
        """
        single = {sample.id: sample for sample in self.samples if not sample.reason}
        labels = [f"{sample.task}\0{sample.right.name}" for sample in single.values()]
        groups = [sample.dialogue.group for sample in single.values()]
        if self.folds:
            numbers = fold_numbers(labels, groups, self.folds, seed)
            fold_of = dict(zip(single, numbers.tolist(), strict=True))
            for fold in range(self.folds):
                held = tuple(one for id, one in single.items() if fold_of[id] == fold)
                learnt = [place for place, one in enumerate(self.samples) if fold_of[one.id] != fold]
                if held and learnt:
                    yield self._training(f"fold-{fold}", learnt), held
        yield self._training(ALL, range(len(self.samples))), ()

    def _training(self, name: str, places: Sequence[int]) -> Training:
        samples = tuple(self.samples[place] for place in places)
        lengths = tuple(self.lengths[place].total for place in places)
        return Training(name, samples, lengths, self.folder / CHECKPOINTS / f"{name}.pt")


@dataclass(frozen=True, slots=True)
class Tuned:
    """What came of it; the weights are in the loop's model.

    Attributes
    ----------
    fitted
        How each training ended, by its name.
    out_of_fold
        Each sample, scored by a model that had not seen it. Empty without folds.
    val
        The validation split, scored by the model that is kept.
    """

    fitted: dict[str, Fitted]
    out_of_fold: tuple[Held, ...]
    val: tuple[Held, ...]


def tune(
    loop: Loop, model: TunedModel, work: Work, scoring: Callable[[str, int], None] = lambda what, n: None
) -> Tuned:
    """Train on each part and on all of it, from the beginning or from where an earlier run stopped.

    Parameters
    ----------
    loop
        Takes the steps.
    model
        The model in training, as it is asked.
    work
        What is learnt and what is scored.
    scoring
        Told what is scored next, and how many samples that are.

    Raises
    ------
    BackendError
        If memory does not suffice, or a sample cannot be scored.
    KeyboardInterrupt
        If a stop was asked for; the same call goes on from there.
    """

    def scored(samples: Sequence[Sample], what: str, fold: int) -> list[Held]:
        scoring(what, len(samples))
        return held_out(model, loop.adapted, samples, fold, loop.world)

    def judge() -> tuple[float, float]:
        return overall(by_task(scored(work.val, "val", VALIDATION), model.intents, {}).values())

    fitted: dict[str, Fitted] = {}
    out_of_fold: list[Held] = []
    for training, held in work.trainings(loop.seed):
        path = training.checkpoint.with_suffix(".json")
        known = loop.world.told(_read(path, loop.adapted.initial_hash) if loop.world.first else None)
        if known is None:
            fitted[training.name] = loop.fit(training, judge if work.val else None)
            known = scored(held, training.name, int(training.name.partition("-")[2] or 0)) if held else []
            if held and loop.world.first:
                _write(path, loop.adapted.initial_hash, known)
                training.checkpoint.unlink(missing_ok=True)
        out_of_fold += known
    val = scored(work.val, "val", VALIDATION) if work.val else []
    return Tuned(fitted, tuple(sorted(out_of_fold, key=lambda one: one.id)), tuple(val))


def _write(path: Path, begun: str, held: Sequence[Held]) -> None:
    write_json(path, {"begun": begun, "held": [asdict(one) for one in held]})


def _read(path: Path, begun: str) -> list[Held] | None:
    """Return what a fold that is done scored; None if it is not, or began otherwise."""
    if not path.is_file():
        return None
    found = json.loads(path.read_text("utf-8"))
    if found["begun"] != begun:
        return None
    return [Held(**{**one, "logprobs": tuple(one["logprobs"])}) for one in found["held"]]
