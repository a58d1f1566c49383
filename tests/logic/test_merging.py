from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from kdsl_cli.errors import RuleFileError
from kdsl_cli.logic.codec import dump_rules, loads, merge_into
from kdsl_cli.logic.predicates import OcrPredicate
from kdsl_cli.logic.rule import BaseRate, Evidence, Rule, RuleBase, rule_id

from .strategies import quick, rule_bases

HAND = """\
# Our shop's rules.

schema: "kdsl.rules/1"
task: image-scene   # one file a task
rules:
# --- refunds ---
- id: "a"
  intent: "退款页面"
  status: mined
  # weight by hand
  weight: 2   # was 1
  when:
    ocr: {contains:   "退款"}   # odd spacing
  why: >
    Folded text,
    # not a comment

# the person's own
- intent: "退货页面"
  id: "b"
  status: "reviewed"
  when: {ocr: {contains: "退货"}}

- id: "c"
  intent: "客服页面"
  status: "mined"
  when:
    ocr: {contains: "客服"}
# the end
"""


def test_nothing_new_leaves_every_character() -> None:
    assert merge_into(HAND, loads(HAND)) == HAND


def test_only_what_changed_is_written_anew() -> None:
    base = loads(HAND)
    a, b, c = base.rules
    changed = replace(a, weight=1.5, evidence=Evidence(3, 2))
    new = Rule("d", "新的", OcrPredicate("contains", ("新",)), "mined")
    merged = merge_into(HAND, replace(base, rules=(new, changed, c, replace(b, weight=9.0))))
    assert merged == HAND.replace("weight: 2   # was 1", "weight: 1.5   # was 1").replace(
        "    # not a comment\n", "    # not a comment\n  evidence: {fired: 3, correct: 2}\n"
    ).replace(
        "# the end\n",
        '- id: "d"\n  intent: "新的"\n  status: "mined"\n  when:\n    ocr: {contains: "新"}\n# the end\n',
    )


def test_a_changed_condition_is_replaced_and_a_dropped_key_goes() -> None:
    base = loads(HAND)
    changed = replace(base.rules[0], when=OcrPredicate("contains", ("退",)), weight=1.0)
    merged = merge_into(HAND, replace(base, rules=(changed, *base.rules[1:])))
    assert merged == HAND.replace("  # weight by hand\n  weight: 2   # was 1\n", "").replace(
        '    ocr: {contains:   "退款"}   # odd spacing\n', '    ocr: {contains: "退"}\n'
    )


def test_a_mined_rule_stays_where_a_person_changed_what_it_looks_for() -> None:
    refund, parcel = OcrPredicate("contains", ("退款",)), OcrPredicate("contains", ("包裹",))
    ids = rule_id("退款页面", refund), rule_id("物流页面", parcel)
    rules = Rule(ids[0], "退款页面", refund, "mined", 1.0), Rule(ids[1], "物流页面", parcel, "mined", 1.0)
    edited = dump_rules(RuleBase("t", rules)).replace('"退款"', '"退款成功"')
    assert edited.count("退款成功") == 1
    anew = RuleBase("t", tuple(replace(rule, weight=2.0) for rule in rules))
    first, second = loads(merge_into(edited, anew)).rules
    assert (first.when, first.weight) == (OcrPredicate("contains", ("退款成功",)), 1.0)
    assert second == anew.rules[1]


def test_mined_rules_that_are_gone_go_and_the_persons_stay() -> None:
    text = HAND.replace('"客服页面"\n  status: "mined"', '"客服页面"\n  status: "draft"')
    merged = merge_into(text, RuleBase("image-scene"))
    assert [rule.id for rule in loads(merged).rules] == ["b", "c"]
    for comment in ("# Our shop's rules.", "# --- refunds ---", "# the person's own", "# the end"):
        assert comment in merged


@pytest.mark.parametrize(
    "listed",
    ["rules: []  # none yet\n", 'rules: [{id: x, intent: z, status: mined, when: {ocr: {contains: "z"}}}]\n'],
)
def test_a_list_on_one_line_becomes_a_block(listed: str) -> None:
    text = f'# mine\nschema: "kdsl.rules/1"\n{listed}task: "image-scene"\n'
    rules = (Rule("d", "新的", OcrPredicate("contains", ("新",)), "mined"),)
    merged = merge_into(text, RuleBase("image-scene", rules))
    assert loads(merged) == RuleBase("image-scene", rules, "mine")
    assert ("# none yet" in merged) == ("# none yet" in text)


