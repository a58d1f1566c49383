"""Dialogues and their facts become rows of `predictions.parquet`; what cannot be decided is a failed row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kdsl_cli.dialogues.schema import Dialogue
from kdsl_cli.errors import DatasetError, Problem, StageError, did_you_mean
from kdsl_cli.logic.facts import Facts
from kdsl_cli.logic.firing import firing_matrix
from kdsl_cli.logic.rule import RuleBase
from kdsl_cli.prediction.arbiter import Sides, decide
from kdsl_cli.prediction.settling import Settled
from kdsl_cli.prediction.strategies import Floats, by_rules, rules_side
from kdsl_cli.prediction.table import Prediction

AskLarge = Callable[[Sequence[Facts]], Floats]
"""From the facts of n dialogues of a task to (n, k) probabilities, in the catalogue's order."""


@dataclass(frozen=True, slots=True)
class LargeSide:
    """The large model, ready to be asked.

    Attributes
    ----------
    ask
        By task, as far as it knows the task.
    failed
        Dialogue id to why the model has no answer to it: `ask` is not asked about these.
    methods
        Dialogue id to how the model was asked, where there is more than one way.
    """

    ask: Mapping[str, AskLarge] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    methods: Mapping[str, str] = field(default_factory=dict)


def sort_out(
    dialogues: Iterable[Dialogue],
    facts: Mapping[str, Facts],
    intents: Mapping[str, tuple[str, ...]],
    *,
    without_evidence: str,
) -> tuple[dict[str, list[Dialogue]], dict[str, str]]:
    """Part dialogues that can be decided, by task in the catalogue's order, from those that cannot.

    Parameters
    ----------
    facts
        By dialogue id; one that is not in it has no evidence.
    intents
        Task to its intents.
    without_evidence
        What to say of a dialogue without evidence.

    Returns
    -------
    by_task
        Tasks without such dialogues are not in it.
    failed
        Dialogue id to what is wrong.

    Raises
    ------
    DatasetError
        If a label is no intent of its task: a score against it would mean nothing.
    """
    by_task: dict[str, list[Dialogue]] = {task: [] for task in intents}
    failed: dict[str, str] = {}
    problems = []
    for dialogue in dialogues:
        known = intents.get(dialogue.task)
        if known is None:
            near = did_you_mean(dialogue.task, intents)
            failed[dialogue.id] = f"unknown task '{dialogue.task}'. {near or ''}".rstrip()
            continue
        if dialogue.label is not None and dialogue.label not in known:
            what = f"unknown label '{dialogue.label}' of '{dialogue.task}'"
            problems.append(Problem(dialogue.id, what, ", ".join(known), did_you_mean(dialogue.label, known)))
        if dialogue.id not in facts:
            failed[dialogue.id] = without_evidence
        else:
            by_task[dialogue.task].append(dialogue)
    if problems:
        raise DatasetError(problems)
    return {task: ready for task, ready in by_task.items() if ready}, failed


