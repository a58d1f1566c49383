"""Scores of a classifier that may abstain: F1, intervals, lower bounds, paired tests, calibration.

Conventions, the same in every function:

- A prediction of None is an abstention. It counts as wrong: it costs recall, never precision.
- Undefined is None (0 / 0 has no value), not zero. A row that *failed* has no place here at all: the caller
  leaves it out and names it.
- Weighted F1 weighs the intents by how often they occur in the labels. Macro F1 is the plain mean over the
  intents that occur in the labels or in the predictions; an intent that occurs in neither has no F1. Without
  abstentions both equal scikit-learn's ``f1_score`` with ``average="weighted"`` and ``"macro"``.
- Randomness is an argument.

Sources: Wilson (1927); Clopper and Pearson (1934) and, for Jeffreys' prior, Brown, Cai and DasGupta (2001);
Efron and Tibshirani (1993), chapter 13, for the percentile bootstrap; McNemar (1947) with the exact binomial
tail, and Fagerland, Lydersen and Laake (2013) for mid-p; Guo et al. (2017) for the calibration error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, betaincinv, ndtri

from kdsl_cli.tallies import Floats, clusters_of, tally, tally_by_cluster


@dataclass(frozen=True, slots=True)
class IntentScore:
    """How well one intent is told from the others.

    `support`, `predicted` and `correct` count rows labelled so, predicted so, and both. `precision` is
    ``correct / predicted``, `recall` ``correct / support``, `f1` ``2 correct / (support + predicted)``;
    None stands where one would divide by zero.
    """

    intent: str
    support: int
    predicted: int
    correct: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class Interval:
    """A value lies between `low` and `high` with the confidence that was asked for."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Intervals:
    """Bootstrap intervals of the three scores that the tables show."""

    accuracy: Interval
    weighted_f1: Interval
    macro_f1: Interval


@dataclass(frozen=True, slots=True)
class McNemar:
    """Two systems on the same rows.

    `p` is the two-sided exact p-value of "both are right equally often": 1.0 if they never differ, None if
    there is no row.
    """

    both: int
    first_only: int
    second_only: int
    neither: int
    p: float | None


def accuracy(labels: Sequence[str], predictions: Sequence[str | None]) -> float | None:
    """Return the fraction of rows predicted right; None without rows.

    Examples
    --------
    >>> accuracy(["a", "a", "b", "b"], ["a", None, "b", "b"])
    0.75
    """
    return _value(tally(labels, predictions).accuracy)


def weighted_f1(labels: Sequence[str], predictions: Sequence[str | None]) -> float | None:
    """Return ``sum_i support_i F1_i / sum_i support_i``; None without rows.

    Examples
    --------
    >>> weighted_f1(["a", "a", "b", "b"], ["a", None, "b", "b"])
    0.8333333333333333
    """
    return _value(tally(labels, predictions).weighted_f1)


def macro_f1(labels: Sequence[str], predictions: Sequence[str | None]) -> float | None:
    """Return the mean F1 over the intents in `labels` or `predictions`; None without rows.

    Examples
    --------
    >>> macro_f1(["a", "a", "a", "b"], ["a", "a", None, "b"])
    0.9
    >>> macro_f1(["a"], [None])
    0.0
    """
    return _value(tally(labels, predictions).macro_f1)


def intent_scores(
    labels: Sequence[str], predictions: Sequence[str | None], intents: Sequence[str]
) -> tuple[IntentScore, ...]:
    """Return one score for each of `intents`, in their order.

    Raises
    ------
    ValueError
        If a label or a prediction is not among `intents`.

    Examples
    --------
    >>> scores = intent_scores(["a", "a", "b"], ["a", None, "a"], ["a", "b", "c"])
    >>> [(s.intent, s.precision, s.recall, s.f1) for s in scores]
    [('a', 0.5, 0.5, 0.5), ('b', None, 0.0, 0.0), ('c', None, None, None)]
    """
    found = tally(labels, predictions, intents)
    ratios = zip(found.precision, found.recall, found.f1, strict=True)
    counts = zip(found.support, found.predicted, found.correct, strict=True)
    return tuple(
        IntentScore(intent, int(s), int(n), int(c), _value(precision), _value(recall), _value(f1))
        for intent, (s, n, c), (precision, recall, f1) in zip(intents, counts, ratios, strict=True)
    )


