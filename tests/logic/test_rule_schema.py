"""The schema that editors use and the reader must agree: on what is right, and on what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from ruamel.yaml import YAML

from kdsl_cli.errors import RuleFileError
from kdsl_cli.logic.codec import dump_rules, loads
from kdsl_cli.logic.rule_schema import rule_schema

from .strategies import quick, rule_bases

ROOT = Path(__file__).parents[2]
SHIPPED = [
    path
    for folder in ("rules", "data/shop/truth")
    for path in sorted((ROOT / folder).rglob("*.yaml"))
    if path.name != "intents.yaml"
]
CHECK = jsonschema.Draft7Validator(rule_schema())
HEAD = 'schema: "kdsl.rules/1"\ntask: "t"\nrules:\n- id: "r"\n  intent: "i"\n  when: '


def errors(text):
    return list(CHECK.iter_errors(YAML(typ="safe", pure=True).load(text)))


def test_it_is_a_schema_of_the_draft_that_editors_know():
    jsonschema.Draft7Validator.check_schema(rule_schema("t", ["a", "b"]))


def test_the_schema_that_ships_is_the_one_that_is_printed():
    assert json.loads((ROOT / "rules/rules.schema.json").read_text("utf-8")) == rule_schema()


@pytest.mark.parametrize("path", sorted((ROOT / "rules/shop").glob("*.yaml")), ids=lambda path: path.name)
def test_the_shop_s_rules_lead_an_editor_to_the_schema(path):
    first = path.read_text("utf-8").splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (path.parent / first.partition("=")[2]).resolve() == ROOT / "rules/rules.schema.json"


@quick
@given(rule_bases)
def test_every_rule_base_that_can_be_written_keeps_to_it(base):
    assert errors(dump_rules(base)) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_rule_file_that_ships_keeps_to_it(path):
    assert errors(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        HEAD + '{text: {contains: "a", in: "customer"}}\n  wieght: 1\n',
        HEAD + '{text: {contains: "a", contains_any: ["b"]}}\n',
        HEAD + '{text: {in: "customer"}}\n',
        HEAD + '{text: {contains: "a", in: "costumer"}}\n',
        HEAD + '{text: {contains: " "}}\n',
        HEAD + '{text: {contains: ["a"]}}\n',
        HEAD + '{ocr: {contains: "a", region: "roof"}}\n',
        HEAD + "{ocr: {contains_any: []}}\n",
        HEAD + '{ocr: {contains: "a"}, text: {contains: "a"}}\n',
        HEAD + "{all: []}\n",
        HEAD + '{all: {ocr: {contains: "a"}}}\n',
        HEAD + '{at_least: {of: [{ocr: {contains: "a"}}]}}\n',
        HEAD + '{at_least: {n: 0, of: [{ocr: {contains: "a"}}]}}\n',
        HEAD + '{image: {kind: "drawing"}}\n',
        HEAD + '{image: {kind: "photo", gte: 1}}\n',
        HEAD + '{image: {feature: "brightnes", gte: 1}}\n',
        HEAD + '{image: {feature: "brightness"}}\n',
        HEAD + '{count: {of: "images"}}\n',
        HEAD + '{count: {of: "images", gte: -1}}\n',
        HEAD + '{count: {of: "images", gte: 1.5}}\n',
        HEAD + '{answer: {question: "Torn?"}}\n',
        HEAD + '{answer: {question: "Torn?", is: "maybe"}}\n',
        HEAD + '{text: {contains: "a"}}\n  status: "done"\n',
        HEAD + '{text: {contains: "a"}}\n  weight: "1"\n',
        HEAD + '{text: {contains: "a"}}\n  evidence: {fired: 1}\n',
        HEAD + '{text: {contains: "a"}}\n  evidence: {fired: 1, correct: 1, recall: 2}\n',
        HEAD + '{text: {contains: "a"}}\n  examples: {matches: []}\n',
        HEAD + '{text: {contains: "a"}}\nbase_rates: {"i": {weight: 1}}\n',
        HEAD + '{text: {contains: "a"}}\nbase_rates: {"i": "1"}\n',
        'schema: "kdsl.rules/2"\ntask: "t"\nrules: []\n',
        'schema: "kdsl.rules/1"\nrules: []\n',
        'schema: "kdsl.rules/1"\ntask: "t"\nrules:\n- intent: "i"\n  when: {ocr: {contains: "a"}}\n',
    ],
)
def test_what_the_reader_refuses_an_editor_marks(text):
    with pytest.raises(RuleFileError):
        loads(text)
    assert errors(text)


def test_of_a_task_the_intents_of_the_catalogue_are_offered_and_no_others():
    check = jsonschema.Draft7Validator(rule_schema("t", ["i", "j"]))
    right = YAML(typ="safe", pure=True).load(HEAD + '{text: {contains: "a"}}\nbase_rates: {"j": 1}\n')
    assert list(check.iter_errors(right)) == []
    for wrong in ({"rules": [{**right["rules"][0], "intent": "k"}]}, {"task": "u"}, {"base_rates": {"k": 1}}):
        assert list(check.iter_errors({**right, **wrong}))
