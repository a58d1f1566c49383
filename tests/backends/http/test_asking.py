from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from kdsl_cli.backends.backend import Failed, Generated, Sampling, Scored
from kdsl_cli.dialogues.prompting import Picture, Prompt
from kdsl_cli.runs.hashing import sha256_file
from tests.backends.http.conftest import Open
from tests.fakes.fault_proxy import Body, FaultProxy, Pass, Status

pytestmark = pytest.mark.local

SAMPLING = Sampling(max_tokens=64, temperature=0.5, seed=3)
ASKED = Prompt("Be brief.", ("customer:", "hello", "Is it so?"))
TOO_LONG = "This model's maximum context length is 2048 tokens. However, your prompt has 2049"


def sent(proxy: FaultProxy) -> list[object]:
    return [body["messages"][-1]["content"] for body in proxy.asked]


def test_texts_that_follow_one_another_are_sent_as_one_and_pictures_between_them(
    proxy: FaultProxy, opened: Open, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (56, 28), "red").save(path)
    picture = Picture(path, sha256_file(path))
    opened(proxy.url).generate([Prompt("", ("customer:", "看", picture, "Is it so?"))], SAMPLING)
    [[before, shown, after]] = sent(proxy)  # type: ignore[misc]
    assert before == {"type": "text", "text": "customer:\n看\n"}
    assert after == {"type": "text", "text": "\nIs it so?"}
    media, data = shown["image_url"]["url"].split(";base64,")
    assert media == "data:image/png"
    assert base64.b64decode(data) == path.read_bytes()


def test_a_picture_beyond_the_budget_is_sent_smaller(proxy: FaultProxy, opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (560, 280), "red").save(path)
    opened(proxy.url, max_pixels=9000).generate([Prompt("", (Picture(path, sha256_file(path)),))], SAMPLING)
    [[shown]] = sent(proxy)  # type: ignore[misc]
    small = tmp_path / "small.png"
    small.write_bytes(base64.b64decode(shown["image_url"]["url"].split(";base64,")[1]))
    with Image.open(small) as image:
        assert image.width * image.height <= 9000


def test_marks_of_templates_in_a_text_end_no_turn(proxy: FaultProxy, opened: Open) -> None:
    opened(proxy.url).generate([Prompt("", ("a<|im_end|>b",))], SAMPLING)
    assert sent(proxy) == [[{"type": "text", "text": "a< |im_end|>b"}]]


def test_nothing_sent_has_a_prompt_cut(proxy: FaultProxy, opened: Open) -> None:
    model = opened(proxy.url)
    model.generate([ASKED], SAMPLING)
    model.score([ASKED], ("yes", "no"))
    assert "truncat" not in json.dumps(proxy.asked)


def test_the_seed_is_that_of_the_prompt_wherever_it_stands(proxy: FaultProxy, opened: Open) -> None:
    model = opened(proxy.url, concurrency=1)
    other = Prompt("", ("Is it otherwise?",))
    model.generate([ASKED, other], SAMPLING)
    model.generate([other, ASKED], SAMPLING)
    model.generate([ASKED], replace(SAMPLING, seed=4))
    seeds = [body["seed"] for body in proxy.asked]
    assert seeds[:2] == seeds[3:1:-1]
    assert len(set(seeds)) == 3


def test_a_schema_that_is_refused_is_left_away_from_then_on(proxy: FaultProxy, opened: Open) -> None:
    model = opened(proxy.url, concurrency=1)
    proxy.script(Status(400, message="response_format is not supported"))
    rows = model.generate([ASKED, ASKED], replace(SAMPLING, schema='{"type": "object"}'))
    assert all(isinstance(row, Generated) for row in rows)
    assert ["response_format" in body for body in proxy.asked] == [True, False, False]
    assert all(body["logprobs"] for body in proxy.asked)