def resampled(
    labels: Sequence[str],
    predictions: Sequence[str | None],
    *,
    rng: np.random.Generator,
    groups: Sequence[str | None] | None = None,
    resamples: int = 2000,
) -> dict[str, Floats] | None:
    """Return accuracy, weighted F1 and macro F1 on each bootstrap resample, by the names of `Intervals`.

    Whole groups are drawn with replacement, as many as there are, because rows of one customer resemble each
    other; the F1 scores are computed anew on each resample, with the intents that occur in it. Generators of
    one seed draw the same resamples of the same groups, so that what two systems score can be subtracted.

    `groups` has one entry a row, and None in it is a group of its own. With fewer than two groups, or no
    resamples, there is no spread: the answer is None.
    """
    clusters = clusters_of(groups, len(labels))
    n_clusters = int(clusters.max(initial=-1)) + 1
    if n_clusters < 2 or resamples < 1:
        return None
    draws = rng.integers(n_clusters, size=(resamples, n_clusters))
    offsets = np.arange(resamples)[:, None] * n_clusters
    times_drawn = np.bincount((draws + offsets).ravel(), minlength=resamples * n_clusters)
    weights = times_drawn.reshape(resamples, n_clusters).astype(np.float64)
    found = tally_by_cluster(labels, predictions, clusters, n_clusters).weighed(weights)
    return {
        "accuracy": found.accuracy,
        "weighted_f1": found.weighted_f1,
        "macro_f1": found.macro_f1,
    }


