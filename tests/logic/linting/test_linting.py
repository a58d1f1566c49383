"""What is found in a rule file, and where; and what is not, so that a sound file stays clean."""

from __future__ import annotations

import pytest

from kdsl_cli.errors import ConfigError
from kdsl_cli.logic.codec import loads
from kdsl_cli.logic.facts import Facts, ImageFact, OcrLine, TurnFact
from kdsl_cli.logic.indexing import index
from kdsl_cli.logic.linting.finding import LINTS
from kdsl_cli.logic.linting.linting import chosen, lint
from kdsl_cli.logic.linting.on_dialogues import Sample
from kdsl_cli.logic.linting.places import places

HEAD = 'schema: "kdsl.rules/1"\ntask: "scene"\nrules:\n'
GOOD = """\
- id: "good"
  intent: "refund"
  when:
    text: {contains: "退款"}
"""


def findings(text, intents=("refund", "parcel"), sample=None):
    """Return (line, name, rule, what) of everything found in rules below a head of three lines."""
    base = loads(HEAD + text, "rules/scene.yaml")
    at = places(HEAD + text, "rules/scene.yaml")
    found = lint(base, at, intents=intents, sample=sample)
    ids = {None: "", **{place: rule.id for place, rule in enumerate(base.rules)}}
    return [(at.line(f), f.lint.name, ids[f.rule], f.what) for f in found]


def names(text, **more):
    return [name for _, name, _, _ in findings(text, **more)]


def rule(when, id="r", intent="refund", **more):
    said = "".join(f"  {key}: {value}\n" for key, value in more.items())
    return f'- id: "{id}"\n  intent: "{intent}"\n{said}  when:\n    {when}\n'


def sample(*dialogues, known=()):
    """A sample of (text, label, group)."""
    facts = tuple(index(Facts(f"d{n}", (TurnFact(0, "customer", d[0]),))) for n, d in enumerate(dialogues))
    labels = tuple(d[1] for d in dialogues)
    groups = tuple(d[2] if len(d) > 2 else None for d in dialogues)
    return Sample(facts, labels, groups, frozenset(known))


def test_a_sound_rule_is_clean_and_codes_and_names_are_unique():
    assert findings(GOOD) == []
    assert len({lint.name for lint in LINTS.values()}) == len(LINTS)
    assert all(lint.fix for lint in LINTS.values())


@pytest.mark.parametrize(
    ("text", "line", "name", "told"),
    [
        (
            rule('all: [{text: {contains: "退款"}}, {not: {text: {contains: "退"}}}]'),
            6,
            "unreachable",
            'it can never be true: the customer\'s last message contains "退款"; and not',
        ),
        (rule('count: {of: "turns", gte: 1}'), 6, "always-true", "true of every dialogue"),
        (
            rule('text: {contains_any: ["退款", "退款金额"]}'),
            6,
            "redundant-part",
            '"退款金额" changes nothing',
        ),
        (
            rule('all: [{ocr: {contains: "a", region: "top"}}, {ocr: {contains: "a"}}]'),
            6,
            "redundant-part",
            'a line on the screen contains "a"',
        ),
        (rule('text: {regex: ".*退款"}'), 6, "slow-pattern", "at its start"),
        (rule('text: {regex: "退款"}'), 6, "slow-pattern", "plain phrase"),
        (rule('text: {contains: "退款"}', intent="refnd"), 5, "unknown-intent", "Did you mean 'refund'?"),
        (rule('text: {contains: "退款"}', weight=0), 6, "no-weight", "changes nothing"),
        (rule('text: {contains: "退款"}', status='"reviewed"'), 4, "no-why", "no sentence says why"),
        (
            rule('text: {contains: "退款"}', examples='{match: ["a", "b"], no_match: ["b"]}'),
            6,
            "torn-example",
            "must not match b",
        ),
        (rule('text: {contains: "订单2034556"}'), 6, "accidental-phrase", "a long number"),
        (rule(f'text: {{contains: "{"好" * 30}"}}'), 6, "accidental-phrase", "30 characters long"),
        (
            rule('text: {contains: "退款"}', status='"disabled"'),
            6,
            "disabled-leftover",
            "not found by mining",
        ),
    ],
)
def test_one_rule_is_told_what_is_amiss_with_its_line(text, line, name, told):
    ((at, found, _, what),) = findings(text)
    assert (at, found) == (line, name)
    assert told in what


def test_a_disabled_rule_is_held_to_nothing_but_its_intent_and_a_veto_of_a_mined_rule_is_no_leftover():
    veto = rule('count: {of: "turns", gte: 1}', status='"disabled"', provenance='{run: "mine-1"}')
    assert findings(veto) == []
    assert names(veto.replace("refund", "refnd")) == ["unknown-intent"]


def test_two_rules_that_mean_the_same_are_told_of_once_at_the_later():
    second = rule('any: [{not: {not: {text: {contains: "退款"}}}}]', id="second")
    assert [(name, id) for _, name, id, _ in findings(GOOD + second)] == [("duplicate", "second")]
    assert names(GOOD + second.replace("refund", "parcel")) == ["contradictory"]
    assert names(GOOD + rule('text: {contains: "退款"}', id="minus", weight=-1)) == ["contradictory"]


def test_two_intents_may_share_a_condition_that_says_it_is_often_wrong():
    weak = "{fired: 10, correct: 4}"
    both = rule('text: {contains: "退款"}', evidence=weak) + rule(
        'text: {contains: "退款"}', id="s", intent="parcel", evidence=weak
    )
    assert findings(both) == []


