"""From YAML nodes to rules: the grammar of a rule file around its conditions."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import fields
from typing import Final, TypeVar, cast

from ruamel.yaml.nodes import MappingNode, Node

from kdsl_cli.errors import did_you_mean
from kdsl_cli.logic.grammar import read_condition
from kdsl_cli.logic.rule import STATUSES, BaseRate, Evidence, Examples, Provenance, Rule, RuleBase, Status
from kdsl_cli.logic.yaml_nodes import NodeReader

SCHEMA: Final = "kdsl.rules/1"
FILE_KEYS: Final = ("schema", "task", "base_rates", "rules")
_NEEDED: Final = ("schema", "task", "rules")
RATE_KEYS: Final = ("weight", "status")
RULE_KEYS: Final = (
    "id",
    "intent",
    "status",
    "weight",
    "when",
    "why",
    "evidence",
    "examples",
    "provenance",
    "note",
)

_T = TypeVar("_T")


def read_file(reader: NodeReader, root: Node, intents: Collection[str] | None) -> RuleBase | None:
    """Read the whole file but its header; None if the frame around the rules cannot be read."""
    entries = reader.mapping(root, "the file", FILE_KEYS, required=_NEEDED)
    if entries is None or not entries.keys() >= set(_NEEDED):
        return None
    reader.choice(entries["schema"], "schema", (SCHEMA,))
    task = reader.string(entries["task"], "task")
    rates = _read_base_rates(reader, entries["base_rates"], intents) if "base_rates" in entries else ()
    items = reader.items(entries["rules"], "rules", empty=True) or []
    read = [(_read_rule(reader, item, intents), item) for item in items]
    rules = [(rule, node) for rule, node in read if rule is not None]
    _report_repeated_ids(reader, rules)
    return RuleBase(task or "", tuple(rule for rule, _ in rules), base_rates=rates)


def _read_base_rates(reader: NodeReader, node: Node, intents: Collection[str] | None) -> tuple[BaseRate, ...]:
    named = reader.named(node, "base_rates") or []
    for intent, key, _ in named:
        _check_intent(reader, key, intent, intents)
    read = [_read_base_rate(reader, intent, value) for intent, _, value in named]
    return tuple(rate for rate in read if rate is not None)


def _read_base_rate(reader: NodeReader, intent: str, node: Node) -> BaseRate | None:
    """Read a number, or a mapping where a person says more than the number."""
    name = f"the base rate of '{intent}'"
    if not isinstance(node, MappingNode):
        weight = reader.number(node, name)
        return None if weight is None else BaseRate(intent, weight)
    entries = reader.mapping(node, name, RATE_KEYS, required=RATE_KEYS)
    if entries is None or len(entries) != len(RATE_KEYS):
        return None
    weight = reader.number(entries["weight"], "weight")
    status = reader.choice(entries["status"], "status", STATUSES)
    return None if weight is None or status is None else BaseRate(intent, weight, cast(Status, status))


def _check_intent(reader: NodeReader, node: Node, intent: str, intents: Collection[str] | None) -> None:
    if intents is not None and intent not in intents:
        reader.report(node, f"unknown intent '{intent}'", intents, did_you_mean(intent, intents))


def _report_repeated_ids(reader: NodeReader, rules: list[tuple[Rule, Node]]) -> None:
    first: dict[str, int] = {}
    for rule, node in rules:
        line = int(node.start_mark.line) + 1
        if rule.id in first:
            fix = "Give one of them another id"
            reader.report(node, f"the id '{rule.id}' is taken by the rule in line {first[rule.id]}", fix=fix)
        first.setdefault(rule.id, line)


def _read_rule(reader: NodeReader, node: Node, intents: Collection[str] | None) -> Rule | None:
    entries = reader.mapping(node, "the rule", RULE_KEYS, required=("id", "intent", "when"))
    if entries is None:
        return None
    before = len(reader.problems)

    def optional(key: str, read: Callable[[Node], _T | None], default: _T) -> _T:
        value = read(entries[key]) if key in entries else None
        return default if value is None else value

    rule_id = optional("id", lambda n: reader.string(n, "id"), "")
    intent = optional("intent", lambda n: reader.string(n, "intent"), "")
    if intent:
        _check_intent(reader, entries["intent"], intent, intents)
    when = read_condition(reader, entries["when"]) if "when" in entries else None
    status = optional("status", lambda n: reader.choice(n, "status", STATUSES), "draft")
    weight = optional("weight", lambda n: reader.number(n, "weight"), 1.0)
    why = optional("why", lambda n: reader.string(n, "why", blank=True), "")
    evidence = optional("evidence", lambda n: _read_evidence(reader, n), None)
    examples = optional("examples", lambda n: _read_examples(reader, n), None)
    provenance = optional("provenance", lambda n: _read_provenance(reader, n), None)
    note = optional("note", lambda n: reader.string(n, "note", blank=True), "")
    if when is None or len(reader.problems) > before:
        return None
    return Rule(
        rule_id, intent, when, cast(Status, status), weight, why, evidence, examples, provenance, note
    )


def _read_evidence(reader: NodeReader, node: Node) -> Evidence | None:
    known = [field.name for field in fields(Evidence)]
    entries = reader.mapping(node, "evidence", known, required=("fired", "correct"))
    if entries is None or not {"fired", "correct"} <= set(entries):
        return None
    fired = reader.whole(entries["fired"], "fired")
    correct = reader.whole(entries["correct"], "correct", 0, fired if fired is not None else float("inf"))
    shares = {
        key: reader.number(entries[key], key, 0, 1) for key in ("precision_low", "recall") if key in entries
    }
    folds = reader.whole(entries["folds"], "folds", 1) if "folds" in entries else None
    if fired is None or correct is None:
        return None
    return Evidence(fired, correct, shares.get("precision_low"), shares.get("recall"), folds)


def _read_examples(reader: NodeReader, node: Node) -> Examples | None:
    entries = reader.mapping(node, "examples", ("match", "no_match"))
    if entries is None:
        return None
    ids = {key: reader.strings(value, key, empty=True) or () for key, value in entries.items()}
    return Examples(ids.get("match", ()), ids.get("no_match", ()))


def _read_provenance(reader: NodeReader, node: Node) -> Provenance | None:
    entries = reader.mapping(node, "provenance", [field.name for field in fields(Provenance)])
    if entries is None:
        return None

    def taken(key: str, read: Callable[[Node, str], _T | None]) -> _T | None:
        return read(entries[key], key) if key in entries else None

    return Provenance(
        run=taken("run", reader.string),
        node=taken("node", reader.whole),
        visits=taken("visits", reader.whole),
        value=taken("value", reader.number),
        proposer=taken("proposer", reader.string),
        seed=taken("seed", reader.whole),
    )