def test_the_last_rule_may_go() -> None:
    text = dump_rules(RuleBase("t", (Rule("d", "新的", OcrPredicate("contains", ("新",)), "mined"),)))
    assert loads(merge_into(text, RuleBase("t"))).rules == ()


def test_other_layouts_and_line_ends() -> None:
    text = (
        'schema: "kdsl.rules/1"\r\ntask: "t"\r\nrules:\r\n'
        '  -\r\n    id: "a"\r\n    intent: "x"\r\n    when: {ocr: {contains: "a"}}\r\n'
        '  -   why: "y"\r\n      id: "b"\r\n      intent: "x"\r\n      when: {ocr: {contains: "b"}}'
    )
    base = loads(text)
    a, b = (replace(rule, why="", weight=3.0) for rule in base.rules)
    merged = merge_into(text, replace(base, rules=(a, b)))
    assert loads(merged).rules == (a, b)
    assert merged.count("\r\n") == merged.count("\n")


RATED = """\
schema: "kdsl.rules/1"
task: "t"   # ours
# how common things are
base_rates:
  # nearly everyone
  "a": -0.5   # learnt
  "b": {weight: -2, status: "reviewed"}   # we know better
  # seldom
  "c": -1
# and now the rules
rules: []
"""


def with_rates(*rates: BaseRate) -> RuleBase:
    return RuleBase("t", base_rates=rates)


def test_learnt_base_rates_are_replaced_and_the_persons_stay() -> None:
    base = with_rates(BaseRate("d", -3.0), BaseRate("b", -9.0), BaseRate("a", -0.75))
    assert merge_into(RATED, base) == RATED.replace('"a": -0.5 ', '"a": -0.75 ').replace(
        '  # seldom\n  "c": -1\n', '  "d": -3\n'
    )
    assert merge_into(RATED, loads(RATED)) == RATED


def test_base_rates_come_into_a_file_without_them_and_go_again() -> None:
    bare = 'rules: []\ntask: "t"   # ours\n# below\nschema: "kdsl.rules/1"\n'
    rated = merge_into(bare, with_rates(BaseRate("a", -1.0)))
    assert rated == bare.replace("# below", 'base_rates:\n  "a": -1\n# below')
    assert merge_into(rated, RuleBase("t")) == bare


@pytest.mark.parametrize("listed", ["{}", '{"a": -1}'])
def test_base_rates_on_one_line_become_a_block(listed: str) -> None:
    text = f'schema: "kdsl.rules/1"\ntask: "t"\nbase_rates: {listed}\nrules: []\n'
    assert merge_into(text, with_rates(BaseRate("b", -1.0))) == text.replace(f" {listed}", '\n  "b": -1')


def test_a_base_rate_that_is_disabled_or_a_draft_outlives_the_next_export() -> None:
    rates = (BaseRate("a", -0.5, "disabled"), BaseRate("b", -1.0, "draft"), BaseRate("c", -2.0))
    text = dump_rules(with_rates(*rates))
    assert loads(merge_into(text, with_rates())).base_rates == rates[:2]
    learnt = (BaseRate("a", -4.0), BaseRate("b", -4.0))
    assert loads(merge_into(text, with_rates(*learnt))).base_rates == (rates[0], learnt[1])


@quick
@given(rule_bases, rule_bases)
def test_any_file_takes_any_rules(file: RuleBase, base: RuleBase) -> None:
    base = replace(base, task=file.task)
    merged = loads(merge_into(dump_rules(file), base))
    by_id = {rule.id: rule for rule in merged.rules}
    kept = {rule.id: rule for rule in file.rules if rule.status in ("reviewed", "disabled")}
    assert kept.items() <= by_id.items()
    assert {rule.id: rule for rule in base.rules if rule.id not in kept}.items() <= by_id.items()
    persons = {rate.intent: rate for rate in file.base_rates if rate.status in ("reviewed", "disabled")}
    learnt = {rate.intent: rate for rate in base.base_rates}
    assert (learnt | persons).items() <= {rate.intent: rate for rate in merged.base_rates}.items()


def test_rules_of_another_task_are_refused() -> None:
    with pytest.raises(RuleFileError) as error:
        merge_into(HAND, RuleBase("dialogue-intent"), "r.yaml")
    assert (
        str(error.value) == "r.yaml:4: the file is of task 'image-scene', the rules are of 'dialogue-intent'."
    )