def test_what_is_refused_without_a_name_is_found_by_leaving_away(proxy: FaultProxy, opened: Open) -> None:
    model = opened(proxy.url, concurrency=1)
    proxy.script(Status(422), Status(422))
    [row] = model.generate([ASKED], replace(SAMPLING, schema='{"type": "object"}'))
    assert isinstance(row, Generated)
    assert row.logprob is None
    assert "response_format" not in proxy.asked[-1]
    assert "logprobs" not in proxy.asked[-1]


def test_a_prompt_that_is_refused_whatever_is_left_away_costs_the_others_nothing(
    proxy: FaultProxy, opened: Open
) -> None:
    model = opened(proxy.url, concurrency=1)
    proxy.script(*[Status(400, message="a broken picture")] * 3)
    bad, good = model.generate([ASKED, ASKED], replace(SAMPLING, seed=5))
    assert bad == Failed("HTTP 400: a broken picture", usage=bad.usage)
    assert isinstance(good, Generated)
    assert good.logprob is not None


def test_a_prompt_that_is_too_long_fails_with_what_to_lower(proxy: FaultProxy, opened: Open) -> None:
    model = opened(proxy.url, concurrency=1)
    proxy.script(Status(400, message=TOO_LONG))
    [row] = model.generate([ASKED], SAMPLING)
    assert isinstance(row, Failed)
    assert not row.retryable
    assert "Lower max_pixels" in row.reason
    assert len(proxy.asked) == 1


def test_a_text_that_was_cut_off_says_so(proxy: FaultProxy, opened: Open) -> None:
    model = opened(proxy.url)
    json_asked = Prompt("", ("Answer in JSON.",))
    [cut] = model.generate([json_asked], replace(SAMPLING, max_tokens=2))
    [whole] = model.generate([json_asked], replace(SAMPLING, max_tokens=200))
    assert isinstance(cut, Generated) and isinstance(whole, Generated)
    assert (cut.finish, whole.finish) == ("length", "stop")


def test_what_a_server_can_do_is_found_out_once(proxy: FaultProxy, opened: Open) -> None:
    model = opened(proxy.url)
    model.score([ASKED], ("yes", "no"))
    found = len(proxy.asked)
    model.score([ASKED] * 3, ("yes", "no"))
    assert len(proxy.asked) == found + 3


def test_a_server_that_fails_while_it_is_tried_is_not_taken_for_a_lesser_one(
    proxy: FaultProxy, opened: Open
) -> None:
    model = opened(proxy.url)
    proxy.script(*[Status(503)] * 4)
    [row] = model.score([ASKED], ("yes", "no"))
    assert isinstance(row, Failed)
    assert row.retryable
    [row] = model.score([ASKED], ("yes", "no"))
    assert isinstance(row, Scored)
    assert row.method == "choice-logprobs"


def test_an_answer_that_is_no_choice_fails_its_row(proxy: FaultProxy, opened: Open) -> None:
    model = opened(proxy.url)
    model.score([ASKED], ("yes", "no"))
    proxy.script(Body('{"choices": [{"message": {"content": "perhaps"}}]}'))
    [row] = model.score([ASKED], ("yes", "no"))
    assert row == Failed("the answer 'perhaps' is none of the choices", usage=row.usage)


def test_what_a_filter_withheld_is_no_answer(proxy: FaultProxy, opened: Open) -> None:
    proxy.script(Body('{"choices": [{"message": {"content": null}, "finish_reason": "content_filter"}]}'))
    [row] = opened(proxy.url).generate([ASKED], SAMPLING)
    assert isinstance(row, Failed)


def test_usage_is_the_servers_and_seconds_are_shared(proxy: FaultProxy, opened: Open) -> None:
    body = {
        "choices": [{"message": {"content": "a"}}],
        "usage": {
            "prompt_tokens": 300,
            "completion_tokens": 7,
            "prompt_tokens_details": {"image_tokens": 256},
        },
    }
    proxy.script(Body(json.dumps(body)), Pass(0.05))
    first, second = opened(proxy.url, concurrency=1).generate([ASKED, ASKED], SAMPLING)
    usage = first.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.image_tokens) == (300, 7, 256)
    assert usage.seconds == second.usage.seconds > 0.02
