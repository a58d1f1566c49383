"""What pruning leaves: `kept.parquet`, the weighed rules of each task with their out-of-fold evidence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from kdsl_cli.logic.conditions import All, Condition, Not, condition_key, parse_key
from kdsl_cli.logic.describing import describe
from kdsl_cli.logic.predicates import OcrPredicate, TextPredicate
from kdsl_cli.logic.rule import BaseRate, Evidence, Examples, Provenance, Rule, RuleBase, rule_id
from kdsl_cli.metrics import precision_low
from kdsl_cli.mining.pruning import Pruned, Weighed
from kdsl_cli.mining.sample import Mask, Sample
from kdsl_cli.mining.table import METADATA_KEY, checked_note
from kdsl_cli.runs.atomic import write_parquet

SCHEMA: Final = "kdsl.kept/3"
SHOWN: Final = 3
"""Examples written beside a rule, of each kind."""

COLUMNS: Final = pl.Schema(
    {
        "task": pl.String(),
        "id": pl.String(),
        "intent": pl.String(),
        "condition": pl.String(),
        "weight": pl.Float64(),
        "proposer": pl.String(),
        "why": pl.String(),
        "fired": pl.Int64(),
        "correct": pl.Int64(),
        "precision_low": pl.Float64(),
        "recall": pl.Float64(),
        "folds": pl.Int64(),
        "match": pl.List(pl.String()),
        "no_match": pl.List(pl.String()),
        "node": pl.Int64(),
        "visits": pl.Int64(),
        "value": pl.Float64(),
        "miner_seed": pl.Int64(),
        "run": pl.String(),
    }
)


def as_base(
    task: str, pruned: Pruned, sample: Sample, ids: Sequence[str], *, run: str, seed: int
) -> RuleBase:
    """Return what pruning left of a task as it stands in a rule file; the rest is as in `as_rules`."""
    rules = as_rules(pruned.kept, sample, ids, run=run, seed=seed)
    rates = (BaseRate(intent, round(rate, 3)) for intent, rate in pruned.base_rates.items())
    return RuleBase(task, rules, base_rates=tuple(rates))


def as_rules(
    kept: Sequence[Weighed], sample: Sample, ids: Sequence[str], *, run: str, seed: int
) -> tuple[Rule, ...]:
    """Return kept rules as rules of a rule file: by intent in catalogue order, the weightiest first.

    Parameters
    ----------
    kept
        Of one task.
    sample, ids
        The dialogues they were judged on.
    run
        What to call the mining run in the provenance.
    seed
        Of that run.
    """
    order = {name: place for place, name in enumerate(sample.intents)}
    ranked = sorted(
        kept, key=lambda one: (order[one.rule.intent], -one.weight, condition_key(one.rule.condition))
    )
    return tuple(_rule(one, sample, ids, run, seed) for one in ranked)


def _rule(one: Weighed, sample: Sample, ids: Sequence[str], run: str, seed: int) -> Rule:
    rule, positives = one.rule, sample.positives(one.rule.intent)
    condition = rule.condition if rule.seed else readable(rule.condition)
    right = rule.standing & positives
    fired, correct = rule.standing.bit_count(), right.bit_count()
    low = precision_low(correct, fired)
    evidence = Evidence(
        fired,
        correct,
        None if low is None else round(low, 3),
        round(correct / positives.bit_count(), 3) if positives else None,
        len(sample.folds),
    )
    silent = sample.seen & ~rule.fires & ~positives
    examples = Examples(_some(rule.fires & positives, ids), _some(silent, ids)[:1])
    provenance = Provenance(
        run=run,
        node=rule.node,
        visits=rule.visits,
        value=None if rule.seed else round(rule.value, 3),
        proposer="seed" if rule.seed else rule.proposer,
        seed=None if rule.seed else seed,
    )
    words = describe(condition)
    said = f"{words[:1].upper()}{words[1:]}: {correct} of {fired} out of fold."
    why = said if not rule.why else rule.why if rule.seed else f"{said} The model: {rule.why}"
    return Rule(
        rule.id or rule_id(rule.intent, rule.condition),
        rule.intent,
        condition,
        "mined",
        round(one.weight, 3),
        why,
        evidence,
        examples,
        provenance,
    )


def readable(condition: Condition) -> Condition:
    """Return a canonical condition as a person would write it: what must hold first, one phrase as one.

    Examples
    --------
    >>> one = OcrPredicate("contains_any", ("退款",))
    >>> readable(All((Not(one), one))).children[0].op
    'contains'
    """
    match condition:
        case All(children):
            return All(tuple(sorted(map(readable, children), key=lambda child: isinstance(child, Not))))
        case Not(child):
            return Not(readable(child))
        case TextPredicate(_, "contains_any", (_,)) | OcrPredicate("contains_any", (_,), _):
            return replace(condition, op="contains")
        case _:
            return condition


def _some(mask: Mask, ids: Sequence[str]) -> tuple[str, ...]:
    return tuple(id for place, id in enumerate(ids) if mask >> place & 1)[:SHOWN]


def write_kept(path: Path, bases: Iterable[RuleBase], intents: Mapping[str, Sequence[str]]) -> None:
    """Write the rules of all tasks to one file, base rates in its note; whole or not at all.

    Parameters
    ----------
    intents
        Names of each task's intents.
    """
    given = tuple(bases)
    rows = [_row(base.task, rule) for base in given for rule in base.rules]
    named = {task: list(names) for task, names in intents.items()}
    rates = {base.task: {rate.intent: rate.weight for rate in base.base_rates} for base in given}
    note = json.dumps({"schema": SCHEMA, "intents": named, "base_rates": rates}, ensure_ascii=False)
    write_parquet(path, pl.DataFrame(rows, schema=COLUMNS, orient="row"), metadata={METADATA_KEY: note})


def read_kept(path: Path) -> dict[str, RuleBase]:
    """Return the rules by task, in the order they were written; a task may be without rules.

    Raises
    ------
    StageError
        If the file is not of this version.
    """
    note = checked_note(path, SCHEMA, what="kept rules", command="kdsl prune-rules")
    found: dict[str, list[Rule]] = {task: [] for task in note["intents"]}
    for row in pl.read_parquet(path).iter_rows(named=True):
        evidence = Evidence(row["fired"], row["correct"], row["precision_low"], row["recall"], row["folds"])
        provenance = Provenance(
            row["run"],
            row["node"],
            row["visits"],
            row["value"],
            row["proposer"],
            row["miner_seed"],
        )
        rule = Rule(
            row["id"],
            row["intent"],
            readable(parse_key(row["condition"])),
            "mined",
            row["weight"],
            row["why"],
            evidence,
            Examples(tuple(row["match"]), tuple(row["no_match"])),
            provenance,
        )
        found[row["task"]].append(rule)
    return {
        task: RuleBase(
            task,
            tuple(rules),
            base_rates=tuple(BaseRate(*rate) for rate in note["base_rates"].get(task, {}).items()),
        )
        for task, rules in found.items()
    }


def _row(task: str, rule: Rule) -> tuple[object, ...]:
    evidence, examples, provenance = rule.evidence, rule.examples, rule.provenance
    assert evidence is not None and examples is not None and provenance is not None
    return (
        task,
        rule.id,
        rule.intent,
        condition_key(rule.when),
        rule.weight,
        provenance.proposer,
        rule.why,
        evidence.fired,
        evidence.correct,
        evidence.precision_low,
        evidence.recall,
        evidence.folds,
        list(examples.match),
        list(examples.no_match),
        provenance.node,
        provenance.visits,
        provenance.value,
        provenance.seed,
        provenance.run,
    )
