from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kdsl_cli.dialogues.readers.options import ReaderOptions
from kdsl_cli.dialogues.readers.reading import read
from kdsl_cli.dialogues.schema import Dialogue, Turn

Make = Callable[..., Path]
HI = {"role": "user", "content": "hi"}


def options(**other: object) -> ReaderOptions:
    return ReaderOptions(**{"task": "t", "check_pictures": False, **other})  # type: ignore[arg-type]


def read_one(path: Path, **other: object) -> Dialogue:
    (dialogue,) = read(path, options=options(**other), max_errors=0).dialogues
    return dialogue


def test_messages_become_turns(write_lines: Make) -> None:
    messages = [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "<image>this one"},
        {"role": "assistant", "content": ""},
    ]
    row = {"id": 7, "messages": messages, "images": ["a.png"], "label": "x", "group": "g", "task": "own"}
    assert read_one(write_lines(row)) == Dialogue(
        "7",
        "own",
        (Turn("system", "be kind"), Turn("customer", "<image>this one", ("a.png",)), Turn("service", "")),
        "g",
        "x",
    )


def test_sharegpt_conversations_become_turns(write_lines: Make) -> None:
    said = [{"from": "human", "value": "look"}, {"from": "gpt", "value": "at what"}]
    dialogue = read_one(write_lines({"system": "s", "conversations": said, "images": ["a.png", "b.png"]}))
    assert dialogue.id == "rows-000001"
    assert dialogue.turns == (
        Turn("system", "s"),
        Turn("customer", "look", ("a.png", "b.png")),
        Turn("service", "at what"),
    )


def test_parts_carry_pictures_of_their_own_or_take_the_rows(write_lines: Make) -> None:
    parts = [
        {"type": "text", "text": "one"},
        {"type": "image", "image": "own.png"},
        {"type": "image"},
        {"type": "image_url", "image_url": {"url": "url.png"}},
    ]
    row = {"messages": [{"role": "user", "content": parts}, {"role": "user", "content": "<image>"}]}
    dialogue = read_one(write_lines({**row, "images": ["first.png", "second.png"]}))
    assert dialogue.turns[0] == Turn(
        "customer", "one<image><image><image>", ("own.png", "first.png", "url.png")
    )
    assert dialogue.turns[1].images == ("second.png",)


def test_the_label_may_be_the_last_answer(write_lines: Make) -> None:
    answer = {"role": "assistant", "content": " refund\n"}
    dialogue = read_one(write_lines({"messages": [HI, answer]}), label_from="reply")
    assert dialogue == Dialogue("rows-000001", "t", (Turn("customer", "hi"),), label="refund")
    said = [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "refund"}]
    assert read_one(write_lines({"conversations": said}), label_from="reply") == dialogue


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"messages": "hi"}, "'messages' is text"),
        ({"messages": []}, "has no turns"),
        ({"messages": ["hi"]}, "message 1 is text"),
        ({"messages": [{"role": "usr", "content": "hi"}]}, "Did you mean 'user'?"),
        ({"messages": [{"role": "user"}]}, "content of message 1 is null"),
        ({"messages": [{"role": "user", "content": [{"type": "video"}]}]}, "part of type 'video'"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image"}]}]},
            "1 <image> in the text, but 0 pictures",
        ),
        ({"messages": [{"role": "user", "content": "<image>"}], "images": ["a", "b"]}, "but 2 pictures"),
        ({"messages": [HI], "label": 3}, "'label' is a number"),
        ({"conversations": [{"from": "human", "text": "hi"}]}, "has no 'value'"),
        ({"conversations": [{"from": "bot", "value": "hi"}]}, "unknown role 'bot'"),
    ],
)
def test_a_bad_row_is_named(write_lines: Make, row: dict[str, object], words: str) -> None:
    path = write_lines({"id": "m1", **row})
    (problem,) = read(path, options=options()).problems
    assert problem.where == f"{path}:1:m1"
    assert words in problem.render()


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [HI]},
        {"messages": [{"role": "assistant", "content": " "}]},
        {"messages": [HI, {"role": "assistant", "content": "refund"}], "label": "parcel"},
    ],
)
def test_an_answer_that_cannot_be_the_label_is_a_problem(write_lines: Make, row: dict[str, object]) -> None:
    assert read(write_lines(row), options=options(label_from="reply")).bad_rows == 1


def test_a_row_without_task_asks_for_one(write_lines: Make) -> None:
    (problem,) = read(write_lines({"messages": [HI]}), options=options(task=None)).problems
    assert "--task" in (problem.fix or "")
