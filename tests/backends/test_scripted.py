"""A script answers what it was written for, and says so where it was not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kdsl_cli.backends.backend import Failed, Generated, Sampling, Scored
from kdsl_cli.backends.opening import open_backend
from kdsl_cli.backends.script import Entry
from kdsl_cli.backends.scripted import Asked
from kdsl_cli.backends.spec import BackendOptions
from kdsl_cli.dialogues.prompting import Prompt
from kdsl_cli.errors import BackendError
from tests.backends.contract import CHOICES, GRASS, REFUND, SKY, BackendContract, picture
from tests.backends.scripts import ANSWERS, scripted


class TestScripted(BackendContract):
    @pytest.fixture
    def backend(self, script):
        return script(ANSWERS)


@pytest.fixture
def script(tmp_path):
    def write(text, name="answers.yaml"):
        return scripted(tmp_path, text, name)

    return write


def test_the_first_answer_that_fits_is_given_with_what_it_costs(script):
    backend = script(ANSWERS)
    blue, cash, other = backend.generate([SKY, REFUND, GRASS], Sampling())
    assert (blue.text, blue.logprob, blue.finish) == ("blue", -0.5, "stop")
    assert (blue.usage.prompt_tokens, blue.usage.completion_tokens) == (len(SKY.parts[0]), 4)
    assert (cash.text, cash.logprob, other.text) == ("在“我的”里 🧧", None, "so")


def test_a_script_chooses_or_tells_scores_as_far_as_it_knows_them(script):
    chosen, told, partly = script(ANSWERS).score([SKY, REFUND, GRASS], CHOICES)
    assert (chosen.logprobs, chosen.method) == ((0.0, None, None), "choice")
    assert (told.logprobs, told.method) == ((-0.1, -2.5, -9.0), "likelihood")
    assert (partly.logprobs, partly.method) == ((None, -0.3, None), "choice-logprobs")


def test_of_several_texts_one_is_drawn_where_there_is_heat(script):
    backend = script(ANSWERS)
    drawn = {
        answer.text
        for seed in range(30)
        for answer in backend.generate([SKY], Sampling(temperature=1, seed=seed))
    }
    assert drawn == {"blue", "grey"}


def test_a_picture_is_known_by_its_name_or_its_content(script, tmp_path):
    red, blue = picture(tmp_path / "red.png"), picture(tmp_path / "blue.png", "blue")
    backend = script(
        f"answers:\n- {{picture: red.png, text: a}}\n- {{picture: {blue.sha256[:12]}, text: b}}\n"
    )
    prompts = [Prompt("", (blue, "?")), Prompt("", (red, "?")), SKY]
    a, b, neither = backend.generate(prompts, Sampling())
    assert (a.text, b.text) == ("b", "a")
    assert "no answer" in neither.reason


def test_answers_for_so_many_times_make_a_queue(script):
    backend = script('{"text": "one", "times": 1}\n\n{"text": "two", "times": 2}\n', "queue.jsonl")
    answers = backend.generate([SKY, SKY, GRASS, SKY], Sampling())
    assert [answer.text for answer in answers[:3]] == ["one", "two", "two"]
    assert isinstance(answers[3], Failed)


def test_what_no_answer_fits_fails_and_names_the_script_and_the_question(script):
    prompt = Prompt("", ("The customer's own words", *SKY.parts))
    [failed] = script("answers: [{match: moon, text: a}]").generate([prompt], Sampling())
    assert isinstance(failed, Failed)
    assert "answers.yaml fits the prompt that ends: Is the sky blue?" in failed.reason
    assert "own words" not in failed.reason
    [failed] = script("answers: [{choose: blue}]").score([SKY], CHOICES)
    assert isinstance(failed, Failed)


def test_failures_are_scripted_too(script):
    backend = script("answers: [{fail: busy, retryable: true, times: 1}, {text: a, choose: 'no'}]")
    [busy] = backend.generate([SKY], Sampling())
    assert busy == Failed("busy", retryable=True)
    assert isinstance(backend.generate([SKY], Sampling())[0], Generated)
    assert isinstance(backend.score([SKY], CHOICES)[0], Scored)


def test_it_remembers_what_it_was_asked(script):
    backend = script(ANSWERS)
    backend.generate([SKY], Sampling())
    backend.score([GRASS], CHOICES)
    assert backend.asked == [Asked("generate", SKY), Asked("score", GRASS, CHOICES)]


def test_another_script_is_another_model(script):
    assert script("answers: [{text: a}]").identity != script("answers: [{text: b}]").identity


def test_a_spec_opens_it(script, tmp_path):
    script(ANSWERS)
    backend = open_backend("scripted:answers.yaml", BackendOptions(), tmp_path)
    assert backend.spec == f"scripted:{tmp_path}/answers.yaml"
    with pytest.raises(BackendError, match=r"gone\.yaml: cannot be read"):
        open_backend("scripted:gone.yaml", BackendOptions(), tmp_path)


BAD = """\
answers:
- {text: a}
- {txt: b}
- {text: 3}

- {choose: a, logprobs: {a: 0.5}}
- {fail: x, text: y}
- nothing
- {match: a}
- {choose: a, logprob: -1}
- {text: a, retryable: true, times: 0}
"""


def test_every_problem_of_a_script_is_told_with_its_line(script, tmp_path):
    with pytest.raises(BackendError) as caught:
        script(BAD)
    told = [problem.render().removeprefix(f"{tmp_path}/answers.yaml:") for problem in caught.value.problems]
    assert [text.partition(":")[0] for text in told] == ["3", "4", "6", "7", "8", "9", "10", "11"]
    assert "unknown key 'txt'" in told[0]
    assert "Did you mean 'text'?" in told[0]
    assert "leave out fail, or text" in told[3]
    assert "it answers nothing" in told[5]


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("answers: [", "a.yaml", r"a\.yaml:1: is not YAML"),
        ("- text: a", "a.yaml", "holds no list of answers.*Allowed: 'answers:'"),
        ("", "a.yaml", "holds no list of answers"),
        ("answers: []", "a.yaml", "holds no answers"),
        ("\n", "a.jsonl", "holds no answers"),
        (json.dumps({"text": "a"}) + "\n{\n", "a.jsonl", r"a\.jsonl:2: is not JSON"),
    ],
)
def test_what_is_no_script_is_refused(script, text, name, told):
    with pytest.raises(BackendError, match=told):
        script(text, name)


def test_the_page_about_scripts_shows_one_that_works(script):
    page = (Path(__file__).parents[2] / "docs" / "scripted-models.md").read_text("utf-8")
    example = page.partition("```yaml\n")[2].partition("```")[0]
    backend = script(example)
    asked = Prompt("", ("customer:\n退款", "Question: Is money asked back?\nAnswer yes or no."))
    [row] = backend.score([asked], ("yes", "no"))
    assert (row.logprobs, row.method) == ((-0.1, -2.5), "likelihood")
    table = page.partition("| key | means |")[2]
    assert all(f"`{name}`" in table for name in Entry.model_fields)
