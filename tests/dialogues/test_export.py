from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from kdsl_cli.dialogues import jsonl
from kdsl_cli.dialogues.export import ExportFormat, LabelAs, export, marked
from kdsl_cli.dialogues.readers.options import ReaderOptions
from kdsl_cli.dialogues.readers.reading import read
from kdsl_cli.dialogues.schema import Dialogue, Turn

from .generated import data_sets

DIALOGUE = Dialogue(
    "a",
    "t",
    (Turn("system", "s"), Turn("customer", "这个", ("1.png",)), Turn("service", "亲")),
    label="退款",
)


@pytest.mark.parametrize("format", ["messages", "sharegpt"])
@pytest.mark.parametrize("label_as", ["field", "reply"])
def test_the_readers_give_back_what_was_exported(
    tmp_path_factory: pytest.TempPathFactory, format: ExportFormat, label_as: LabelAs
) -> None:
    path = tmp_path_factory.mktemp("export") / "d.jsonl"
    options = ReaderOptions(label_from=label_as, check_pictures=False)

    @settings(max_examples=15)
    @given(data_sets)
    def holds(drawn: list[Dialogue]) -> None:
        kept = [each for each in drawn if label_as == "field" or each.label is not None]
        if kept:
            path.write_bytes(export(kept, format, label_as=label_as).encode())
            expected = sorted((marked(each) for each in kept), key=lambda each: each.id)
            assert list(read(path, options=options, max_errors=0).dialogues) == expected

    holds()


def test_messages_are_what_chat_trainers_read() -> None:
    assert json.loads(export([DIALOGUE], "messages", label_as="reply")) == {
        "id": "a",
        "task": "t",
        "group": None,
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "<image>这个"},
            {"role": "assistant", "content": "亲"},
            {"role": "assistant", "content": "退款"},
        ],
        "images": ["1.png"],
    }


def test_sharegpt_keeps_the_label_apart() -> None:
    row = json.loads(export([DIALOGUE], "sharegpt"))
    assert row["conversations"][1] == {"from": "human", "value": "<image>这个"}
    assert row["label"] == "退款"


def test_canonical_is_the_canonical_form() -> None:
    assert export([DIALOGUE], "canonical") == jsonl.dump([DIALOGUE])
