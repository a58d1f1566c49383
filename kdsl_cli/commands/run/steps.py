"""The steps of ``kdsl run``, in order, and by what each is known to be up to date."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kdsl_cli.commands.workspace.layout import Workspace, current_workspace

if TYPE_CHECKING:
    from kdsl_cli.commands.extract.rule_questions import Questions
    from kdsl_cli.commands.workspace.settings import Settings

LEARNT_FROM = ("train", "val")
"""The splits that are extracted before anything is learnt; the one that is judged comes after."""


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of the chain.

    Attributes
    ----------
    verb
        What would do it alone.
    reads
        Verbs whose outputs it reads.
    do
        Does it, or finds it up to date.
    out
        The folder of its manifest.
    wanted
        Options and seeds that its manifest must show for it to be up to date.
    splits
        Those it must have seen, of a stage that sees several.
    questions
        Of a stage that asks what rules ask, or learns from the answers: reads it from the rule files, as they
        are by then.
    """

    verb: str
    reads: tuple[str, ...]
    do: Callable[[], object]
    out: Path
    wanted: Mapping[str, Any] = field(default_factory=dict)
    splits: tuple[str, ...] = ()
    questions: Callable[[], Questions] | None = None

    @property
    def name(self) -> str:
        """The verb, and of what where it stands in the chain more than once."""
        answers = " (answers)" if self.splits and self.questions else ""
        return f"{self.verb} {', '.join(self.splits)}".rstrip() + answers


def chain(settings: Settings, split: str, *, max_failed: float, force: bool) -> list[Step]:
    """Return the steps of this run's workspace, in order: nothing is judged on what was learnt from.

    `kdsl run` owns the folders of the stages: what other options left there is replaced.
    """
    from kdsl_cli.commands.extract.extract import extract
    from kdsl_cli.evidence.ocr import engine_id

    space = current_workspace()
    how = {"force": force, "replace": True}
    engine = {"engine": engine_id(settings.extract.max_side)}

    def see(*splits: str) -> Step:
        do = partial(extract, settings, splits, max_failed=max_failed, **how)
        return Step("extract", ("data split",), do, space.evidence_out, engine, splits)

    drawn = tuple(name for name in LEARNT_FROM if space.split_dialogues(name).is_file())
    steps = [see(*(drawn or LEARNT_FROM)), *_learning(settings, space, how)]
    if split not in LEARNT_FROM:
        steps.append(see(split))
    if settings.small.model is not None:
        steps.append(_asking(settings, space, split, how))
    return [*steps, *_judging(settings, space, split, how)]


def _learning(settings: Settings, space: Workspace, how: Mapping[str, bool]) -> list[Step]:
    from kdsl_cli.commands.extract.rule_questions import questions_in
    from kdsl_cli.commands.mine.export import export
    from kdsl_cli.commands.mine.mine import mine, shaping_options
    from kdsl_cli.commands.mine.prune import prune
    from kdsl_cli.commands.train.train import LINEAR, train_large
    from kdsl_cli.commands.train.train import shaping_options as shaping_training

    mined, pruned = shaping_options(settings), settings.prune.resolved()
    known = ("extract", "mine-rules", "export-rules")
    trained = {**shaping_training(settings), "train": settings.train.seed}
    heard = partial(questions_in, space.rules_out) if settings.train.large == LINEAR else None
    return [
        Step("mine-rules", ("extract",), partial(mine, settings, **how), space.mine_out, mined),
        Step("prune-rules", ("mine-rules",), partial(prune, settings, **how), space.prune_out, pruned),
        Step("export-rules", ("prune-rules",), partial(export, settings, None, **how), space.export_out),
        Step(
            "train-large", known, partial(train_large, settings, **how), space.large_out, trained, (), heard
        ),
    ]


def _asking(settings: Settings, space: Workspace, split: str, how: Mapping[str, bool]) -> Step:
    from kdsl_cli.commands.extract.answering import answer_questions
    from kdsl_cli.commands.extract.rule_questions import questions_here
    from kdsl_cli.commands.models.small import shaping

    # Only when the rules are there is it known what they ask.
    ask = partial(answer_questions, settings, (split,), force=how["force"], replace=how["replace"])
    wanted, questions = {"small": shaping(settings.small)}, partial(questions_here, space)
    return Step("extract", ("export-rules",), ask, space.answers_out, wanted, (split,), questions)


def _judging(settings: Settings, space: Workspace, split: str, how: Mapping[str, bool]) -> list[Step]:
    from kdsl_cli.commands.judge.evaluate import evaluate_split
    from kdsl_cli.commands.predict.predict import predict_split
    from kdsl_cli.commands.train.train import LINEAR

    predict = partial(predict_split, split, settings, **how)
    evaluate = partial(evaluate_split, split, settings, **how)
    asked = {} if settings.train.large == LINEAR else {"through": settings.large.through}
    known = ("extract", "prune-rules", "export-rules", "train-large")
    scored = {"bootstrap": settings.eval.bootstrap, "seed": settings.eval.seed}
    return [
        Step("predict", known, predict, space.predict_out(split), {**settings.predict.resolved(), **asked}),
        Step("eval", ("export-rules", "predict"), evaluate, space.eval_out(split), scored),
    ]