def test_a_base_rate_of_no_intent_is_told_at_its_line():
    text = HEAD.replace("rules:", 'base_rates:\n  "refund": 1\n  "parcl": -1\nrules:') + GOOD
    base, at = loads(text), places(text, "a")
    (found,) = lint(base, at, intents=("refund", "parcel"), sample=None)
    assert (at.line(found), found.lint.name, found.rule) == (5, "unknown-intent", None)
    assert found.what == "the catalogue has no intent 'parcl'. Did you mean 'parcel'?"


def test_a_narrower_rule_is_subsumed_unless_the_evidence_says_that_it_is_more_precise():
    wide, narrow = '{text: {contains: "退款"}}', '{text: {contains: "退款"}}, {count: {of: "images", gte: 1}}'
    for evidence, expected in (("{fired: 8, correct: 8}", []), ("{fired: 8, correct: 4}", ["subsumed"])):
        text = rule(f"all: [{wide}]", id="wide", evidence="{fired: 20, correct: 12}")
        text += rule(f"all: [{narrow}]", id="narrow", evidence=evidence)
        assert names(text) == expected
    other = rule(f"all: [{wide}]", id="wide") + rule(f"all: [{narrow}]", id="narrow", intent="parcel")
    assert findings(other) == []
    against = rule(f"all: [{wide}]", id="wide") + rule(f"all: [{narrow}]", id="narrow", weight=-1)
    assert findings(against) == []


def test_a_disabled_twin_of_a_rule_in_use_is_a_leftover():
    twin = rule('text: {contains: "退款"}', id="t", status='"disabled"', provenance='{run: "m"}')
    assert [(n, i) for _, n, i, _ in findings(GOOD + twin)] == [("disabled-leftover", "t")]


def test_comments_let_a_finding_pass_for_a_rule_or_for_the_file():
    zero = rule('text: {contains: "退款"}', weight=0)
    assert findings(zero.replace('"r"\n', '"r"  # lint: ignore no-weight\n')) == []
    assert findings("# lint: ignore R106, subsumed\n" + zero) == []
    assert names(GOOD + "# lint: ignore R101\n" + zero) == ["no-weight"]
    assert names("# lint: ignore no-weight\n" + zero + zero.replace('"r"', '"s"')) == ["no-weight"]
    base = "# lint: ignore no-weight\n" + HEAD + zero
    assert lint(loads(base), places(base, "a"), intents=None, sample=None) == ()


REFUNDS = [("我要退款", "refund")] * 4
PARCELS = [("快递到哪了", "parcel")] * 4


def test_on_dialogues_a_rule_is_told_that_it_is_narrow_or_silent():
    few = rule('text: {contains: "尽快"}')
    assert names(few, sample=sample(*REFUNDS, ("尽快退款", "refund"), *PARCELS)) == ["too-narrow"]
    assert names(few, sample=sample(*REFUNDS, *PARCELS)) == ["never-fires"]
    measured = rule('text: {contains: "尽快"}', evidence="{fired: 9, correct: 8}")
    assert names(measured, sample=sample(*REFUNDS, *PARCELS)) == []
    one_customer = [("尽快退款", "refund", "anna")] * 5
    ((_, name, _, what),) = findings(few, sample=sample(*one_customer, *PARCELS))
    assert (name, what) == ("too-narrow", "all 5 dialogues on which it fires are of one group")


def test_on_dialogues_a_weight_has_the_sign_of_what_is_seen():
    known = sample(*REFUNDS * 3, *PARCELS * 3)
    right = rule('text: {contains: "退款"}')
    assert findings(right, sample=known) == []
    assert names(rule('text: {contains: "退款"}', weight=-1), sample=known) == ["wrong-sign"]
    wrong = rule('text: {contains: "快递"}')
    assert names(wrong, sample=known) == ["wrong-sign", "too-narrow"]
    assert findings(rule('text: {contains: "快递"}', weight=-1), sample=known) == []


def test_on_dialogues_a_predicate_that_nothing_answers_is_named():
    asked = rule('answer: {question: "Torn?", is: "yes"}')
    ((line, name, _, what),) = findings(asked, sample=sample(*REFUNDS))
    assert (line, name) == (6, "unanswered")
    assert what == 'no evidence tells, of any dialogue: the answer to "Torn?" is yes'
    seen = rule('ocr: {contains: "退款"}')
    ((_, name, _, what),) = findings(seen, sample=sample(*REFUNDS))
    assert (name, what[:38]) == ("unanswered", "no dialogue of the task has a picture:")
    box = (0.0, 0.0, 1.0, 0.1)
    facts = Facts("p", (), (OcrLine(0, 0, "退款", 0.9, box),), (ImageFact(0, None, {"brightness": 0.5}),))
    pictures = Sample((index(facts),) * 4, ("refund",) * 4, (None,) * 4, frozenset())
    assert findings(seen, sample=pictures) == []
    assert names(rule('image: {feature: "aspect", gte: 0.1}'), sample=pictures) == ["unanswered"]


def test_on_dialogues_examples_must_exist_and_two_rules_must_differ():
    named = rule('text: {contains: "退款"}', examples='{match: ["d0"], no_match: ["gone"]}')
    ((line, name, _, what),) = findings(named, sample=sample(*REFUNDS, known=["d0"]))
    assert (line, name, what) == (6, "unknown-example", "no dialogue has the id gone")
    twin = rule('text: {contains: "我要"}', id="twin")
    assert [(n, i) for _, n, i, _ in findings(GOOD + twin, sample=sample(*REFUNDS, *PARCELS))] == [
        ("fires-alike", "twin")
    ]


def test_lints_are_chosen_by_code_by_the_start_of_one_or_by_name():
    assert chosen(["R20"]) == {"R201", "R202", "R203", "R204"}
    assert chosen(["subsumed", "R101"]) == {"R101", "R202"}
    with pytest.raises(ConfigError, match="Did you mean 'subsumed'"):
        chosen(["subsumd"])
