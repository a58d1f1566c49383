from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

from kdsl_cli.errors import RuleFileError
from kdsl_cli.logic.codec import dump_rules, load_rules, loads, loads_condition
from kdsl_cli.logic.conditions import All, AtLeast, Not
from kdsl_cli.logic.predicates import AnswerPredicate, ImagePredicate, OcrPredicate, TextPredicate
from kdsl_cli.logic.rule import BaseRate, Evidence, Examples, Provenance, Rule, RuleBase

from .strategies import quick, rule_bases

ROOT = Path(__file__).parents[2]
SHIPPED = [path for path in sorted(ROOT.glob("rules/**/*.yaml")) if path.name != "intents.yaml"]

HEAD = 'schema: "kdsl.rules/1"\ntask: "t"\nrules:\n'
FULL = """# Written by the miner.
schema: "kdsl.rules/1"
task: "image-scene"
rules:
- id: "退款页面-3f2a"
  intent: "退款页面"
  status: "mined"
  weight: -1.8
  when:
    all:
    - ocr: {contains_any: ["退款\\"金额\\"", "退款\\n成功"], region: "top"}
    - not:
        at_least:
          n: 2
          of:
          - text: {regex: "退.?货", in: "any"}
          - image: {feature: "line_count", gte: 3, lte: 20.5}
          - answer: {question: "Is a bar shown?", is: "no"}
  why: "It names the amount."
  evidence: {fired: 14, correct: 13, precision_low: 0.76, folds: 5}
  examples: {match: ["dlg-0412"], no_match: []}
  provenance: {run: "r1", node: 118, value: 1e-05, proposer: "statistical"}
  note: "no"
"""


def test_a_full_rule_is_read_and_written_back_to_the_byte() -> None:
    base = loads(FULL)
    inner = (
        TextPredicate("any", "regex", ("退.?货",)),
        ImagePredicate("line_count", "between", (3, 20.5)),
        AnswerPredicate("Is a bar shown?", False),
    )
    (rule,) = base.rules
    assert base.header == "Written by the miner."
    assert rule.when.children == (  # type: ignore[union-attr]
        OcrPredicate("contains_any", ('退款"金额"', "退款\n成功"), "top"),
        Not(AtLeast(2, inner)),
    )
    assert rule.evidence == Evidence(14, 13, 0.76, None, 5)
    assert rule.examples == Examples(("dlg-0412",))
    assert rule.provenance == Provenance(run="r1", node=118, value=1e-5, proposer="statistical")
    assert (rule.weight, rule.status, rule.note) == (-1.8, "mined", "no")
    assert dump_rules(base) == FULL


RATES = """schema: "kdsl.rules/1"
task: "t"
base_rates:
  "退款": -0.412
  "退货": {weight: -2, status: "reviewed"}
rules: []
"""


def test_base_rates_are_read_and_written_back_to_the_byte() -> None:
    base = loads(RATES)
    assert base.base_rates == (BaseRate("退款", -0.412), BaseRate("退货", -2.0, "reviewed"))
    assert base.starts == {"退款": -0.412, "退货": -2.0}
    assert dump_rules(base) == RATES
    assert loads(RATES.replace("reviewed", "disabled")).starts == {"退款": -0.412}


BAD_RATES = {
    '"退款页": -1': "unknown intent '退款页'. Allowed: 退款. Did you mean '退款'?",
    "退款: 1, 退款: 2": "key '退款' stands twice in base_rates. Keep one of them.",
    '退款: "1"': "the base rate of '退款' must be a number, not the string \"1\".",
    "退款: .nan": "the base rate of '退款' is .nan. Allowed: a finite number.",
    "退款: null": "the base rate of '退款' must be a number, not nothing.",
    "3: 1": 'a key of base_rates must be a string, not the number 3. Put it in quotes: "3".',
    "no: 1": 'a key of base_rates must be a string, not the unquoted word no. Put it in quotes: "no".',
    "退款: {weight: 1}": "the base rate of '退款' has no 'status'.",
    "退款: {weight: 1, status: mine}": "unknown status 'mine'. Allowed: draft, mined, reviewed, disabled."
    " Did you mean 'mined'?",
    "退款: {weight: 1, status: mined, why: x}": "unknown key 'why' in the base rate of '退款'."
    " Allowed: weight, status.",
}


