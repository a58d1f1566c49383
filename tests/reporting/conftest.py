"""A small evaluation that every table can be worked out of by hand."""

from __future__ import annotations

import pytest

from kdsl_cli.prediction.table import Prediction, prediction_table

INTENTS = {"scene": ("refund", "parcel", "coupon"), "chat": ("return", "hurry")}


def spread(intents, name):
    """Probabilities that give `name` 0.8 and the others the rest; None: all alike."""
    if name is None:
        return tuple(1 / len(intents) for _ in intents)
    return tuple(0.8 if each == name else 0.2 / (len(intents) - 1) for each in intents)


@pytest.fixture
def row():
    """Make a prediction: `said` is (rules, large, together); names alone, scores follow from them."""

    def make(name, label, said=(None, None, None), *, task="scene", fired=(), error=None, **changes):
        rules, large, together = said
        intents = INTENTS[task]
        failed = error is not None
        values = {
            "id": name,
            "task": task,
            "split": "test",
            "group": None,
            "label": label,
            "prediction": together,
            "scores": None if failed else spread(intents, together),
            "fired": tuple(fired),
            "strategy": "log-odds",
            "rules_prediction": rules,
            "rules_scores": spread(intents, rules) if rules else None,
            "large_prediction": large,
            "large_scores": spread(intents, large) if large else None,
            "decided_by": "both" if together else "none",
            "error": error,
        }
        return Prediction(**{**values, **changes})

    return make


@pytest.fixture
def table_of():
    return lambda rows: prediction_table(rows, INTENTS)


@pytest.fixture
def table(row, table_of):
    """Both tasks, with a failed row, an unlabelled one, and an abstention of each system but the large."""
    return table_of(
        [
            row("s1", "refund", ("refund", "refund", "refund"), fired=["r-refund"]),
            row("s2", "refund", ("refund", "parcel", "refund"), fired=["r-refund", "r-parcel"]),
            row("s3", "parcel", (None, "parcel", "parcel")),
            row("s4", "parcel", ("refund", "parcel", None), fired=["r-refund"]),
            row("s5", "refund", error="picture: truncated"),
            row("s6", None, ("parcel", "parcel", "parcel"), fired=["r-parcel"]),
            row("c1", "return", ("return", "hurry", "return"), task="chat", fired=["r-return"]),
            row("c2", "hurry", (None, "hurry", "hurry"), task="chat"),
        ]
    )
