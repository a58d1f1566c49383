"""Other wordings of a question: what a model gives is read strictly, and what is of no use costs nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kdsl_cli.backends.backend import Failed
from kdsl_cli.mining.proposers.model_settings import ModelSettings
from kdsl_cli.mining.proposers.reading import UnusableError
from kdsl_cli.mining.proposers.rewording import Rewordings, read_rewordings

from .talkers import Says, Talker

QUESTION = "Is the button grey?"
THREE = ModelSettings(wordings=3)


def saying(*wordings: str) -> Says:
    return lambda *_: json.dumps({"wordings": wordings}, ensure_ascii=False)


def test_other_words_are_asked_for_once_and_by_the_schema() -> None:
    talker = Talker(saying("Has it a grey button?", "按钮是灰色的吗？", "Too many, is it?"))
    rewordings = Rewordings(talker, THREE)
    assert rewordings.of(QUESTION) == ("Has it a grey button?", "按钮是灰色的吗？") == rewordings.of(QUESTION)
    [(prompt, sampling)] = talker.asked
    assert QUESTION in prompt.preview()
    assert json.loads(sampling.schema or "")["properties"]["wordings"]["maxItems"] == 2


def test_one_wording_asks_for_no_other() -> None:
    talker = Talker(saying("Has it a grey button?"))
    assert Rewordings(talker, replace(THREE, wordings=1)).of(QUESTION) == ()
    assert talker.asked == []


@pytest.mark.parametrize("said", ["no idea", Failed("torn"), '{"wordings": "Grey?"}', '{"wordings": [1]}'])
def test_an_answer_of_no_use_leaves_the_question_alone(said: str | Failed) -> None:
    assert Rewordings(Talker(lambda *_: said), THREE).of(QUESTION) == ()


@pytest.mark.parametrize("said", ["[]", '{"wordings": null}', '{"wordings": [], "wordings": []}', "x" * 9999])
def test_what_is_no_list_of_wordings_is_refused(said: str) -> None:
    with pytest.raises(UnusableError):
        read_rewordings(said, 2)


def test_a_wording_is_one_line_and_not_too_long() -> None:
    said = json.dumps({"wordings": ["Is it\n grey\x07?", "long " * 99]})
    assert read_rewordings(said, 5) == ("Is it grey?",)