@pytest.mark.parametrize(("rates", "message"), BAD_RATES.items(), ids=BAD_RATES)
def test_a_bad_base_rate_is_told_with_its_line(rates: str, message: str) -> None:
    text = f'schema: "kdsl.rules/1"\ntask: "t"\nbase_rates:\n  {{{rates}}}\nrules: []\n'
    with pytest.raises(RuleFileError) as error:
        loads(text, "r.yaml", intents=["退款"])
    assert str(error.value) == f"r.yaml:4: {message}"


def test_base_rates_that_are_no_mapping_are_told() -> None:
    with pytest.raises(RuleFileError, match=r"^r.yaml:3: base_rates must be a mapping, not a list"):
        loads('schema: "kdsl.rules/1"\ntask: "t"\nbase_rates: [1]\nrules: []\n', "r.yaml")


def test_only_id_intent_and_when_are_needed() -> None:
    assert loads(HEAD + "- {id: a, intent: 退款, when: {text: {contains: 退款}}}\n").rules == (
        Rule("a", "退款", TextPredicate("last_customer", "contains", ("退款",))),
    )


@quick
@given(rule_bases)
def test_any_rule_base_survives_the_file(base: RuleBase) -> None:
    text = dump_rules(base)
    read = loads(text)
    assert read == base
    assert dump_rules(read) == text


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_shipped_rule_file_loads_and_round_trips(path: Path) -> None:
    base = load_rules(path)
    assert base.rules
    assert loads(dump_rules(base)) == base


def test_a_file_may_start_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + FULL.encode())
    assert load_rules(path) == loads(FULL)


def when(condition: str) -> str:
    return f'{HEAD}- id: "a"\n  intent: "退款"\n  when:\n    {condition}\n'


