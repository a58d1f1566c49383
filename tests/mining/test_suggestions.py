"""What a model may write, and what is read of it."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kdsl_cli.logic.conditions import condition_key
from kdsl_cli.logic.features import KINDS
from kdsl_cli.logic.predicates import (
    COUNTABLES,
    REGIONS,
    TEXT_FIELDS,
    AnswerPredicate,
    OcrPredicate,
    TextPredicate,
)
from kdsl_cli.mining.proposers.reading import (
    MAX_CHARACTERS,
    Part,
    Suggestion,
    UnusableError,
    read_suggestion,
)
from kdsl_cli.mining.proposers.schema import OFFERED_VERBS, in_words, proposal_schema

from .planted import has
from .talkers import answer, proposing, text

quick = settings(max_examples=60, deadline=None)


def read(said: str, *, opening: bool = True, room: int = 3) -> Suggestion:
    return read_suggestion(said, opening=opening, room=room)


def test_what_must_hold_comes_before_what_must_not() -> None:
    when = {"all": [{"not": text("退货")}, text("退款"), {"all": [text("退款"), {"not": answer("Is it?")}]}]}
    assert read(proposing(when, "  Because\tit\u0007 is.\n"), room=4) == Suggestion(
        (
            Part(has("退款"), False),
            Part(AnswerPredicate("Is it?", False), False),
            Part(has("退货"), True),
        ),
        "Because it is.",
    )


def test_a_question_stands_on_one_line() -> None:
    (part,) = read(proposing(answer(" Is it\n red? "))).parts
    assert part.predicate == AnswerPredicate("Is it red?", True)


def test_no_reason_need_be_given() -> None:
    assert read('{"when": {"count": {"of": "images", "gte": 2}}}').why == ""


DEEP = '{"when": ' + "[" * 1900 + "]" * 1900 + "}"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "not JSON"),
        ("[1, 2]", "not an object"),
        ('{"why": "x"}', "not an object"),
        ('{"when": {}, "rule": 1}', "not an object"),
        ('{"when": {}, "when": {}}', "stands twice"),
        ('{"when": {"count": {"of": "images", "gte": NaN}}}', "not a number"),
        (proposing({}), "when is empty"),
        (proposing(None), "when must be a mapping"),
        (proposing({"text": {"contians": "x"}}), "Did you mean 'contains'"),
        (proposing({"text": {"regex": "退.*"}}), "'regex' is not among"),
        (proposing({"any": [text("a"), text("b")]}), "a draft is made of"),
        (proposing({"not": {"all": [text("a"), text("b")]}}), "a draft is made of"),
        (proposing({"at_least": {"n": 1, "of": [text("a")]}}), "a draft is made of"),
        (proposing({"image": {"feature": "brightness", "gte": 0.5}}), "'brightness' was not offered"),
        (proposing({"not": text("a")}), "only says what must not be"),
        (proposing({"text": {"contains_any": ["a", "b", "c", "d"]}}), "4 phrases and other parts, where 3"),
        (proposing(text("x" * 41)), "more than 40"),
        (proposing(text("a\0b")), "NUL"),
        (proposing(answer("?" * 161)), "a question of no or of more than 160"),
        (proposing(answer("\u0007")), "a question of no"),
        (json.dumps({"when": text("a"), "why": ["x"]}), "'why' is not a sentence"),
        (" " * (MAX_CHARACTERS + 1), "has 4001 characters"),
        (DEEP, "recursion"),
        ('{"when": ' + '{"not": ' * 9 + '{"count": 1}' + "}" * 10, "nested deeper"),
    ],
)
def test_what_is_no_proposal_is_refused_with_the_reason(said: str, reason: str) -> None:
    with pytest.raises(UnusableError, match=r".") as refused:
        read(said)
    assert reason in str(refused.value)


def test_a_draft_that_is_there_may_be_told_what_must_not_be() -> None:
    said = proposing({"not": text("退货")})
    assert read(said, opening=False).parts == (Part(has("退货"), True),)


jsons = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["all", "not", "any", "text", "ocr", "image", "count", "answer", "contains"])
            | st.sampled_from(["contains_any", "in", "question", "is", "of", "gte", "kind", "when", "why"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@quick
@given(
    st.text(max_size=60)
    | jsons.map(json.dumps)
    | st.fixed_dictionaries({"when": jsons}, optional={"why": jsons}).map(json.dumps)
)
def test_whatever_is_written_is_a_suggestion_or_refused(said: str) -> None:
    try:
        suggestion = read(said)
    except UnusableError as refused:
        assert str(refused)
    else:
        assert 1 <= suggestion.length <= 3
        assert condition_key(suggestion.parts[0].predicate)


phrase = st.text(min_size=1, max_size=6)
leaf = st.one_of(
    st.tuples(st.sampled_from(OFFERED_VERBS), phrase, st.sampled_from(TEXT_FIELDS)).map(
        lambda t: {"text": {t[0]: [t[1]] if t[0].endswith(("any", "all")) else t[1], "in": t[2]}}
    ),
    phrase.map(answer),
)


@quick
@example([{"text": {"contains": "a\x85b\u2028c", "in": "any"}}])
@given(st.lists(st.one_of(leaf, leaf.map(lambda one: {"not": one})), min_size=1, max_size=3))
def test_phrases_of_any_characters_are_read_as_they_were_written(parts: list[Any]) -> None:
    try:
        suggestion = read(proposing({"all": parts}), opening=False)
    except UnusableError:
        return
    written = json.dumps(parts, ensure_ascii=False)
    for part in suggestion.parts:
        if isinstance(part.predicate, TextPredicate | OcrPredicate):
            assert all(json.dumps(value, ensure_ascii=False) in written for value in part.predicate.values)


def drawn(schema: dict[str, Any], root: dict[str, Any], rng: random.Random) -> Any:
    """Return a value that a schema of ours allows."""
    if "$ref" in schema:
        return drawn(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root, rng)
    if "anyOf" in schema:
        return drawn(rng.choice(schema["anyOf"]), root, rng)
    if "enum" in schema:
        return rng.choice(schema["enum"])
    match schema["type"]:
        case "object":
            assert schema["required"] == sorted(schema["properties"])
            return {name: drawn(of, root, rng) for name, of in schema["properties"].items()}
        case "array":
            size = rng.randint(schema["minItems"], schema["maxItems"])
            return [drawn(schema["items"], root, rng) for _ in range(size)]
        case "integer":
            return rng.randint(schema["minimum"], schema["maximum"])
        case _:
            size = rng.randint(schema.get("minLength", 0), schema["maxLength"])
            return "".join(rng.choices('退款ab"\\\n 😀?', k=size)).strip().ljust(8, "a")


@pytest.mark.parametrize("pictures", [True, False])
def test_whatever_the_schema_allows_is_read(pictures: bool) -> None:
    schema = json.loads(proposal_schema(pictures=pictures, most=2))
    rng, kinds = random.Random(0), set()
    for _ in range(120):
        said = json.dumps(drawn(schema, schema, rng))
        suggestion = read(said, opening=False, room=99)
        kinds |= {type(part.predicate).__name__ for part in suggestion.parts}
    pictured = {"OcrPredicate", "ImagePredicate"} if pictures else set()
    assert kinds == {"TextPredicate", "CountPredicate", "AnswerPredicate"} | pictured


def test_schema_and_words_offer_what_rules_can_say_and_no_regular_expression() -> None:
    for offered in (proposal_schema(pictures=True, most=3), in_words(pictures=True)):
        assert all(word in offered for word in (*TEXT_FIELDS, *REGIONS, *COUNTABLES, *KINDS, *OFFERED_VERBS))
        assert "regex" not in offered
    told = proposal_schema(pictures=False, most=3)
    assert "ocr" not in told.replace("ocr_lines", "")
    assert told == json.dumps(json.loads(told), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def test_a_single_part_needs_no_list() -> None:
    assert '"all":' not in proposal_schema(pictures=True, most=1)
    one = read(proposing({"all": [text("退款")]}))
    assert one.parts == (Part(has("退款"), False),)
