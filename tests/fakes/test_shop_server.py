"""The played model is right as often as it is told to be, and stable; all of it through the real backend."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kdsl_cli.backends.backend import Backend, Generated, Sampling
from kdsl_cli.backends.http.http import open_http
from kdsl_cli.backends.spec import BackendOptions, HttpSpec
from kdsl_cli.dialogues.prompting import Part, Picture, Prompt
from kdsl_cli.evidence.questions import Questioner
from kdsl_cli.runs.hashing import sha256_file

pytestmark = [pytest.mark.local, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "data" / "shop"
QUESTION = "Is the buy button greyed out?"
WORDINGS = ("Is the purchase button grey?", "购买按钮是灰色的吗？")


@pytest.fixture(scope="module")
def truth() -> dict[str, bool]:
    """By name of a picture, whether its buy button is grey: all that are, and as many that are not."""
    rows = [json.loads(line) for line in (SHOP / "truth" / "answers.jsonl").read_text("utf-8").splitlines()]
    grey = {row["id"]: row["answers"][QUESTION] == "yes" for row in rows if row["id"].startswith("page-")}
    yes = [id for id, is_grey in grey.items() if is_grey]
    no = [id for id, is_grey in grey.items() if not is_grey][: len(yes)]
    return {id: grey[id] for id in [*yes, *no]}


@pytest.fixture(scope="module", params=["0", "0.1"])
def wrong(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(wrong: str) -> Iterator[Backend]:
    command = [sys.executable, str(ROOT / "tests" / "fakes" / "shop_server.py"), "--wrong", wrong]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        model = open_http(HttpSpec(process.stdout.readline().strip(), "shop"), BackendOptions())
        yield model
        model.close()
        process.terminate()


def shown(id: str) -> Picture:
    path = SHOP / "images" / f"{id}.webp"
    return Picture(path, sha256_file(path))


def test_answers_are_the_truth_but_for_a_share_that_differs_by_wording(
    model: Backend, wrong: str, truth: dict[str, bool]
) -> None:
    asked = [("customer:", shown(id)) for id in truth]
    rights = []
    for answers in Questioner(model).ask_many(WORDINGS, asked):
        assert None not in {answer.value for answer in answers}
        rights.append(tuple(answer.value == is_ for answer, is_ in zip(answers, truth.values(), strict=True)))
    shares = [sum(right) / len(right) for right in rights]
    assert all(share == 1 if wrong == "0" else 0.75 < share < 1 for share in shares)
    assert (rights[0] == rights[1]) == (wrong == "0")


def test_a_question_it_does_not_know_tells_nothing(model: Backend, truth: dict[str, bool]) -> None:
    [answers] = Questioner(model).ask_many(["Is it full moon?"], [(shown(id),) for id in truth])
    share = sum(answer.value == is_ for answer, is_ in zip(answers, truth.values(), strict=True)) / len(truth)
    assert 0.25 < share < 0.75


def test_it_invents_the_question_that_parts_what_it_is_shown(model: Backend, truth: dict[str, bool]) -> None:
    parts: list[Part] = ["The rule is to recognise this intent: product-sold-out"]
    for number, (id, is_grey) in enumerate(list(truth.items())[:4] + list(truth.items())[-4:]):
        heading = "Right {} (of this intent):" if is_grey else "Wrongly caught {} (of the intent x):"
        parts += [heading.format(number), "customer:", shown(id)]
    parts.append("Answer with JSON alone")
    prompts = [Prompt("", (*parts, f"Try {number}.")) for number in range(80)]
    rows = model.generate(prompts, Sampling(max_tokens=256, temperature=0.8))
    asked = []
    for row in rows:
        assert isinstance(row, Generated)
        try:
            answer = json.loads(row.text)["when"]["answer"]
        except ValueError:
            continue
        assert answer["is"] == "yes"
        asked.append(answer["question"])
    assert 65 <= len(asked) < 80  # the rest is no JSON
    assert set(asked) > set(WORDINGS)


def test_without_wrong_ones_it_has_nothing_to_go_by(model: Backend, truth: dict[str, bool]) -> None:
    parts = ("Right 1 (of this intent):", shown(next(iter(truth))), "Answer with JSON alone")
    [row] = model.generate([Prompt("", parts)], Sampling(max_tokens=256))
    assert isinstance(row, Generated)
    assert "button" not in row.text and "按钮" not in row.text