VERBS = "contains, contains_any, contains_all, equals, equals_any, startswith, endswith, regex"
CONDITIONS = "all, any, not, at_least, text, ocr, image, count, answer"
BAD_CONDITIONS = {
    'ocr: {contians: "x"}': f"unknown key 'contians' in ocr. Allowed: {VERBS}, region."
    " Did you mean 'contains'?",
    'ocr: {contains: "x", region: "topp"}': "unknown region 'topp'. Allowed: all, top, middle, bottom, upper,"
    " lower, left, right, center. Did you mean 'top'?",
    'text: {contains: "x", in: "custmer"}': "unknown text field 'custmer'. Allowed: last_customer,"
    " first_customer, customer, service, any. Did you mean 'customer'?",
    "text: {contains: 010}": 'contains must be a string, not the number 010. Put it in quotes: "010".',
    "text: {contains: no}": 'contains must be a string, not the unquoted word no. Put it in quotes: "no".',
    "text: {contains: 2024-01-01}": "contains must be a string, not the date 2024-01-01."
    ' Put it in quotes: "2024-01-01".',
    "text: {contains_any: [1.5]}": "an entry of contains_any must be a string, not the number 1.5."
    ' Put it in quotes: "1.5".',
    'text: {contains: "　"}': "contains is blank.",
    'text: {contains: "a\\0"}': "contains holds a character that no text can hold (NUL or half of a pair).",
    'text: {contains: "\\uD800"}': "contains holds a character that no text can hold"
    " (NUL or half of a pair).",
    "text: {contains: !x a}": 'contains must be a string, not a value tagged !x a. Put it in quotes: "a".',
    "text: {contains_any: []}": "contains_any is an empty list. Give it at least one entry, or leave it out.",
    'text: {contains_any: "x"}': 'contains_any must be a list, not the string "x".',
    'text: {contains: "a", regex: "b"}': f"text has 2 verbs: contains, regex. Allowed: {VERBS}."
    " One verb to a predicate; join predicates by all or any.",
    'text: {in: "any"}': f"text has no verb. Allowed: {VERBS}."
    " One verb to a predicate; join predicates by all or any.",
    'text: {regex: "(?=a)"}': "this regular expression cannot be used: look-around, including look-ahead and"
    " look-behind, is not supported.",
    'text: {regex: "(a)\\\\1"}': "this regular expression cannot be used: backreferences are not supported.",
    'text: {regex: "["}': "this regular expression cannot be used: unclosed character class.",
    f'text: {{regex: "{"a" * 201}"}}': "this regular expression cannot be used: it is 201 characters long; at"
    " most 200 are allowed.",
    'image: {kind: "foto"}': "unknown kind 'foto'. Allowed: photo, screenshot. Did you mean 'photo'?",
    "image: {gte: 3}": "image has neither kind nor feature.",
    'image: {kind: "photo", gte: 3}': "image has a kind and something else. Give each its own predicate.",
    'image: {feature: "width"}': "image has no bound. Allowed: gte, lte.",
    'image: {feature: "width", gte: "3"}': 'gte of image must be a number, not the string "3".',
    'image: {feature: "width", gte: .inf}': "gte of image is .inf. Allowed: a finite number.",
    'image: {feature: "width", gte: 4, lte: 3}': "image can never be true: gte 4 is above lte 3.",
    'count: {of: "turn", gte: 2}': "unknown count 'turn'. Allowed: customer_turns, service_turns, turns,"
    " images, links, ocr_lines. Did you mean 'turns'?",
    'count: {of: "turns", gte: 2.5}': "gte of count must be a whole number, not the number 2.5.",
    'count: {of: "turns", gte: -1}': "gte of count is -1. Allowed: 0 or more.",
    'answer: {question: "q", is: yes}': "answer must be a string, not the unquoted word yes."
    ' Put it in quotes: "yes".',
    'answer: {question: "q"}': "answer has no 'is'.",
    "all: []": "all is an empty list. Give it at least one entry, or leave it out.",
    "any: {}": "any must be a list, not a mapping.",
    "not: []": f"not must be a mapping, not a list. Allowed: {CONDITIONS}.",
    'at_least: {n: 2, of: [{ocr: {contains: "x"}}]}': "n of at_least is 2. Allowed: 1 to 1.",
    'at_least: {n: 0, of: [{ocr: {contains: "x"}}]}': "n of at_least is 0. Allowed: 1 to 1.",
    'ocrr: {contains: "x"}': f"unknown key 'ocrr' in when. Allowed: {CONDITIONS}. Did you mean 'ocr'?",
    '{text: {contains: "x"}, ocr: {contains: "x"}}': "when has 2 conditions in one: text, ocr."
    " Give each its own '- ' line under all or any.",
    "{}": f"when is empty. Allowed: {CONDITIONS}.",
    "{not: " * 8
    + '{ocr: {contains: "x"}}'
    + "}" * 8: "conditions are nested deeper than 8. Split the rule in two.",
}


@pytest.mark.parametrize(("condition", "message"), BAD_CONDITIONS.items(), ids=BAD_CONDITIONS)
def test_a_bad_condition_is_told_with_its_line(condition: str, message: str) -> None:
    with pytest.raises(RuleFileError) as error:
        loads(when(condition), "rules/t.yaml")
    assert str(error.value) == f"rules/t.yaml:7: {message}"


def test_eight_levels_are_allowed() -> None:
    assert loads(when("{not: " * 7 + '{ocr: {contains: "x"}}' + "}" * 7)).rules


ALL_AT_ONCE = """schema: "kdsl.rules/2"
task: "t"
rule: []
rules:
- id: "a"
  intent: "退款页"
  status: "mind"
  wieght: 1
  when: {ocr: {contains: "x"}}
- id: "a"
  intent: "退款页面"
  when: {ocr: {contains: "x"}}
- id: "b"
  id: "a"
  intent: "退款页面"
  evidence: {fired: 3, correct: 4}
- id: "a"
  intent: "退款页面"
  when: {ocr: {contains: "x"}}
- 3
"""


