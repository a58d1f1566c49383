"""The steps of one training: saved as they go, stopped well, and gone on with to the same result."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from kdsl_cli.runs.seeds import child_seed
from kdsl_cli.runs.signals import Stop
from kdsl_cli.training.lora.adapters.adapting import Adapted
from kdsl_cli.training.lora.adapters.memory import explained, peak_gib
from kdsl_cli.training.lora.adapters.settings import LoraSettings
from kdsl_cli.training.lora.samples.augmenting import augment
from kdsl_cli.training.lora.samples.feeding import Draw, Step, groups, prepared
from kdsl_cli.training.lora.steps import checkpoints
from kdsl_cli.training.lora.steps.checkpoints import Best, Checkpoint
from kdsl_cli.training.lora.steps.journal import Journal, Row
from kdsl_cli.training.lora.steps.objectives import Batch, Objective
from kdsl_cli.training.lora.steps.optimising import optimiser, rate
from kdsl_cli.training.lora.steps.processes import World
from kdsl_cli.training.lora.steps.stepping import Taken, take
from kdsl_cli.training.lora.steps.trainings import Fitted, Judge, Told, Training


@dataclass(slots=True)
class _Course:
    """Where a training stands, and when it was saved last."""

    step: int = 0
    best: Best | None = None
    waited: int = 0
    ended: bool = False
    begun: float = field(default_factory=time.perf_counter)
    saved: float = field(default_factory=time.perf_counter)
    samples: int = 0


@dataclass(frozen=True, slots=True)
class Loop:
    """Takes steps.

    Attributes
    ----------
    adapted
        Who learns.
    objective
        What.
    settings, seed
        How.
    journal
        Where each step is written down.
    world
        Together with whom.
    tell
        Is told of each step.
    stop
        Whether somebody asked to stop.
    """

    adapted: Adapted
    objective: Objective
    settings: LoraSettings
    seed: int
    journal: Journal
    world: World = field(default_factory=World)
    tell: Callable[[Told], None] = lambda told: None
    stop: Stop = field(default_factory=Stop)

    def fit(self, training: Training, judge: Judge | None) -> Fitted:
        """Train from the beginning, or from where the checkpoint stands.

        Parameters
        ----------
        judge
            None: there is nothing to judge by, and training never ends early.

        Raises
        ------
        BackendError
            If memory does not suffice; it says what to lower.
        KeyboardInterrupt
            If a stop was asked for; a checkpoint was saved.
        """
        learner = optimiser(self.adapted.learnt.values(), self.settings, self.adapted.model.device.type)
        course = self._begun(training, learner)
        if not course.ended:
            plan = training.steps(self.settings, self.seed)[course.step :]
            with explained(self.settings), closing(self._batches(training, plan)) as batches:
                self._steps(training, plan, batches, learner, course, judge)
            course.ended = True
            self._save(training, learner, course)
        if course.best is not None:
            self.adapted.set(course.best.learnt)
        return Fitted(course.step, course.best)

    def _steps(
        self,
        training: Training,
        plan: Sequence[Step],
        batches: Iterator[Batch],
        learner: Any,
        course: _Course,
        judge: Judge | None,
    ) -> None:
        import torch

        total = course.step + len(plan)
        for step in plan:
            torch.manual_seed(child_seed(self.seed, "step", str(course.step), str(self.world.rank)))
            pace = rate(course.step, total, self.settings)
            taken = take(
                self.adapted,
                self.objective,
                learner,
                islice(batches, len(self._groups(training, step))),
                rate=pace,
                clip=self.settings.clip,
                world=self.world,
                stop=lambda: self.stop.requested,
            )
            course.step += 1
            course.samples += len(step.draws)
            scored = judge() if judge and step.judged else None
            self._note(training, step, taken, pace, scored, course.step)
            self._tell(training, taken, course, total)
            if scored and self._enough(scored, course):
                return
            if taken.stop or self._due(course):
                self._save(training, learner, course)
            if taken.stop:
                raise KeyboardInterrupt

    def _enough(self, scored: tuple[float, float], course: _Course) -> bool:
        """Keep the weights if they are the best so far, and say whether to wait no longer for better ones."""
        score = (scored[0], -scored[1])
        if course.best is None or score > course.best.score:
            course.best, course.waited = Best(course.step, score, self.adapted.state()), 0
        else:
            course.waited += 1
        return self.settings.patience is not None and course.waited >= self.settings.patience

    def _begun(self, training: Training, learner: Any) -> _Course:
        found = checkpoints.load(training.checkpoint, self.adapted.initial_hash)
        if self.world.first:
            self.journal.go_on(training.name, found.step if found else 0)
        if found is None:
            self.adapted.set(self.adapted.initial)
            return _Course()
        self.adapted.set(found.learnt)
        learner.load_state_dict(found.optimiser)
        return _Course(found.step, found.best, found.waited, found.ended)

    def _save(self, training: Training, learner: Any, course: _Course) -> None:
        if self.world.first:
            checkpoint = Checkpoint(
                self.adapted.initial_hash,
                course.step,
                self.adapted.state(),
                learner.state_dict(),
                course.best,
                course.waited,
                course.ended,
            )
            checkpoints.save(training.checkpoint, checkpoint)
        course.saved = time.perf_counter()

    def _due(self, course: _Course) -> bool:
        minutes = (time.perf_counter() - course.saved) / 60
        return (
            course.step % self.settings.checkpoint_steps == 0 or minutes >= self.settings.checkpoint_minutes
        )

    def _groups(self, training: Training, step: Step) -> list[list[Draw]]:
        return groups(self.world.share(step.draws), self.settings.micro_batch, training.lengths)

    def _batches(self, training: Training, plan: Sequence[Step]) -> Generator[Batch, None, None]:
        """Make the batches of all steps, each a little before it is needed."""

        def make(group: Sequence[Draw]) -> Batch:
            shown = self.settings.augmentation
            return self.objective.batch(
                [
                    augment(training.samples[draw.sample], shown, draw.epoch, self.seed, draw.place)
                    for draw in group
                ]
            )

        return prepared((group for step in plan for group in self._groups(training, step)), make)

    def _note(
        self,
        training: Training,
        step: Step,
        taken: Taken,
        pace: float,
        scored: tuple[float, float] | None,
        number: int,
    ) -> None:
        if self.world.first:
            f1, loss = scored or (None, None)
            self.journal.add(
                Row(
                    training.name,
                    number,
                    step.epoch + 1,
                    taken.loss,
                    pace,
                    taken.gradient,
                    len(step.draws),
                    taken.tokens,
                    f1,
                    loss,
                )
            )

    def _tell(self, training: Training, taken: Taken, course: _Course, total: int) -> None:
        seconds = time.perf_counter() - course.begun
        self.tell(
            Told(
                training.name,
                course.step,
                total,
                taken.loss,
                course.samples / seconds,
                peak_gib(self.adapted.model.device.type),
            )
        )
