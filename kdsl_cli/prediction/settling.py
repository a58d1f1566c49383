"""Before anything is decided: which strategy a task gets, and with which weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kdsl_cli.errors import StageError, did_you_mean
from kdsl_cli.prediction.arbiter import STRATEGIES, usable
from kdsl_cli.prediction.gathering import Gathered, learnt_on
from kdsl_cli.prediction.outoffold import Intents, Joined
from kdsl_cli.prediction.strategies import Weights
from kdsl_cli.prediction.weighing import Losses, learn_weights, losses

AS_THEY_COME = Weights()


@dataclass(frozen=True, slots=True)
class Settled:
    """How one task is decided.

    Attributes
    ----------
    strategy
        The one that is used, which may be a fallback.
    weights
        For log-odds.
    override_precision
        For rules-first, 0 to 1.
    learnt_from
        Dialogues that the weights were learnt from; 0: they were not learnt.
    losses
        On these dialogues. None without them.
    notes
        Where this is not what was asked for, and why.
    """

    strategy: str
    weights: Weights = AS_THEY_COME
    override_precision: float = 0.9
    learnt_from: int = 0
    losses: Losses | None = None
    notes: tuple[str, ...] = ()

    def record(self, intents: Sequence[str]) -> dict[str, Any]:
        """Return it as plain JSON values, the intercepts by intent; `intents` in the catalogue's order."""
        told = asdict(self)
        told["weights"]["intercepts"] = dict(zip(intents, self.weights.intercepts, strict=False))
        return told


def settle(
    strategy: str,
    task: str,
    *,
    rules: bool,
    large: bool,
    joined: Joined | None = None,
    unlearnt: str | None = None,
    override_precision: float = 0.9,
) -> Settled:
    """Choose the strategy of a task and, for log-odds, learn the weights out of fold.

    Without anything to learn from both sides count as they come: the weights are 1 and 1, without intercepts.

    Parameters
    ----------
    strategy
        What was asked for.
    rules, large
        Whether the task has active rules, and a large model that knows it.
    joined
        What to learn from.
    unlearnt
        Why there is nothing to learn from, for the note. None: the sides have no dialogue in common.

    Raises
    ------
    StageError
        If the strategy is not known, or cannot be used and has no fallback.

    Examples
    --------
    >>> settle("log-odds", "image-scene", rules=False, large=True).notes
    ('image-scene has no rules: the large model decides alone',)
    """
    if strategy not in STRATEGIES:
        fix = did_you_mean(strategy, STRATEGIES)
        raise StageError(f"unknown strategy '{strategy}'", allowed=", ".join(STRATEGIES), fix=fix)
    used = usable(strategy, rules=rules, large=large)
    if used is None:
        raise StageError(
            f"{task} has no large model that knows it, and the strategy '{strategy}' needs one",
            fix="Run: kdsl train-large, or kdsl predict --strategy rules",
        )
    notes = []
    if not rules and strategy != "large":
        then = "the large model decides alone" if used == "large" else "every dialogue of it is an abstention"
        notes.append(f"{task} has no rules: {then}")
    if used == "rules" != strategy:
        notes.append(f"{task}: the large model does not know it, the rules decide alone")
    if used != "log-odds":
        return Settled(used, override_precision=override_precision, notes=tuple(notes))
    if joined is None or not len(joined):
        reason = unlearnt or "no dialogue has out-of-fold scores of both sides"
        notes.append(f"{task}: {reason}, so both sides count as they come")
        return Settled(used, override_precision=override_precision, notes=tuple(notes))
    weights = learn_weights(joined.rules, joined.large, joined.truth)
    loss = losses(joined.rules, joined.large, joined.truth, weights)
    return Settled(used, weights, override_precision, len(joined), loss, tuple(notes))


def settle_all(
    strategy: str,
    intents: Intents,
    gathered: Gathered,
    labels: Mapping[str, str],
    *,
    large: Collection[str],
    override_precision: float = 0.9,
) -> dict[str, Settled]:
    """Settle every task of the catalogue.

    Parameters
    ----------
    labels
        Intent of each training dialogue, by id.
    large
        Tasks that the large model knows.

    Raises
    ------
    StageError
        As `settle`, or if the out-of-fold files are not whole or of another catalogue.
    """
    joined = learnt_on(gathered, intents, labels)
    return {
        task: settle(
            strategy,
            task,
            rules=task in gathered.rules and bool(gathered.rules[task].active),
            large=task in large,
            joined=joined.get(task),
            unlearnt=gathered.unlearnt,
            override_precision=override_precision,
        )
        for task in intents
    }