def test_all_problems_of_a_file_come_at_once_from_top_to_bottom() -> None:
    with pytest.raises(RuleFileError) as error:
        loads(ALL_AT_ONCE, "r.yaml", intents=["退款页面"])
    keys = "id, intent, status, weight, when, why, evidence, examples, provenance, note"
    assert [problem.render() for problem in error.value.problems] == [
        "r.yaml:1: unknown schema 'kdsl.rules/2'. Allowed: kdsl.rules/1. Did you mean 'kdsl.rules/1'?",
        "r.yaml:3: unknown key 'rule' in the file. Allowed: schema, task, base_rates, rules."
        " Did you mean 'rules'?",
        "r.yaml:6: unknown intent '退款页'. Allowed: 退款页面. Did you mean '退款页面'?",
        "r.yaml:7: unknown status 'mind'. Allowed: draft, mined, reviewed, disabled. Did you mean 'mined'?",
        f"r.yaml:8: unknown key 'wieght' in the rule. Allowed: {keys}. Did you mean 'weight'?",
        "r.yaml:13: the rule has no 'when'.",
        "r.yaml:14: key 'id' stands twice in the rule. Keep one of them.",
        "r.yaml:16: correct is 4. Allowed: 0 to 3.",
        "r.yaml:17: the id 'a' is taken by the rule in line 10. Give one of them another id.",
        f"r.yaml:20: the rule must be a mapping, not the number 3. Allowed: {keys}.",
    ]


BAD_FILES = {
    "": "r.yaml: the file is empty. A rule file starts with schema and task.",
    "# nothing\n": "r.yaml: the file is empty. A rule file starts with schema and task.",
    "rules:\n\t- a\n": "r.yaml:2: a tab stands in the indentation. Indent with spaces.",
    "rules: [1\n": "r.yaml:2: this is not YAML: while parsing a flow sequence:"
    " expected ',' or ']', but got '<stream end>'.",
    "a: &x [1]\nb: *x\n": "r.yaml:1: anchors and aliases are not allowed. Write the value out in each place.",
    "a: *x\n": "r.yaml:1: anchors and aliases are not allowed. Write the value out.",
    "a: 1\n---\nb: 1\n": "r.yaml:2: a rule file holds one document, and a second starts here.",
    "a: \x01\n": "r.yaml:1: the character U+0001 is not allowed in YAML.",
    "[" * 600: "r.yaml: the file is nested too deeply to be read.",
    "- 1\n": "r.yaml:1: the file must be a mapping, not a list. Allowed: schema, task, base_rates, rules.",
}


@pytest.mark.parametrize(("text", "message"), BAD_FILES.items(), ids=range(len(BAD_FILES)))
def test_what_is_no_rule_file_at_all(text: str, message: str) -> None:
    with pytest.raises(RuleFileError) as error:
        loads(text, "r.yaml")
    assert str(error.value) == message


def test_an_alias_bomb_is_refused_before_it_is_followed() -> None:
    lines = ['a0: &a0 ["x"]', *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60))]
    with pytest.raises(RuleFileError, match="anchors and aliases are not allowed"):
        loads("\n".join(lines))


def test_a_file_that_is_not_utf8_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes('# a\ntask: "退款"\n'.encode("gb18030"))
    with pytest.raises(RuleFileError) as error:
        load_rules(path)
    assert str(error.value) == f"{path}:2: the file is not UTF-8 text. Save the file as UTF-8."
    with pytest.raises(RuleFileError, match="cannot be read: No such file"):
        load_rules(tmp_path / "none.yaml")


def test_one_condition_is_read_as_json_or_yaml() -> None:
    when = {
        "all": [{"ocr": {"contains": "退款\u2028😀"}}, {"not": {"answer": {"question": "?", "is": "no"}}}]
    }
    wanted = All((OcrPredicate("contains", ("退款\u2028😀",)), Not(AnswerPredicate("?", False))))
    assert loads_condition(json.dumps(when, ensure_ascii=False)) == wanted
    assert loads_condition("ocr: {contains: 退款}") == OcrPredicate("contains", ("退款",))


@pytest.mark.parametrize("text", ["", "{}", "[]", "7", '{"ocr": {}}', '{"any": []}', "[" * 3000])
def test_what_is_no_condition_is_told(text: str) -> None:
    with pytest.raises(RuleFileError, match=r"^answer"):
        loads_condition(text, "answer")
