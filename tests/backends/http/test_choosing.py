from __future__ import annotations

import math

import pytest

from kdsl_cli.backends.http.choosing import inside, matched, told_apart
from kdsl_cli.backends.http.responses import Step


def step(token: str, logprob: float, **others: float) -> Step:
    likely = [{"token": each, "logprob": value} for each, value in {token: logprob, **others}.items()]
    return Step.model_validate({"token": token, "logprob": logprob, "top_logprobs": likely})


def test_choices_that_begin_alike_part_where_the_answer_leads_on() -> None:
    steps = [step("re", -0.1, pay=-2.5), step("fund", -0.2, turn=-1.8)]
    told = told_apart(steps, ["refund", "return", "pay", "exchange"])
    assert told == (pytest.approx(-0.3), pytest.approx(-1.9), -2.5, None)


def test_choices_that_part_on_a_way_not_taken_are_not_told() -> None:
    assert told_apart([step("pay", -0.1, re=-2.0)], ["refund", "return", "pay"]) == (None, None, -0.1)


def test_ways_to_write_one_choice_add_up() -> None:
    [yes, no] = told_apart([step("yes", math.log(0.5), y=math.log(0.2), no=math.log(0.1))], ["yes", "no"])
    assert (yes, no) == (pytest.approx(math.log(0.7)), pytest.approx(math.log(0.1)))


def test_an_answer_that_ends_is_the_choice_that_ends() -> None:
    assert told_apart([step("refund", -0.4)], ["refund", "refund-only"]) == (-0.4, None)
    assert told_apart([step("refund", -0.4), step("-", -0.5)], ["refund", "refund-only"])[0] is None


def test_letters_split_among_tokens_are_told_by_their_bytes() -> None:
    first, second = "是".encode(), "昨".encode()
    assert first[:1] == second[:1]
    head = Step.model_validate({"token": "\ufffd", "bytes": list(first[:1]), "logprob": -0.1})
    tail = Step.model_validate(
        {
            "token": "\ufffd",
            "bytes": list(first[1:]),
            "logprob": -0.2,
            "top_logprobs": [{"token": "\ufffd", "bytes": list(second[1:]), "logprob": -3.0}],
        }
    )
    assert told_apart([head, tail], ["是", "昨"]) == (pytest.approx(-0.3), pytest.approx(-3.1))


def test_what_servers_write_for_impossible_is_not_told() -> None:
    assert told_apart([step("yes", -0.1, no=-9999.0)], ["yes", "no"]) == (-0.1, None)


def test_a_wrapping_is_taken_off_wherever_its_tokens_end() -> None:
    for tokens in (['{"', "answer", '":"', "yes", '"}'], ['{"answer":', '"yes', '"}']):
        steps = [step(token, -0.1) for token in tokens]
        assert told_apart(inside(steps, '{"answer":"'), ["yes", "no"])[0] is not None
    glued = [step('{"answer":', 0.0), step('"yes', -0.1, **{'"no': -2.0, "other": -3.0})]
    assert told_apart(inside(glued, '{"answer":"'), ["yes", "no"]) == (-0.1, -2.0)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("Yes, it is.", "yes"),
        ("  **no**", "no"),
        ("I would say no.", "no"),
        ("yes or no", "yes"),
        ("it may be yes, it may be no", None),
        ("nobody knows", None),
        ("是的", "是"),
        ("", None),
    ],
)
def test_a_free_answer_gives_a_choice_or_none(text: str, choice: str | None) -> None:
    choices = ["yes", "no", "是"]
    place = matched(text, choices)
    assert (None if place is None else choices[place]) == choice