def predict_task(
    dialogues: Sequence[Dialogue],
    facts: Sequence[Facts],
    intents: tuple[str, ...],
    *,
    split: str,
    rules: RuleBase,
    large: AskLarge | None,
    settled: Settled,
) -> list[Prediction]:
    """Decide on dialogues of one task; both sides are asked, whatever the strategy, so that they compare.

    Parameters
    ----------
    dialogues, facts
        Of the same dialogues, in the same order.
    intents
        The task's, in the catalogue's order.
    split
        What the rows say they are of.
    rules
        Of the task; disabled ones are passed over.
    large
        None: the large model does not know the task.
    settled
        How to decide.

    Raises
    ------
    StageError
        If the large model does not answer with probabilities of that many dialogues and intents.
    """
    if not dialogues:
        return []
    active = rules.active
    firing = firing_matrix(active, facts)
    side = rules_side(rules, intents, firing)
    answered = None if large is None else _checked(large(facts), len(facts), len(intents), dialogues[0].task)
    decisions = decide(
        settled.strategy,
        Sides(intents, side, answered),
        weights=settled.weights,
        override_precision=settled.override_precision,
    )
    alone = by_rules(side)
    rows = []
    for row, (dialogue, decision) in enumerate(zip(dialogues, decisions, strict=True)):
        silent = bool(side.silent[row])
        rows.append(
            Prediction(
                id=dialogue.id,
                task=dialogue.task,
                split=split,
                group=dialogue.group,
                label=dialogue.label,
                prediction=decision.prediction,
                scores=decision.scores,
                fired=tuple(rule.id for rule, fires in zip(active, firing[row], strict=True) if fires == 1),
                strategy=decision.strategy,
                rules_prediction=None if silent else intents[alone.choice[row]],
                rules_scores=None if silent else tuple(map(float, alone.scores[row])),
                large_prediction=None if answered is None else intents[int(answered[row].argmax())],
                large_scores=None if answered is None else tuple(map(float, answered[row])),
                decided_by=decision.decided_by,
            )
        )
    return rows


def predict_all(
    dialogues: Sequence[Dialogue],
    facts: Mapping[str, Facts],
    intents: Mapping[str, tuple[str, ...]],
    *,
    split: str,
    rules: Mapping[str, RuleBase],
    large: LargeSide,
    settled: Mapping[str, Settled],
    without_evidence: str,
) -> list[Prediction]:
    """Decide on dialogues of all tasks: one row each, those that cannot be decided included.

    Parameters
    ----------
    facts, intents, without_evidence
        As in `sort_out`.
    split
        What the rows say they are of.
    rules, settled
        By task; a task may be without rules, and need not be settled if it has no dialogue.
    large
        A dialogue that it has no answer to is a failed row: the rules' word alone would be another decision
        than that of its neighbours.

    Raises
    ------
    DatasetError, StageError
        As `sort_out` and `predict_task`.
    """
    by_task, failed = sort_out(dialogues, facts, intents, without_evidence=without_evidence)
    failed = {**large.failed, **failed}
    rows = [
        replace(row, large_method=large.methods.get(row.id))
        for task, known in by_task.items()
        if (ready := [one for one in known if one.id not in failed])
        for row in predict_task(
            ready,
            [facts[one.id] for one in ready],
            intents[task],
            split=split,
            rules=rules.get(task, RuleBase(task)),
            large=large.ask.get(task),
            settled=settled[task],
        )
    ]
    return rows + [_failed_row(one, split, failed[one.id]) for one in dialogues if one.id in failed]


def in_chunks(ask: AskLarge, advance: Callable[[float], None], size: int = 32) -> AskLarge:
    """Ask about `size` dialogues at a time, and say after each time how many: some models are slow."""

    def asked(facts: Sequence[Facts]) -> Floats:
        parts = []
        for start in range(0, len(facts), size):
            parts.append(ask(facts[start : start + size]))
            advance(len(parts[-1]))
        return np.concatenate(parts)

    return asked


def _failed_row(dialogue: Dialogue, split: str, error: str) -> Prediction:
    return Prediction(
        id=dialogue.id,
        task=dialogue.task,
        split=split,
        group=dialogue.group,
        label=dialogue.label,
        prediction=None,
        scores=None,
        fired=(),
        strategy="none",
        error=error,
    )


def _checked(scores: Floats, n: int, k: int, task: str) -> Floats:
    found = np.asarray(scores, dtype=np.float64)
    if found.shape != (n, k):
        raise StageError(
            f"the large model gave {found.shape} scores for {n} dialogues and {k} intents of {task}",
            fix="Train it again: kdsl train-large",
        )
    if not (np.isfinite(found).all() and (found >= 0).all() and np.allclose(found.sum(axis=1), 1, atol=1e-4)):
        raise StageError(
            f"the large model's scores for {task} are no probabilities",
            fix="Train it again: kdsl train-large",
        )
    return np.minimum(found, 1.0)
