"""How each rule does on dialogues it was not made from, and how it gets on with the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

import polars as pl

from kdsl_cli import metrics
from kdsl_cli.errors import Problem, StageError
from kdsl_cli.logic.rule import Rule, RuleBase
from kdsl_cli.prediction.table import PredictionTable
from kdsl_cli.reporting.systems import SCORED, rows_of

PER_RULE: Final[dict[str, pl.DataType]] = {
    "rule": pl.String(),
    "task": pl.String(),
    "intent": pl.String(),
    "against": pl.Boolean(),
    "status": pl.String(),
    "fired": pl.Int64(),
    "correct": pl.Int64(),
    "precision": pl.Float64(),
    "precision_low": pl.Float64(),
    "recall": pl.Float64(),
    "overlaps": pl.Int64(),
    "conflicts": pl.Int64(),
    "decided": pl.Int64(),
}


def per_rule(table: PredictionTable, bases: Iterable[RuleBase]) -> pl.DataFrame:
    """Return one row a rule in use, in file order, counted on the scored rows of its task.

    A rule of negative weight speaks `against` its intent, and is correct where the label is another one.

    - `precision` is ``correct / fired`` with the one-sided 90 % bound `precision_low`; null if it never
      fired.
    - `recall` is the share of its intent's dialogues in which it fired; null without such, or against.
    - `overlaps` are rows in which another rule said the same; `conflicts` rows in which another rule fired
      that cannot be right as well: for another intent, or against this one.
    - `decided` are rows in which it fired, the rules had a part in the decision, and its intent was chosen;
      null for a rule against.

    Raises
    ------
    StageError
        If a rule fired that is in none of `bases`: the rule files are not those the predictions were made
        with.
    """
    given = tuple(bases)
    _check_known(table, given)
    rows = [row for base in given for row in _rule_rows(table, base)]
    return pl.DataFrame(rows, schema=PER_RULE)


def _rule_rows(table: PredictionTable, base: RuleBase) -> Iterator[dict[str, Any]]:
    rules = {rule.id: rule for rule in base.active}
    counts: dict[str, Counter[str]] = {name: Counter() for name in rules}
    scored = rows_of(table, base.task).filter(SCORED)
    for row in scored.iter_rows(named=True):
        fired = [rules[name] for name in row["fired"] if name in rules]
        for rule in fired:
            relations = {_relation(rule, other) for other in fired if other.id != rule.id}
            by_rules = row["decided_by"] in ("rules", "both") and row["prediction"] == rule.intent
            counts[rule.id].update(
                fired=1,
                correct=(row["label"] == rule.intent) != rule.against,
                overlaps="same" in relations,
                conflicts="conflict" in relations,
                decided=by_rules,
            )
    support = Counter(scored["label"].to_list())
    for name, rule in rules.items():
        yield _rule_row(rule, base.task, counts[name], support[rule.intent])


def _rule_row(rule: Rule, task: str, counts: Counter[str], support: int) -> dict[str, Any]:
    fired, correct, against = counts["fired"], counts["correct"], rule.against
    return {
        "rule": rule.id,
        "task": task,
        "intent": rule.intent,
        "against": against,
        "status": rule.status,
        "fired": fired,
        "correct": correct,
        "precision": correct / fired if fired else None,
        "precision_low": metrics.precision_low(correct, fired),
        "recall": correct / support if support and not against else None,
        "overlaps": counts["overlaps"],
        "conflicts": counts["conflicts"],
        "decided": None if against else counts["decided"],
    }


def _relation(one: Rule, other: Rule) -> Literal["same", "conflict", "none"]:
    """Return whether two rules that fire together say the same, cannot both be right, or neither.

    "Not a refund" and "not a parcel" can both be right, and so can "not a refund" and "a parcel".
    """
    if one.intent == other.intent:
        return "same" if one.against == other.against else "conflict"
    return "none" if one.against or other.against else "conflict"


def _check_known(table: PredictionTable, bases: tuple[RuleBase, ...]) -> None:
    known = {rule.id for base in bases for rule in base.rules}
    fired = set(table.frame["fired"].explode().drop_nulls())
    unknown = sorted(fired - known)
    if unknown:
        what = "it fired, but no rule file has it: rules were changed since the predictions were made"
        split = table.frame["split"].to_list()[0]
        fix = f"Predict anew, with the options that it had: kdsl predict --split {split} --force"
        raise StageError([Problem(f"rule {name}", what, fix=fix) for name in unknown])