def bootstrap(
    labels: Sequence[str],
    predictions: Sequence[str | None],
    *,
    rng: np.random.Generator,
    groups: Sequence[str | None] | None = None,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Intervals | None:
    """Return percentile intervals of what `resampled` gives; `confidence` is the share between the two ends.

    Examples
    --------
    >>> found = bootstrap(["a", "b"] * 50, ["a", "b", "a", "a"] * 25, rng=np.random.default_rng(0))
    >>> round(found.accuracy.low, 2), round(found.accuracy.high, 2)
    (0.66, 0.83)
    """
    scores = resampled(labels, predictions, rng=rng, groups=groups, resamples=resamples)
    if scores is None:
        return None
    return Intervals(**{name: percentiles(values, confidence) for name, values in scores.items()})


def percentiles(values: Floats, confidence: float = 0.95) -> Interval:
    """Return the interval that holds the middle `confidence` of some values.

    Examples
    --------
    >>> percentiles(np.arange(101.0), 0.5)
    Interval(low=25.0, high=75.0)
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(float(low), float(high))


def wilson_low(correct: int, fired: int, confidence: float = 0.9) -> float | None:
    """Return Wilson's one-sided lower bound of ``correct / fired``; None if nothing fired.

    With p the raw fraction, n = `fired` and z the normal quantile of `confidence`::

        (p + z²/2n - z sqrt(p(1 - p)/n + z²/4n²)) / (1 + z²/n)

    Examples
    --------
    >>> round(wilson_low(13, 14), 3)
    0.789
    """
    _check_counts(correct, fired, confidence)
    if fired == 0:
        return None
    z, p = float(ndtri(confidence)), correct / fired
    centre = p + z * z / (2 * fired)
    spread = z * float(np.sqrt(p * (1 - p) / fired + z * z / (4 * fired * fired)))
    return max(0.0, (centre - spread) / (1 + z * z / fired))


def precision_low(
    correct: int, fired: int, confidence: float = 0.9, prior: tuple[float, float] = (0.5, 0.5)
) -> float | None:
    """Return a one-sided lower bound of ``correct / fired``; None if nothing fired.

    The ``1 - confidence`` quantile of Beta(correct + a, fired - correct + b), where `prior` is (a, b).

    Parameters
    ----------
    confidence
        Probability with which the precision lies above the bound, 0 to 1.
    prior
        Pseudo-counts of right and wrong. (0.5, 0.5) is Jeffreys'; (0, 1) gives the bound of Clopper and
        Pearson, which never errs on the high side; (k p, k (1 - p)) shrinks towards a base rate p.

    Examples
    --------
    >>> round(precision_low(4, 4), 3), round(precision_low(40, 40), 3), precision_low(0, 0) is None
    (0.728, 0.967, True)
    >>> round(precision_low(4, 4, prior=(0, 1)), 3)
    0.562
    """
    _check_counts(correct, fired, confidence)
    if fired == 0:
        return None
    right, wrong = correct + prior[0], fired - correct + prior[1]
    if right <= 0 or wrong <= 0:  # all of the mass sits at one end
        return 0.0 if right <= 0 else 1.0
    return float(betaincinv(right, wrong, 1 - confidence))


def mcnemar(first: Sequence[bool], second: Sequence[bool], *, mid_p: bool = False) -> McNemar:
    """Test whether two systems are right equally often on the same rows.

    Only rows on which exactly one of them is right tell anything: b where it is the first, c the second.
    The exact p-value is ``min(1, 2 P(X <= min(b, c)))`` for X ~ Binomial(b + c, 1/2).

    `mid_p` subtracts the probability of the outcome itself: less conservative, no longer exact.

    Raises
    ------
    ValueError
        If the two do not have the same number of rows.

    Examples
    --------
    >>> test = mcnemar([True] * 8 + [False] * 2, [False] * 7 + [True, True, False])
    >>> test.first_only, test.second_only, round(test.p, 4)
    (7, 1, 0.0703)
    """
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if a.shape != b.shape:
        raise ValueError(f"{a.size} rows against {b.size}: a paired test needs the same rows")
    only_a, only_b = int((a & ~b).sum()), int((~a & b).sum())
    fewer, discordant = min(only_a, only_b), only_a + only_b
    p = 2 * float(bdtr(fewer, discordant, 0.5))
    if mid_p:
        p -= math.comb(discordant, fewer) / 2**discordant
    return McNemar(int((a & b).sum()), only_a, only_b, int((~a & ~b).sum()), min(1.0, p) if a.size else None)


def expected_calibration_error(
    confidence: Sequence[float] | Floats, correct: Sequence[bool], bins: int = 15
) -> float | None:
    """Return how far stated confidence is from being right, on average: ``sum_b n_b/n |acc_b - conf_b|``.

    `confidence` is the probability given to what was predicted. The bins ``(j/bins, (j+1)/bins]`` are equally
    wide and 0 belongs to the first. 0 is perfectly calibrated; None without rows; biased upwards on few rows.

    Examples
    --------
    >>> round(expected_calibration_error([0.9, 0.9, 0.6, 0.6], [True, True, True, False]), 3)
    0.1
    """
    stated, right = np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    if stated.shape != right.shape:
        raise ValueError(f"{stated.size} confidences for {right.size} rows")
    if stated.size == 0:
        return None
    place = np.clip(np.ceil(stated * bins).astype(np.int64) - 1, 0, bins - 1)
    return float(np.abs(np.bincount(place, weights=right - stated, minlength=bins)).sum() / stated.size)


def log_loss(
    scores: Sequence[Sequence[float]] | Floats, truth: Sequence[int], floor: float = 1e-12
) -> float | None:
    """Return the mean of ``-ln p(label)``, in nats; None without rows.

    `scores` are (n, k) probabilities, `truth` the (n,) columns of the labels. No probability is taken as less
    than `floor`, so that one certain error does not make the mean infinite.

    Examples
    --------
    >>> round(log_loss([[0.5, 0.5], [0.25, 0.75]], [0, 1]), 4)
    0.4904
    """
    if len(scores) != len(truth):
        raise ValueError(f"{len(scores)} rows of scores for {len(truth)} labels")
    if len(truth) == 0:
        return None
    given = np.asarray(scores, dtype=np.float64)[np.arange(len(truth)), np.asarray(truth, dtype=np.int64)]
    return float(-np.log(np.maximum(given, floor)).mean())


def _value(number: float | Floats) -> float | None:
    return None if np.isnan(number) else float(number)


def _check_counts(correct: int, fired: int, confidence: float) -> None:
    if not 0 <= correct <= fired:
        raise ValueError(f"{correct} correct of {fired} fired")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence} is not between 0 and 1")
