from __future__ import annotations

import json

import pytest
from hypothesis import given

from kdsl_cli.errors import StageError
from kdsl_cli.logic.conditions import Condition, canonical, condition_key, parse_key

from .strategies import any_phrases, conditions, finite, quick


@quick
@given(conditions())
def test_a_key_read_back_is_the_canonical_condition(condition: Condition) -> None:
    assert parse_key(condition_key(condition)) == canonical(condition)


@quick
@given(conditions(any_phrases, finite))
def test_whatever_the_phrases_and_the_bounds(condition: Condition) -> None:
    key = condition_key(condition)
    assert parse_key(key) == canonical(condition)
    assert condition_key(parse_key(key)) == key
    json.loads(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "3",
        "[]",
        '["all"]',
        '["text","any"]',
        '["text","any","contains",5]',
        '["image","widht","gte",3]',
        '["image","width","gte"]',
        '["count","turns","between",[1]]',
        '["answer",5,true]',
        '["maybe",["all"]]',
        "[" * 3000,
        "退款",
    ],
)
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(StageError, match=r"^no condition has the key"):
        parse_key(key)
